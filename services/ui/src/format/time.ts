import { parseTime } from '@sip-capture/contract/time.ts'

/** Times in the viewer's zone, which is always written beside them. Epoch microseconds in, text out. */

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const dayMonth = new Intl.DateTimeFormat(undefined, { month: 'short', day: '2-digit' })
const fullDateFormat = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: '2-digit' })
/** Asked for once: making a formatter takes milliseconds. */
const { timeZone: zoneName } = clockFormat.resolvedOptions()
const zoneFormat = new Intl.DateTimeFormat(undefined, { timeZoneName: 'longOffset', hour: '2-digit' })

const clock = oncePerSecond((millis) => clockFormat.format(millis))
const fullDate = oncePerSecond((millis) => fullDateFormat.format(millis))
const zoneOffset = oncePerSecond((millis) =>
  zoneFormat
    .formatToParts(millis)
    .find((part) => part.type === 'timeZoneName')
    ?.value.replace('GMT', 'UTC'),
)

/** Most rows of a table are of the second of the row before: to format a time costs as much as to draw its row. */
function oncePerSecond<T>(format: (millis: number) => T): (atMicros: number) => T {
  let last: { second: number; text: T } | undefined
  return (atMicros) => {
    const second = Math.floor(atMicros / 1_000_000)
    if (last?.second !== second) last = { second, text: format(second * 1000) }
    return last.text
  }
}

/** RFC 3339 → epoch microseconds; 0 when it is not a time. */
export function toMicros(at: string): number {
  return parseTime(at) ?? 0
}

function fraction(atMicros: number, digits: 3 | 6): string {
  const micros = Math.floor(atMicros) % 1_000_000
  return digits === 6 ? String(micros).padStart(6, '0') : String(Math.floor(micros / 1000)).padStart(3, '0')
}

/** `14:03:07.123`. */
export function clockTime(atMicros: number, digits: 3 | 6 = 3): string {
  return `${clock(atMicros)}.${fraction(atMicros, digits)}`
}

/** `14:03:07.123`, with the day before it when that is not today. */
export function rowTime(atMicros: number, nowMillis: number): string {
  const then = new Date(atMicros / 1000)
  const now = new Date(nowMillis)
  const today =
    then.getDate() === now.getDate() &&
    then.getMonth() === now.getMonth() &&
    then.getFullYear() === now.getFullYear()
  return today ? clockTime(atMicros) : `${dayMonth.format(then)} ${clockTime(atMicros)}`
}

/** `23 Nov 2026, 14:03:07.123456`. */
export function fullTime(atMicros: number): string {
  return `${fullDate(atMicros)}, ${clockTime(atMicros, 6)}`
}

/** `Europe/Vienna, UTC+01:00`: the viewer's zone and its offset at that time. */
export function zoneText(atMicros: number = Date.now() * 1000): string {
  const offset = zoneOffset(atMicros)
  // UTC needs no offset to it.
  return offset === undefined || zoneName === 'UTC' || offset === zoneName
    ? zoneName
    : `${zoneName}, ${offset}`
}

/** `+1.234 s`, `+12.3 ms`, `+2 min 05 s`: time since the first message of a call. */
export function offsetText(offsetMicros: number): string {
  const sign = offsetMicros < 0 ? '−' : '+'
  const micros = Math.abs(offsetMicros)
  if (micros < 1000) return `${sign}${micros} µs`
  if (micros < 1_000_000) return `${sign}${(micros / 1000).toFixed(1)} ms`
  if (micros < 60_000_000) return `${sign}${(micros / 1_000_000).toFixed(3)} s`
  const seconds = Math.floor(micros / 1_000_000)
  const minutes = Math.floor(seconds / 60)
  const rest = String(seconds % 60).padStart(2, '0')
  return minutes < 60
    ? `${sign}${minutes} min ${rest} s`
    : `${sign}${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

/** `3 s ago`, `2 min ago`. */
export function agoText(atMicros: number, nowMicros: number): string {
  const seconds = Math.max(0, Math.round((nowMicros - atMicros) / 1_000_000))
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

const two = (value: number) => String(value).padStart(2, '0')

/** Epoch microseconds → the value of a `datetime-local` field, in the viewer's zone. */
export function toLocalField(atMicros: number): string {
  const at = new Date(atMicros / 1000)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** The value of a `datetime-local` field, in the viewer's zone → epoch microseconds, or `null`. */
export function fromLocalField(value: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?$/.test(value)) return null
  const millis = new Date(value).getTime()
  return Number.isNaN(millis) || millis < 0 ? null : millis * 1000
}

/** `23 Nov 2026, 14:03:07 to 14:05:10`, from RFC 3339 times; the day is said again only when it is another. */
export function rangeText(from: string, to: string): string {
  const [first, last] = [secondTime(from), secondTime(to)]
  const day = fullDate(toMicros(to))
  return first.startsWith(day) ? `${first} to ${last.slice(day.length + 2)}` : `${first} to ${last}`
}

/** `23 Nov 2026, 14:03:07`, from an RFC 3339 time. */
export function secondTime(at: string): string {
  return fullTime(toMicros(at)).slice(0, -7)
}
