/** Cron of five fields, as the API's schedules read it: in words, and its next runs. Pure; times are epoch milliseconds. */

interface CronField {
  /** Ascending; what the field allows. */
  readonly values: readonly number[]
  /** Written `*`: it restricts nothing. */
  readonly any: boolean
}

export interface Cron {
  readonly minute: CronField
  readonly hour: CronField
  readonly day: CronField
  readonly month: CronField
  /** 0 Sunday to 6 Saturday. */
  readonly weekday: CronField
}

const weekdayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const fields = [
  { name: 'minute', low: 0, high: 59, words: [] },
  { name: 'hour', low: 0, high: 23, words: [] },
  { name: 'day of month', low: 1, high: 31, words: [] },
  { name: 'month', low: 1, high: 12, words: ['', ...monthNames.map((name) => name.slice(0, 3))] },
  { name: 'day of week', low: 0, high: 7, words: weekdayNames.map((name) => name.slice(0, 3)) },
] as const

export type CronResult =
  | { readonly ok: true; readonly cron: Cron }
  | { readonly ok: false; readonly problem: string }

export function parseCron(text: string): CronResult {
  const parts = text.trim().split(/\s+/)
  if (parts.length !== 5)
    return { ok: false, problem: 'needs five fields: minute, hour, day of month, month, day of week' }
  const parsed: CronField[] = []
  for (const [index, field] of fields.entries()) {
    const part = parts[index] ?? ''
    const values = parseField(part, field)
    if (values === null) return { ok: false, problem: `${field.name}: “${part}” cannot be read` }
    parsed.push({ values, any: part === '*' || part === '?' })
  }
  const [minute, hour, day, month, weekday] = parsed
  if (!minute || !hour || !day || !month || !weekday) return { ok: false, problem: 'cannot be read' }
  const weekdays = [...new Set(weekday.values.map((value) => value % 7))].sort((a, b) => a - b)
  return { ok: true, cron: { minute, hour, day, month, weekday: { ...weekday, values: weekdays } } }
}

function parseField(
  text: string,
  field: { readonly low: number; readonly high: number; readonly words: readonly string[] },
): number[] | null {
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const match = /^(\*|\?|\w+(?:-\w+)?)(?:\/(\d{1,2}))?$/.exec(part)
    if (match === null) return null
    const [, span = '', stepText] = match
    const step = stepText === undefined ? 1 : Number(stepText)
    const [first = '', second] = span.split('-')
    const all = span === '*' || span === '?'
    const low = all ? field.low : toNumber(first, field.words)
    const high = all
      ? Math.min(field.high, field.low === 0 && field.high === 7 ? 6 : field.high)
      : second !== undefined
        ? toNumber(second, field.words)
        : stepText !== undefined
          ? field.high
          : low
    if (low === null || high === null || step < 1) return null
    if (low < field.low || high > field.high || low > high) return null
    for (let value = low; value <= high; value += step) values.add(value)
  }
  return [...values].sort((a, b) => a - b)
}

function toNumber(text: string, words: readonly string[]): number | null {
  if (/^\d{1,2}$/.test(text)) return Number(text)
  const at = words.findIndex((word) => word !== '' && word.toLowerCase() === text.toLowerCase())
  return at < 0 ? null : at
}

const two = (value: number) => String(value).padStart(2, '0')

/** `Every Monday at 06:00`. */
export function cronText({ minute, hour, day, month, weekday }: Cron): string {
  const months = month.any ? '' : ` in ${join(month.values.map((value) => monthNames[value - 1] ?? ''))}`
  const text = `${dayText(day, weekday)}${months}${timeText(minute, hour)}`
  return text.replace(/^every day, every/, 'every').replace(/^./, (first) => first.toUpperCase())
}

function dayText(day: CronField, weekday: CronField): string {
  const ofWeek = join(weekday.values.map((value) => weekdayNames[value] ?? ''))
  const ofMonth = `on day ${join(day.values.map(String))} of the month`
  if (day.any && weekday.any) return 'every day'
  if (day.any) return weekday.values.join() === '1,2,3,4,5' ? 'Monday to Friday' : `every ${ofWeek}`
  // Restricted both ways, either will do: so cron has always had it.
  return weekday.any ? ofMonth : `${ofMonth} and every ${ofWeek}`
}

function timeText(minute: CronField, hour: CronField): string {
  const step = stepOf(minute.values, 60)
  if (hour.any) {
    if (minute.values.length === 60) return ', every minute'
    if (step !== null) return `, every ${step} minutes`
    return `, every hour at minute ${join(minute.values.map(String))}`
  }
  const times = hour.values.flatMap((h) => minute.values.map((m) => `${two(h)}:${two(m)}`))
  if (times.length <= 6) return ` at ${join(times)}`
  const hours = join(hour.values.map((value) => two(value)))
  return step === null
    ? ` at minute ${join(minute.values.map(String))} of hour ${hours}`
    : `, every ${step} minutes of hour ${hours}`
}

function stepOf(values: readonly number[], size: number): number | null {
  const step = (values[1] ?? 0) - (values[0] ?? 0)
  return values[0] === 0 &&
    step > 1 &&
    values.length === Math.ceil(size / step) &&
    values.every((v, i) => v === i * step)
    ? step
    : null
}

function join(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

const dayMillis = 86_400_000
/** A 29 February that falls on a given weekday comes within 28 years, or 40 over a century that is no leap year. */
const maxDays = 366 * 41

/** The next `count` runs after `afterMillis`, in the calendar of `timeZone`. A time that a clock change skips comes an hour later. */
export function nextRuns(cron: Cron, timeZone: string, afterMillis: number, count: number): number[] {
  const offsetAt = offsetReader(timeZone)
  const runs: number[] = []
  // Days are walked as if the zone's wall clock were UTC; beginning a day early covers every offset.
  const start = Math.floor((afterMillis + offsetAt(afterMillis)) / dayMillis) * dayMillis - dayMillis
  for (let day = 0; day < maxDays && runs.length < count; day += 1) {
    const wallDay = start + day * dayMillis
    if (!matchesDay(cron, new Date(wallDay))) continue
    for (const hour of cron.hour.values)
      for (const minute of cron.minute.values) {
        const at = toInstant(wallDay + (hour * 60 + minute) * 60_000, offsetAt)
        if (at > afterMillis && runs.length < count && !runs.includes(at)) runs.push(at)
      }
  }
  return runs
}

function matchesDay(cron: Cron, date: Date): boolean {
  if (!cron.month.values.includes(date.getUTCMonth() + 1)) return false
  const day = cron.day.values.includes(date.getUTCDate())
  const weekday = cron.weekday.values.includes(date.getUTCDay())
  return cron.day.any || cron.weekday.any ? day && weekday : day || weekday
}

/** Wall clock → instant: the earlier of two when the clock is set back; when it is set forward past it, as much later. */
function toInstant(wallMillis: number, offsetAt: (atMillis: number) => number): number {
  const before = wallMillis - offsetAt(wallMillis - dayMillis)
  const after = wallMillis - offsetAt(wallMillis + dayMillis)
  return [before, after].find((guess) => guess + offsetAt(guess) === wallMillis) ?? before
}

/** Milliseconds that the zone's clock is ahead of UTC. Throws `RangeError` for a zone that does not exist. */
function offsetReader(timeZone: string): (atMillis: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (atMillis) => {
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(atMillis)) parts[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMillis / 1000) * 1000
  }
}

/** The viewer's zone. */
export const ownZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone

/** The viewer's zone first, then UTC, then all that the browser knows. */
export function zoneNames(): string[] {
  return [...new Set([ownZone(), 'UTC', ...Intl.supportedValuesOf('timeZone')])]
}

/** `Mon 23 Nov 2026, 06:00` in the zone. */
export function runText(atMillis: number, timeZone?: string): string {
  return new Intl.DateTimeFormat(undefined, {
    ...(timeZone === undefined ? {} : { timeZone }),
    weekday: 'short',
    year: 'numeric',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(atMillis)
}
