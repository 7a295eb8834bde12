import { parseTime } from '@sip-capture/contract/time.ts'

/** A link into the page from somewhere else: any id that the other side has, and when. */
export interface DeepLink {
  /** Call-ID, Uniqueid, Linkedid, channel, our own id, or a number. */
  readonly call: string | null
  readonly at: LinkTime | null
  readonly from: string | null
  readonly to: string | null
}

export interface LinkTime {
  readonly given: string
  /** Epoch microseconds; null: it is not a time. */
  readonly micros: number | null
  /** It had no zone, so the viewer's was taken. */
  readonly isLocal: boolean
}

/** What of the address is a deep link: `call` (or the older `callId`), `at`, and beside them `from` and `to`. */
export function readDeepLink(params: URLSearchParams): DeepLink | null {
  const call = textOf(params, 'call') ?? textOf(params, 'callId')
  const given = textOf(params, 'at')
  if (call === null && given === null) return null
  return {
    call,
    at: given === null ? null : readLinkTime(given),
    from: textOf(params, 'from'),
    to: textOf(params, 'to'),
  }
}

const textOf = (params: URLSearchParams, name: string): string | null => params.get(name)?.trim() || null

/**
 * Times as other tools write them: RFC 3339; epoch seconds (Asterisk's `${EPOCH}`, with a fraction too), milliseconds
 * (Grafana) or microseconds; and what CDR tables hold, `2026-11-23 14:03:07` without a zone, which is the viewer's.
 */
export function readLinkTime(given: string): LinkTime {
  if (/^\d{9,11}(\.\d{1,9})?$/.test(given))
    return { given, micros: toMicros(Number(given) * 1e6), isLocal: false }
  if (/^\d{12,14}$/.test(given)) return { given, micros: toMicros(Number(given) * 1e3), isLocal: false }
  if (/^\d{1,14}$/.test(given)) return { given, micros: null, isLocal: false }
  // A `+` that was not percent-encoded arrives as a space.
  const exact = parseTime(given.replace(/^(\d{4}-\d{2}-\d{2}[T ][\d:.]+) (\d{2}:\d{2})$/, '$1+$2'))
  if (exact !== undefined) return { given, micros: exact, isLocal: false }
  const local = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?$/.test(given)
    ? toMicros(new Date(given.replace(' ', 'T')).getTime() * 1e3)
    : null
  return { given, micros: local, isLocal: local !== null }
}

/** Through the contract's own reader, which knows the bounds. */
const toMicros = (micros: number): number | null => parseTime(String(Math.round(micros))) ?? null

/** For `GET /resolve`; empty where nothing can be asked. */
export function toResolveQuery(link: DeepLink): URLSearchParams {
  const query = new URLSearchParams()
  if (link.call !== null) query.set('id', link.call)
  if (link.at !== null && link.at.micros !== null) query.set('at', String(link.at.micros))
  if (link.from !== null) query.set('from', link.from)
  if (link.to !== null) query.set('to', link.to)
  return query
}

/** A copy of the address without what is open. */
export function withoutOpen(params: URLSearchParams): URLSearchParams {
  const rest = new URLSearchParams(params)
  for (const name of ['callId', 'call', 'at', 'message']) rest.delete(name)
  return rest
}
