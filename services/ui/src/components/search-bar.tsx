import type { Ref } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useLazyPart } from './lazy-part.ts'
import type { SearchKind } from './search-kind.ts'

const maxLength = 2000
const loadAssist = () => import('./search-assist.tsx')

/** The language is fetched when it is first needed: to type, or to check what the address holds. */
export const useSearchAssist = (wanted: boolean) => useLazyPart(loadAssist, wanted).part

/**
 * The search in one line, in the language of `GET /messages` and `GET /calls`. Enter searches, and only what can be read; Tab
 * takes a completion; Esc closes them, then gives the text back as it was.
 */
export function SearchBar(props: {
  kind: SearchKind
  value: string
  placeholder: string
  inputRef: Ref<HTMLInputElement>
  onSearch: (q: string) => void
}) {
  const { kind, value, onSearch } = props
  const [draft, setDraft] = useState(value)
  const [focused, setFocused] = useState(false)
  /** Where completions are asked for; null: they are not. */
  const [asked, setAsked] = useState<number | null>(null)
  const [chosen, setChosen] = useState(-1)
  const shadow = useRef<HTMLDivElement>(null)
  const field = useRef<HTMLInputElement | null>(null)
  const nextCursor = useRef<number | null>(null)
  const assist = useSearchAssist(focused || value !== '')

  useEffect(() => setDraft(value), [value])
  useLayoutEffect(() => {
    if (nextCursor.current === null) return
    field.current?.setSelectionRange(nextCursor.current, nextCursor.current)
    nextCursor.current = null
  })
  useEffect(() => {
    if (focused) assist?.learnValues(draft)
  }, [assist, focused, draft])
  const problem = useMemo(() => assist?.problemOf(kind, draft) ?? null, [assist, kind, draft])
  const completions = asked === null || assist === null ? null : assist.completionsAt(kind, draft, asked)
  const open = focused && completions !== null && completions.items.length > 0
  const listId = `completions-${kind}`

  const put = (from: number, to: number, text: string) => {
    setDraft(draft.slice(0, from) + text + draft.slice(to))
    nextCursor.current = from + text.length
    field.current?.focus()
  }
  const take = (index: number) => {
    const item = completions?.items[index]
    if (completions === null || item === undefined) return
    const isField = item.insert.endsWith(':')
    const isLast = completions.to === draft.length
    put(completions.from, completions.to, isField || !isLast ? item.insert : `${item.insert} `)
    // A field wants its value next.
    setAsked(isField ? completions.from + item.insert.length : null)
    setChosen(-1)
  }
  const search = async (text: string) => {
    setAsked(null)
    const { problemOf } = assist ?? (await loadAssist())
    if (problemOf(kind, text) === null) onSearch(text.trim())
  }
  const onKey = (event: KeyboardEvent) => {
    const count = open ? completions.items.length : 0
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (open) setChosen((chosen + (event.key === 'ArrowDown' ? 1 : count + (chosen < 0 ? 0 : -1))) % count)
      else setAsked(field.current?.selectionStart ?? draft.length)
    } else if (event.key === 'Tab' && open && !event.shiftKey) take(Math.max(0, chosen))
    else if (event.key === 'Enter') {
      if (open && chosen >= 0) take(chosen)
      else void search(draft)
    } else if (event.key === 'Escape') {
      setAsked(null)
      setChosen(-1)
      if (!open) {
        setDraft(value)
        field.current?.blur()
      }
    } else return
    event.preventDefault()
  }
  return (
    <div class="search-bar" role="search">
      <div class="search-line">
        <div ref={shadow} class="search-shadow" aria-hidden="true">
          {problem !== null && !open && (
            <>
              {draft.slice(0, problem.at)}
              <mark>{draft.slice(problem.at, problem.at + problem.length) || ' '}</mark>
              {draft.slice(problem.at + problem.length)}
            </>
          )}
        </div>
        <input
          type="text"
          ref={(element) => {
            field.current = element
            if (typeof props.inputRef === 'function') props.inputRef(element)
            else if (props.inputRef !== null) props.inputRef.current = element
          }}
          role="combobox"
          aria-label="Search"
          aria-expanded={open}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={open && chosen >= 0 ? `${listId}-${chosen}` : undefined}
          aria-invalid={problem !== null}
          placeholder={props.placeholder}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          maxLength={maxLength}
          value={draft}
          onInput={(event) => {
            const { value: typed, selectionStart } = event.currentTarget
            setDraft(typed)
            setChosen(-1)
            setAsked(typed === '' ? null : selectionStart)
          }}
          onKeyDown={onKey}
          onScroll={(event) => {
            if (shadow.current !== null) shadow.current.scrollLeft = event.currentTarget.scrollLeft
          }}
          onFocus={() => setFocused(true)}
          onBlur={() => {
            setFocused(false)
            setAsked(null)
          }}
        />
        {draft !== '' && (
          <button
            type="button"
            class="search-clear"
            aria-label="Clear the search"
            onClick={() => {
              setDraft('')
              onSearch('')
            }}
          >
            ×
          </button>
        )}
      </div>
      {assist !== null && open && (
        <assist.CompletionList id={listId} completions={completions} chosen={chosen} onChoose={take} />
      )}
      {assist !== null && problem !== null && !open && (
        <assist.ProblemLine
          problem={problem}
          onTake={(suggestion) => put(problem.at, problem.at + problem.length, suggestion)}
        />
      )}
    </div>
  )
}
