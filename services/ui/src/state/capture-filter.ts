import { messageFilter } from '@sip-capture/contract/rest/message.ts'
import type { ClientFrame } from '@sip-capture/contract/live.ts'
import { parseTime, toRfc3339 } from '@sip-capture/contract/time.ts'

/** The words of the contract's filter that the bar offers. */
export const filterWords = [
  'text',
  'method',
  'status',
  'trunk',
  'callId',
  'number',
  'from',
  'to',
  'address',
  'userAgent',
  'source',
] as const
export type FilterWord = (typeof filterWords)[number]

export type LiveFilter = NonNullable<Extract<ClientFrame, { type: 'subscribe' }>['filter']>

export interface CaptureFilter {
  readonly words: Readonly<Partial<Record<FilterWord, readonly string[]>>>
  /** Text in the search language of `GET /messages`; `''`: none. It and the words must all hold. */
  readonly q: string
  /** At or after, before; a time range means history. */
  readonly sinceMicros: number | null
  readonly untilMicros: number | null
  readonly mode: 'live' | 'history'
  /** Id of the import that is looked at; an import is always history. */
  readonly capture: string | null
  /** OPTIONS and REGISTER are left out of the view (they stay in the store, and are counted). */
  readonly hideNoise: boolean
}

export const emptyFilter: CaptureFilter = {
  words: {},
  q: '',
  sinceMicros: null,
  untilMicros: null,
  mode: 'live',
  capture: null,
  hideNoise: false,
}

export const noiseMethods: ReadonlySet<string> = new Set(['OPTIONS', 'REGISTER'])
export const errorClasses = ['4xx', '5xx', '6xx'] as const

/** `callId` in the address is the open call; the filter's Call-ID needs a name of its own. */
const paramOf = (word: FilterWord) => (word === 'callId' ? 'onlyCallId' : word)
const maxValues = 50

/** What of the address is a filter. Values the contract refuses are left out, never sent. */
export function readFilter(params: URLSearchParams): CaptureFilter {
  const words: Partial<Record<FilterWord, readonly string[]>> = {}
  for (const word of filterWords) {
    const values = params.getAll(paramOf(word)).filter((value) => checkWord(word, value) === null)
    if (values.length > 0) words[word] = [...new Set(values)].slice(0, maxValues)
  }
  const sinceMicros = parseTime(params.get('since') ?? '') ?? null
  const untilMicros = parseTime(params.get('until') ?? '') ?? null
  const capture = /^[\da-f]{32}$/.exec(params.get('capture') ?? '')?.[0] ?? null
  const ranged = sinceMicros !== null || untilMicros !== null
  return {
    words,
    q: (params.get('q') ?? '').trim(),
    sinceMicros,
    untilMicros,
    mode: ranged || capture !== null || params.get('mode') === 'history' ? 'history' : 'live',
    capture,
    hideNoise: params.get('noise') === 'hide',
  }
}

/** Writes the filter into a copy of `params`; other parameters stay. */
export function writeFilter(filter: CaptureFilter, params: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(params)
  for (const name of [...filterWords.map(paramOf), 'q', 'since', 'until', 'mode', 'noise', 'capture'])
    next.delete(name)
  for (const word of filterWords)
    for (const value of filter.words[word] ?? []) next.append(paramOf(word), value)
  if (filter.q !== '') next.set('q', filter.q)
  if (filter.sinceMicros !== null) next.set('since', toRfc3339(filter.sinceMicros))
  if (filter.untilMicros !== null) next.set('until', toRfc3339(filter.untilMicros))
  if (filter.mode === 'history' && filter.sinceMicros === null && filter.untilMicros === null)
    next.set('mode', 'history')
  if (filter.capture !== null) next.set('capture', filter.capture)
  if (filter.hideNoise) next.set('noise', 'hide')
  return next
}

/** A sentence when the contract refuses the value, else `null`. */
export function checkWord(word: FilterWord, value: string): string | null {
  if (value === '') return 'is empty'
  const parsed = messageFilter.safeParse({ [word]: [value] })
  return parsed.success ? null : (parsed.error.issues[0]?.message ?? 'is not valid')
}

/** As people type it → as the contract has it: `invite` → `INVITE`, `4XX` → `4xx`. */
export function tidyWord(word: FilterWord, value: string): string {
  const trimmed = word === 'text' || word === 'callId' ? value : value.trim()
  if (word === 'method') return trimmed.toUpperCase()
  if (word === 'status') return trimmed.toLowerCase()
  if (word === 'number') return trimmed.replace(/[\s()-]/g, '')
  return trimmed
}

export function setWord(filter: CaptureFilter, word: FilterWord, values: readonly string[]): CaptureFilter {
  const { [word]: _, ...rest } = filter.words
  return {
    ...filter,
    words: values.length === 0 ? rest : { ...rest, [word]: [...new Set(values)].slice(0, maxValues) },
  }
}

export function addWord(filter: CaptureFilter, word: FilterWord, value: string): CaptureFilter {
  return setWord(filter, word, [...(filter.words[word] ?? []), value])
}

export function removeWord(filter: CaptureFilter, word: FilterWord, value: string): CaptureFilter {
  return setWord(
    filter,
    word,
    (filter.words[word] ?? []).filter((other) => other !== value),
  )
}

/** True when something but `hideNoise` and the import itself narrows the view. */
export function isNarrowed(filter: CaptureFilter): boolean {
  return (
    filter.q !== '' ||
    filterWords.some((word) => (filter.words[word]?.length ?? 0) > 0) ||
    filter.sinceMicros !== null ||
    filter.untilMicros !== null
  )
}

export function toLiveFilter(filter: CaptureFilter): LiveFilter {
  return {
    ...Object.fromEntries(
      filterWords.flatMap((word) => {
        const values = filter.words[word]
        return values === undefined || values.length === 0 ? [] : [[word, [...values]]]
      }),
    ),
    ...(filter.q === '' ? {} : { q: filter.q }),
  }
}

/** The same filter for `GET /messages`, without the page words. */
export function toQuery(filter: CaptureFilter): URLSearchParams {
  const query = new URLSearchParams()
  for (const word of filterWords) for (const value of filter.words[word] ?? []) query.append(word, value)
  if (filter.q !== '') query.set('q', filter.q)
  if (filter.sinceMicros !== null) query.set('since', toRfc3339(filter.sinceMicros))
  if (filter.untilMicros !== null) query.set('until', toRfc3339(filter.untilMicros))
  if (filter.capture !== null) query.set('capture', filter.capture)
  return query
}

/** Equal for filters that ask the server for the same rows. */
export function serverKey(filter: CaptureFilter): string {
  return `${filter.mode} ${toQuery(filter).toString()}`
}

/** The same filter as the body of an export has it, without times. */
export function toExportFilter(filter: CaptureFilter): Record<string, string | readonly string[]> {
  return {
    ...filter.words,
    ...(filter.q === '' ? {} : { q: filter.q }),
    ...(filter.capture === null ? {} : { capture: [filter.capture] }),
  }
}
