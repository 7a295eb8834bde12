import type { Ref } from 'preact'
import { useState } from 'preact/hooks'
import { SavedButton } from '../../components/saved-button.tsx'
import { SearchBar } from '../../components/search-bar.tsx'
import { TimeRange } from '../../components/time-range.tsx'
import { zoneText } from '../../format/time.ts'
import { type Attribute, attributes } from '../../state/attributes.ts'
import {
  addWord,
  type CaptureFilter,
  checkWord,
  errorClasses,
  type FilterWord,
  setWord,
  tidyWord,
} from '../../state/capture-filter.ts'

export interface FilterBarProps {
  readonly filter: CaptureFilter
  onChange: (filter: CaptureFilter) => void
  /** Names seen in the table, offered while typing a trunk. */
  readonly trunkNames: readonly string[]
  readonly open: boolean
  readonly textRef: Ref<HTMLInputElement>
  readonly firstFieldRef: Ref<HTMLSelectElement>
}

type Filterable = Attribute & { filter: NonNullable<Attribute['filter']> }
const fields = attributes.filter((attribute): attribute is Filterable => attribute.filter !== undefined)

/** The same bar over live traffic and over history. A value becomes a chip; several of one kind mean "any of these". */
export function FilterBar(props: FilterBarProps) {
  const { filter, onChange } = props
  const [refused, setRefused] = useState<string | null>(null)
  const add = (word: FilterWord, typed: string): boolean => {
    const value = tidyWord(word, typed)
    if (value === '') return false
    const problem = checkWord(word, value)
    setRefused(problem === null ? null : `${typed}: ${problem}`)
    if (problem === null) onChange(addWord(filter, word, value))
    return problem === null
  }
  const statuses = filter.words.status ?? []
  const errorsOnly = errorClasses.every((name) => statuses.includes(name))
  return (
    <form
      class={`filter-bar${props.open ? ' is-open' : ''}`}
      aria-label="Filter"
      onSubmit={(event) => event.preventDefault()}
    >
      <div class="filter-main">
        <SearchBar
          kind="messages"
          value={filter.q}
          placeholder="Search: words, number, field:value  ( / )"
          inputRef={props.textRef}
          onSearch={(q) => onChange({ ...filter, q })}
        />
        <button
          type="button"
          class="toggle"
          aria-pressed={errorsOnly}
          title="Only answers 4xx, 5xx and 6xx"
          onClick={() =>
            onChange(
              setWord(
                filter,
                'status',
                errorsOnly
                  ? statuses.filter((status) => !errorClasses.some((name) => name === status))
                  : [...statuses, ...errorClasses],
              ),
            )
          }
        >
          <span aria-hidden="true">✕ </span>Errors
        </button>
        <button
          type="button"
          class="toggle"
          aria-pressed={filter.hideNoise}
          title="Leave OPTIONS and REGISTER out of the table"
          onClick={() => onChange({ ...filter, hideNoise: !filter.hideNoise })}
        >
          Hide OPTIONS/REGISTER
        </button>
        <SavedButton />
      </div>
      <div class="filter-fields">
        {fields.map((field) => (
          <Field
            key={field.id}
            field={field}
            add={add}
            trunkNames={props.trunkNames}
            {...(field.filter.word === 'method' ? { selectRef: props.firstFieldRef } : {})}
          />
        ))}
        <TimeRange span={filter} onChange={(span) => onChange({ ...filter, ...span, mode: 'history' })} />
      </div>
      {refused !== null && (
        <p class="field-problem" role="alert">
          {refused}
        </p>
      )}
      <span class="visually-hidden">Times are in {zoneText()}</span>
    </form>
  )
}

function Field(props: {
  field: Filterable
  add: (word: FilterWord, value: string) => boolean
  trunkNames: readonly string[]
  selectRef?: Ref<HTMLSelectElement>
}) {
  const { word, label, placeholder, choices, primary } = props.field.filter
  const className = `field-${word}${primary ? '' : ' is-rare'}`
  if (choices !== undefined)
    return (
      <label class={`field ${className}`}>
        <span class="field-label">{label}</span>
        <select
          aria-label={label}
          ref={props.selectRef ?? null}
          value=""
          onChange={(event) => {
            props.add(word, event.currentTarget.value)
            event.currentTarget.value = ''
          }}
        >
          <option value="">{placeholder}</option>
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </select>
      </label>
    )
  const suggestions = word === 'trunk' ? props.trunkNames : word === 'status' ? statusSuggestions : []
  return (
    <TextField
      label={label}
      placeholder={placeholder}
      className={className}
      suggestions={suggestions}
      onAdd={(value) => props.add(word, value)}
    />
  )
}

const statusSuggestions = [
  '4xx',
  '5xx',
  '6xx',
  '1xx',
  '2xx',
  '3xx',
  '401',
  '403',
  '404',
  '408',
  '480',
  '486',
  '487',
  '488',
  '503',
  '603',
]

/** Enter (or leaving the field) takes the value. */
function TextField(props: {
  label: string
  placeholder: string
  className?: string
  suggestions?: readonly string[]
  onAdd: (value: string) => boolean
}) {
  const [value, setValue] = useState('')
  const listId = `list-${props.label.replaceAll(/\W/g, '')}`
  const take = (typed: string) => {
    if (typed !== '' && props.onAdd(typed)) setValue('')
  }
  const suggestions = props.suggestions ?? []
  return (
    <label class={`field ${props.className ?? ''}`}>
      <span class="field-label">{props.label}</span>
      <input
        type="text"
        value={value}
        aria-label={props.label}
        placeholder={props.placeholder}
        autocomplete="off"
        spellcheck={false}
        maxLength={512}
        {...(suggestions.length > 0 ? { list: listId } : {})}
        onInput={(event) => setValue(event.currentTarget.value)}
        onChange={(event) => take(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') take(event.currentTarget.value)
          if (event.key === 'Escape') {
            // Left without taking: an empty field has nothing to take when it loses the focus.
            event.currentTarget.value = ''
            setValue('')
            event.currentTarget.blur()
          }
        }}
      />
      {suggestions.length > 0 && (
        <datalist id={listId}>
          {suggestions.map((suggestion) => (
            <option key={suggestion} value={suggestion}>
              {suggestion}
            </option>
          ))}
        </datalist>
      )}
    </label>
  )
}
