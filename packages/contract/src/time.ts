/** Times are epoch microseconds (a safe integer until the year 2255) inside, RFC 3339 with six decimals at the borders. */

const microsPerMilli = 1000

const microsPerSecond = 1_000_000
let lastSecond = -1
let lastText = ''

/** Epoch microseconds → `2026-11-23T05:41:50.123456Z`. */
export function toRfc3339(atMicros: number): string {
  const second = Math.floor(atMicros / microsPerSecond)
  // Messages come many in a second, and the calendar costs more than all else of a row.
  if (second !== lastSecond) {
    lastText = new Date(second * 1000).toISOString().slice(0, -'000Z'.length)
    lastSecond = second
  }
  return `${lastText}${String(atMicros - second * microsPerSecond).padStart(6, '0')}Z`
}

const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/

/** RFC 3339 with a zone, or epoch microseconds as digits → epoch microseconds; `undefined` if it is neither. */
export function parseTime(text: string): number | undefined {
  if (/^\d{1,16}$/.test(text)) {
    const micros = Number(text)
    return micros <= maxMicros ? micros : undefined
  }
  const match = rfc3339.exec(text)
  if (!match) return undefined
  const [, date, clock, fraction = '', zone] = match
  const millis = Date.parse(`${date}T${clock}${zone?.toUpperCase()}`)
  if (Number.isNaN(millis)) return undefined
  const micros = millis * microsPerMilli + Number(fraction.slice(0, 6).padEnd(6, '0'))
  return micros >= 0 && micros <= maxMicros ? micros : undefined
}

/** 2200-01-01: later than any capture, early enough for every store's time type. */
export const maxMicros = 7_258_118_400_000_000

export function nowMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * microsPerMilli)
}
