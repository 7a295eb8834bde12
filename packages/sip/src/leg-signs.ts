/** What has been seen on a leg, so that rules about something else need not be asked. Once seen it stays. */
export const legSigns = [
  /** A dialog that is more than early. */
  'answered',
  /** More than one dialog. */
  'fork',
  'bye',
  'cancel',
  /** A 401 or 407. */
  'challenge',
  /** Any other answer from 300 on. */
  'refusal',
  /** A 183. */
  'progress',
  /** A request that was sent again. */
  'repetition',
  /** A re-INVITE or UPDATE. */
  'session-change',
] as const

export type LegSign = (typeof legSigns)[number]

/** A bit for each. */
export function signBits(signs: readonly LegSign[]): number {
  return signs.reduce((bits, sign) => bits | (1 << legSigns.indexOf(sign)), 0)
}
