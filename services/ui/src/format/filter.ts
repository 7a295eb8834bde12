import { wordLabels } from '../state/attributes.ts'
import { type FilterWord, filterWords } from '../state/capture-filter.ts'
import type { FilterWords } from '../state/job-client.ts'
import { shownText } from './shown-text.ts'

function isKnown(word: string): word is FilterWord {
  return filterWords.some((one) => one === word)
}

/** Id → name of the imports that are still there. */
export type ImportNames = ReadonlyMap<string, string>

/** Without the names at hand the beginning of its id says that there is one. */
function importName(id: string, names: ImportNames | undefined): string {
  return names === undefined ? id.slice(0, 8) : (names.get(id) ?? '(deleted)')
}

/** Each part of a filter in words, `Status 4xx or 5xx`; empty when nothing is filtered. */
function filterParts(filter: FilterWords, importNames: ImportNames | undefined): string[] {
  return Object.entries(filter).flatMap(([word, given]) => {
    const values = [given].flat()
    if (values.length === 0) return []
    const shown = values.map((value) =>
      shownText((word === 'capture' ? importName(value, importNames) : value).slice(0, 80)),
    )
    return [`${labelOf(word)} ${shown.join(' or ')}`]
  })
}

function labelOf(word: string): string {
  if (isKnown(word)) return wordLabels[word]
  return word === 'capture' ? 'Import' : word === 'q' ? 'Search' : shownText(word)
}

export function filterText(filter: FilterWords, importNames?: ImportNames): string {
  const parts = filterParts(filter, importNames)
  return parts.length === 0 ? 'everything' : parts.join(' · ')
}
