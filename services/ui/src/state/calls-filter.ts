import type { CallFilter } from '@sip-capture/contract/rest/call-log.ts'
import { parseTime, toRfc3339 } from '@sip-capture/contract/time.ts'
import type { TimeSpan } from '../components/time-range.tsx'

/** Which calls `/calls` and `/stats` are about, as the address has it. */
export interface CallsFilter extends TimeSpan {
  /** Text in the search language; `''`: every call. */
  readonly q: string
  /** Id of the import that is looked at; null: live traffic. */
  readonly capture: string | null
}

export const everyCall: CallsFilter = { q: '', sinceMicros: null, untilMicros: null, capture: null }

/** Values that cannot be are left out, never sent; a search that cannot be read is kept, to be told where it is wrong. */
export function readCallsFilter(params: URLSearchParams): CallsFilter {
  return {
    q: (params.get('q') ?? '').trim(),
    sinceMicros: parseTime(params.get('since') ?? '') ?? null,
    untilMicros: parseTime(params.get('until') ?? '') ?? null,
    capture: /^[\da-f]{32}$/.exec(params.get('capture') ?? '')?.[0] ?? null,
  }
}

/** The words of `GET /calls` and `GET /stats`, which are those of the page's address too. */
export function toCallsQuery({ q, sinceMicros, untilMicros, capture }: CallsFilter): URLSearchParams {
  const query = new URLSearchParams()
  if (q !== '') query.set('q', q)
  if (sinceMicros !== null) query.set('since', toRfc3339(sinceMicros))
  if (untilMicros !== null) query.set('until', toRfc3339(untilMicros))
  if (capture !== null) query.set('capture', capture)
  return query
}

/** New calls come by themselves: nothing bounds the view in the future, and an import does not go on. */
export function isLive({ untilMicros, capture }: CallsFilter): boolean {
  return untilMicros === null && capture === null
}

/** What `/ws` is asked to follow. */
export function toFollowed({ q }: CallsFilter): Partial<CallFilter> {
  return q === '' ? {} : { q }
}

/** Two searches that must both hold: `OR` inside either stays inside. */
export function bothSearches(a: string, b: string): string {
  if (a === '' || b === '') return a + b
  return `${inBrackets(a)} ${inBrackets(b)}`
}

const inBrackets = (text: string) => (/\bOR\b|\|/.test(text) ? `(${text})` : text)

const toLink = (path: string, filter: CallsFilter) => {
  const query = toCallsQuery(filter).toString()
  return query === '' ? path : `${path}?${query}`
}
/** The calls behind a number. */
export const callsLink = (filter: CallsFilter): string => toLink('/calls', filter)
/** The numbers of these calls. */
export const statsLink = (filter: CallsFilter): string => toLink('/stats', filter)
/** The form that makes a watch of this search; times bound the past, a watch is of what comes. */
export const watchLink = ({ q }: CallsFilter): string => `/watches?${new URLSearchParams({ q })}`
