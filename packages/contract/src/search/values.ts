import { maxMicros, parseTime } from '../time.ts'
import { parseAddress } from './address.ts'
import type { FieldSpec } from './fields.ts'
import { toParts } from './glob.ts'
import type { Value } from './lexer.ts'
import type { Test } from './query.ts'
import { nearest } from './suggest.ts'

export type ReadValue =
  | { readonly ok: true; readonly test: Test }
  | { readonly ok: false; readonly message: string; readonly suggestion?: string }

const maxStars = 8

const knownMethods = new Set(
  'ACK BYE CANCEL INFO INVITE MESSAGE NOTIFY OPTIONS PRACK PUBLISH REFER REGISTER SUBSCRIBE UPDATE'.split(
    ' ',
  ),
)

/** One value of a field → the question it asks. `nowMicros`: what `-24h` counts from. */
export function readValue(spec: FieldSpec, value: Value, nowMicros: number): ReadValue {
  const { text } = value
  const parts = value.quoted ? undefined : toParts(text)
  if (parts && parts.length - 1 > maxStars)
    return { ok: false, message: `more than ${maxStars} * in one value` }
  switch (spec.kind) {
    case 'part':
    case 'number':
      return good(parts ? { op: 'like', parts } : { op: 'contains', text })
    case 'exact':
      return good(parts ? { op: 'like', parts } : { op: 'equals', text })
    case 'method': {
      const upper = text.toUpperCase()
      if (parts) return good({ op: 'like', parts: toParts(upper) ?? parts })
      return good({ op: 'equals', text: knownMethods.has(upper) ? upper : text })
    }
    case 'choice':
      return readChoice(spec.choices ?? [], text)
    case 'address':
      return good(parts ? { op: 'like', parts } : { op: 'address', ...parseAddress(text) })
    case 'code':
      return readRange(text, readCode, 'a status code such as 486, a class such as 4xx, or a range 400..499')
    case 'count':
      return readRange(text, readCount, 'a whole number, or a range such as >3 or 2..5')
    case 'duration':
      return readRange(text, readDuration, 'a time such as 500ms, 30s, 5m or 1h, or a range such as >30s')
    case 'time':
      return readRange(
        text,
        (word) => readMoment(word, nowMicros),
        'a day (2026-11-23, UTC), a time with zone (2026-11-23T05:41Z) or a range of them',
      )
    case 'since':
    case 'until': {
      const moment = readMoment(text, nowMicros)
      if (!moment)
        return {
          ok: false,
          message: 'wants a time: -24h, 2026-11-23 (UTC) or 2026-11-23T05:41Z',
          ...(/^\d+(s|m|h|d|w)$/i.test(text) ? { suggestion: `-${text}` } : {}),
        }
      return good(
        spec.kind === 'since'
          ? { op: 'range', from: moment.from, until: null }
          : { op: 'range', from: null, until: moment.from },
      )
    }
    default:
      return spec.kind satisfies never
  }
}

const good = (test: Test): ReadValue => ({ ok: true, test })

function readChoice(choices: readonly string[], text: string): ReadValue {
  const wanted = text.toLowerCase().replaceAll(/[ _]/g, '-')
  const choice = choices.find((one) => one.toLowerCase() === wanted)
  if (choice !== undefined) return good({ op: 'equals', text: choice })
  const suggestion = nearest(wanted, choices)
  return {
    ok: false,
    message: `wants one of ${choices.join(', ')}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}

interface Span {
  readonly from: number
  /** Exclusive: `4xx` is 400..500, `30s` is 30,000..31,000 ms. */
  readonly until: number
  /** Where "more than this" begins; absent: at `until`. */
  readonly after?: number
}

/** `a`, `a..b`, `a..`, `..b`, `>a`, `>=a`, `<a`, `<=a`. */
function readRange(text: string, read: (word: string) => Span | undefined, wants: string): ReadValue {
  const bad: ReadValue = { ok: false, message: `wants ${wants}` }
  const compared = /^(>=|<=|>|<)(.+)$/s.exec(text)
  if (compared) {
    const span = read(compared[2] ?? '')
    if (!span) return bad
    const { from, until, after = until } = span
    switch (compared[1]) {
      case '>':
        return good({ op: 'range', from: after, until: null })
      case '>=':
        return good({ op: 'range', from, until: null })
      case '<':
        return good({ op: 'range', from: null, until: from })
      default:
        return good({ op: 'range', from: null, until: after })
    }
  }
  const dots = text.indexOf('..')
  if (dots >= 0) {
    const [low, high] = [text.slice(0, dots), text.slice(dots + 2)]
    const from = low === '' ? undefined : read(low)
    const until = high === '' ? undefined : read(high)
    if ((low !== '' && !from) || (high !== '' && !until) || (!from && !until)) return bad
    return good({
      op: 'range',
      from: from?.from ?? null,
      until: until === undefined ? null : (until.after ?? until.until),
    })
  }
  const span = read(text)
  return span ? good({ op: 'range', from: span.from, until: span.until }) : bad
}

function readCode(word: string): Span | undefined {
  const klass = /^([1-6])xx$/i.exec(word)
  if (klass) return { from: Number(klass[1]) * 100, until: Number(klass[1]) * 100 + 100 }
  return /^[1-9]\d{2}$/.test(word) ? { from: Number(word), until: Number(word) + 1 } : undefined
}

function readCount(word: string): Span | undefined {
  return /^\d{1,15}$/.test(word) ? { from: Number(word), until: Number(word) + 1 } : undefined
}

const unitMillis: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** `30s` as a value is the whole second; `>30s` begins one millisecond later. A bare number is seconds. */
function readDuration(word: string): Span | undefined {
  const match = /^(\d{1,9})(?:\.(\d{1,3}))?(ms|s|m|min|h|d)?$/i.exec(word)
  if (!match) return undefined
  const unit = unitMillis[(match[3] ?? 's').toLowerCase()] ?? 1_000
  const from = Math.round(Number(`${match[1]}.${match[2] ?? '0'}`) * unit)
  return { from, until: match[2] === undefined ? from + unit : from + 1, after: from + 1 }
}

/** Seconds or a duration text → milliseconds. */
export function parseDuration(text: string): number | undefined {
  return readDuration(text)?.from
}

/** `now`, `-24h`, a day in UTC, a time with a zone; the seconds may be left out. */
function readMoment(word: string, nowMicros: number): Span | undefined {
  if (word === 'now') return { from: nowMicros, until: nowMicros + 1 }
  const relative = /^-(\d{1,6})(s|m|min|h|d|w)$/i.exec(word)
  if (relative) {
    const millis = Number(relative[1]) * (unitMillis[(relative[2] ?? '').toLowerCase()] ?? 0)
    const from = Math.max(0, nowMicros - millis * 1000)
    return { from, until: from + 1 }
  }
  if (/^\d{4}-\d{2}-\d{2}$/.test(word)) {
    const from = parseTime(`${word}T00:00:00Z`)
    return from === undefined ? undefined : { from, until: Math.min(from + 86_400_000_000, maxMicros) }
  }
  const whole = word.replace(/^(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2})([Zz]|[+-]\d{2}:\d{2})$/, '$1:00$2')
  const from = parseTime(whole)
  return from === undefined ? undefined : { from, until: from + 1 }
}
