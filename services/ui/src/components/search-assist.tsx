import { complete, type Completions } from '@sip-capture/contract/search/complete.ts'
import { callTable, messageTable } from '@sip-capture/contract/search/fields.ts'
import { parseSearch } from '@sip-capture/contract/search/parser.ts'
import type { SearchProblem } from '@sip-capture/contract/search/query.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { shownText } from '../format/shown-text.ts'
import { FilterChip } from './filter-chip.tsx'
import type { SearchKind } from './search-kind.ts'
import { toPieces } from './search-pieces.ts'
import { knownValues, learnEndpoints, learnRules } from './search-values.ts'

/** What the search bar loads when it is used: the language itself. */
const tables = { messages: messageTable, calls: callTable }

/** Why the text cannot be searched for; null when it can. */
export function problemOf(kind: SearchKind, text: string): SearchProblem | null {
  const parsed = parseSearch(text, tables[kind], { nowMicros: nowMicros() })
  return parsed.ok ? null : parsed.problem
}

export function completionsAt(kind: SearchKind, text: string, cursor: number): Completions {
  const { byField, meaning } = knownValues.value
  const found = complete(text, cursor, tables[kind], byField)
  const items = found.items.map(({ label, insert, help }) => ({
    label,
    // A minus needs no quotes behind the colon.
    insert: label.startsWith('-') ? label : insert,
    help: meaning.get(label) ?? help,
  }))
  return { ...found, items }
}

/** Asks for the values that completion may need next. */
export function learnValues(text: string): void {
  void learnEndpoints()
  if (/verdict:/i.test(text)) void learnRules()
}

/** Fields or values that fit what is typed. The bar keeps the focus and hands over its keys. */
export function CompletionList(props: {
  id: string
  completions: Completions
  chosen: number
  onChoose: (index: number) => void
}) {
  const list = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [props.chosen])
  return (
    <div ref={list} id={props.id} class="completions" role="listbox" aria-label="Completions">
      {props.completions.items.map(({ label, help }, index) => (
        <div
          key={label}
          id={`${props.id}-${index}`}
          class="completion"
          role="option"
          tabIndex={-1}
          aria-selected={index === props.chosen}
          // The field keeps the focus: a press must not take it.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => props.onChoose(index)}
        >
          <span class="mono">{shownText(label)}</span>
          <span class="faint">{shownText(help)}</span>
        </div>
      ))}
    </div>
  )
}

/** What is wrong with the search, and what was probably meant. */
export function ProblemLine(props: { problem: SearchProblem; onTake: (suggestion: string) => void }) {
  const { message, at, suggestion } = props.problem
  return (
    <p class="search-problem" role="alert">
      <b aria-hidden="true">! </b>
      {shownText(message)} <span class="faint">(character {at + 1})</span>{' '}
      {suggestion !== undefined && (
        <button type="button" class="link" onClick={() => props.onTake(suggestion)}>
          Take {shownText(suggestion)}
        </button>
      )}
    </p>
  )
}

/** The search in pieces: removing a chip takes its piece out of the text. */
export function SearchChips(props: { q: string; onChange: (q: string) => void }) {
  return (
    <>
      {toPieces(props.q).map(({ text, rest }, index) => (
        <FilterChip
          key={`${index} ${text}`}
          label="Search"
          value={shownText(text.slice(0, 120))}
          onRemove={() => props.onChange(rest)}
        />
      ))}
    </>
  )
}
