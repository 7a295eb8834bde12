import { isSuccess, isAnswerImplied, statusOf, type Leg } from './leg.ts'
import { hostKey, type Host } from './observed-message.ts'
import type { Transaction } from './transaction.ts'

/** Sources stamp apart a little; what follows on one leg may seem to come this much before its cause on another. */
export const stampErrorMicros = 1_000_000

/** True when `behind` was opened by the host that `front` called: the next leg of the same call. */
export function isBehind(behind: Transaction, front: Transaction): boolean {
  if (behind === front || behind.startedAtMicros < front.startedAtMicros - stampErrorMicros) return false
  if (front.direction === 'in' && behind.direction === 'out') return true
  if (front.direction !== 'unknown' && front.direction === behind.direction) return false
  return isSameAddress(behind.client, front.server) && hostKey(behind.client) !== hostKey(front.client)
}

function isSameAddress(a: Host, b: Host): boolean {
  return a.address !== '' && a.address === b.address
}

/** The tries to reach somebody that stand at the beginning of a call: the first leg with no other before it, which is the
 *  caller's, and those that the same side opened beside it. Where the caller's own leg was not seen (another technology,
 *  another capture), these are the trunks or phones that were called one after the other or all at once. `legs`: those that
 *  are calls, in order of their first message. */
export function triesOf(legs: readonly Leg[]): readonly Leg[] {
  if (legs.length < 2) return legs
  const fronts = legs.filter((leg, at) => !legs.some((other, place) => isBefore(other, leg, place < at)))
  const [first = legs[0]] = fronts
  return first === undefined ? [] : fronts.filter((leg) => leg === first || isBeside(leg, first))
}

/** Stamps that lie may put each of two legs behind the other: then the earlier one is the front. */
function isBefore(front: Leg, leg: Leg, isEarlier: boolean): boolean {
  if (front === leg || front.attempt === null || leg.attempt === null) return false
  return isBehind(leg.attempt, front.attempt) && (isEarlier || !isBehind(front.attempt, leg.attempt))
}

function isBeside({ attempt }: Leg, first: Leg): boolean {
  if (attempt === null || first.attempt === null) return false
  if (attempt.direction === 'out' && first.attempt.direction === 'out') return true
  const client = hostKey(attempt.client)
  return client !== '' && client === hostKey(first.attempt.client)
}

/** True when someone took the call, whether the answer itself was seen or only what follows from it. */
export function wasAnswered(leg: Leg): boolean {
  return isSuccess(statusOf(leg.attempt?.final ?? null)) || isAnswerImplied(leg)
}
