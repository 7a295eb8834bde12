import { matchesParts } from '@sip-capture/contract/search/glob.ts'
import type { Query, Test } from '@sip-capture/contract/search/query.ts'
import { foldText } from '../filter-words.ts'

/** One test of one field → whether a subject passes it; what the test holds is made ready once. */
export type MatchLeaf<F extends string, S> = (field: F, test: Test) => (subject: S) => boolean

/** A query → a function. The same meaning as `history/query-sql.ts`. */
export function toQueryMatch<F extends string, S>(
  query: Query<F>,
  leaf: MatchLeaf<F, S>,
): (subject: S) => boolean {
  switch (query.type) {
    case 'test':
      return leaf(query.field, query.test)
    case 'not': {
      const match = toQueryMatch(query.term, leaf)
      return (subject) => !match(subject)
    }
    case 'all': {
      const matches = query.terms.map((term) => toQueryMatch(term, leaf))
      return (subject) => matches.every((match) => match(subject))
    }
    case 'any': {
      const matches = query.terms.map((term) => toQueryMatch(term, leaf))
      return (subject) => matches.some((match) => match(subject))
    }
    default:
      return query satisfies never
  }
}

export type TextMatch = (text: string) => boolean

const never = () => false

/** Whole value, letter for letter. */
export function exactMatch(test: Test): TextMatch {
  if ('text' in test) return (text) => text === test.text
  return test.op === 'like' ? (text) => matchesParts(text, test.parts) : never
}

/** Part of a text, ASCII letters alike; with `*` the whole text. */
export function partMatch(test: Test): TextMatch {
  if ('text' in test) {
    const word = foldText(test.text)
    return (text) => foldText(text).includes(word)
  }
  return test.op === 'like' ? likeFolded(test.parts) : never
}

/** The whole text, ASCII letters alike. */
export function likeFolded(parts: readonly string[]): TextMatch {
  const folded = parts.map(foldText)
  return (text) => matchesParts(foldText(text), folded)
}

/** Whole number; null is in no range. */
export function rangeMatch(test: Test): (value: number | null) => boolean {
  if (test.op !== 'range') return never
  const { from, until } = test
  return (value) => value !== null && (from === null || value >= from) && (until === null || value < until)
}
