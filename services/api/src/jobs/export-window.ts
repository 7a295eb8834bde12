import { defaultRepeatStrategy } from 'bullmq'

export interface TimeWindow {
  /** Epoch milliseconds, inclusive. */
  readonly since: number
  /** Exclusive. */
  readonly until: number
}

const unitMillis: Readonly<Record<string, number>> = { min: 60_000, h: 3_600_000, d: 86_400_000 }

/** The window of a run that was due at `dueMillis`, whenever it is made. `window` has passed the contract's schema. */
export function resolveWindow(window: string, timeZone: string, dueMillis: number): TimeWindow {
  const match = /^last (\d+) (min|h|d)$/.exec(window)
  if (match)
    return { since: dueMillis - Number(match[1]) * (unitMillis[match[2] ?? ''] ?? 0), until: dueMillis }
  const today = toLocalDay(dueMillis, timeZone)
  return { since: startOfDay(today - 86_400_000, timeZone), until: startOfDay(today, timeZone) }
}

/** The calendar day in the zone, as the epoch milliseconds of its midnight in UTC. */
export function toLocalDay(atMillis: number, timeZone: string): number {
  const clock = toLocalClock(atMillis, timeZone)
  return clock - (((clock % 86_400_000) + 86_400_000) % 86_400_000)
}

/** What the clock on the wall shows, as if it were UTC. */
function toLocalClock(atMillis: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(atMillis)
  const part = (type: string) => Number(parts.find((candidate) => candidate.type === type)?.value)
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
}

/** The first instant of a calendar day: midnight, or where the clocks skip midnight the moment after the gap. */
function startOfDay(day: number, timeZone: string): number {
  const quarter = 900_000
  // No zone is further than 14 h from UTC, and offsets are whole quarters of an hour since long.
  for (let at = day - 15 * 3_600_000; at <= day + 15 * 3_600_000; at += quarter)
    if (toLocalClock(at, timeZone) >= day) return at
  return day
}

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** When the queue will run it next after `afterMillis`; undefined for what is no cron or never comes. */
export function nextRun(cron: string, timeZone: string, afterMillis: number): number | undefined {
  try {
    return defaultRepeatStrategy(afterMillis, { pattern: cron, tz: timeZone })
  } catch {
    return undefined
  }
}
