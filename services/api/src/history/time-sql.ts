import { slotSql } from './schema.ts'

/** The partition of `messages` that a moment is in: `20261122`. */
export function toDay(atMicros: number): number {
  return Number(new Date(Math.floor(atMicros / 1_000)).toISOString().slice(0, 10).replaceAll('-', ''))
}

/** Moments in statements: `micros` is what stands for epoch microseconds there, such as `{since:Int64}`. */

export const moment = (micros: string): string => `fromUnixTimestamp64Micro(${micros}, 'UTC')`

/** The bound parameter of that name as a moment. */
export const micros = (name: string): string => moment(`{${name}:Int64}`)

// Conditions on the time of `messages`. What they ask of `slot` follows from what they ask of `at`, but it is what the
// primary key can use.

export const atOrAfter = (micros: string): string =>
  `(slot >= ${slotSql(micros)} AND messages.at >= ${moment(micros)})`

export const atOrBefore = (micros: string): string =>
  `(slot <= ${slotSql(micros)} AND messages.at <= ${moment(micros)})`

export const before = (micros: string): string =>
  `(slot <= ${slotSql(micros)} AND messages.at < ${moment(micros)})`
