import { isWaiting, legState, type CallState } from './call-state.ts'
import { isSuccess, silenceOf, statusOf, transactionTimeoutMicros, type Leg } from './leg.ts'
import { stampErrorMicros, triesOf, wasAnswered } from './leg-order.ts'
import type { Sighting } from './sightings.ts'

/**
 * Where a whole call stands: its state, its headline, its final code and its times are all told from this.
 *
 * The *tries* are the caller's leg and those that the same side opened beside it (see `triesOf`); the *front* is the try
 * that was answered, else one that still waits for its answer, else the one that was refused last. Then
 *
 * 1. while the front waits for its answer, its state is the call's: nobody talks before the caller is put through, whatever
 *    trunks have refused or agents have answered behind it;
 * 2. else the call is `in-call` while any of its legs is up: whoever transferred it may be gone;
 * 3. else, if the front was answered, a leg that a REFER asked for and that still waits gives its state to the call;
 * 4. else the call is over, and ended as its front did.
 *
 * A leg is *up* when it was answered and neither a BYE nor its silence says that it is over. Of a call of two legs neither is
 * up when the session timer of one ran out and the other has been silent since.
 */
export interface Standing {
  readonly state: CallState
  /** The leg that gives the call its state; what its outcome says is the headline, unless there is trouble to tell. */
  readonly leg: Leg
  readonly front: Leg
  /** True while it goes on. */
  readonly isRunning: boolean
  /** Legs beside the front that were tried before the answer, and failed. */
  readonly failedTries: readonly Leg[]
  /** First INVITE of the tries; what was seen first when there was none. */
  readonly invitedAtMicros: number
  /** First 18x to a try; null when none was seen. */
  readonly ringingAtMicros: number | null
  /** The final answer to the front's INVITE. */
  readonly final: Sighting | null
  /** When the front was answered; null when it was not, or when the answer was not seen. */
  readonly answeredAtMicros: number | null
  /** The last BYE; null while the call goes on, and when none was seen. */
  readonly hungUpAtMicros: number | null
  /** The last message; null while the call goes on. */
  readonly endedAtMicros: number | null
}

/** Null when none of the legs is a call. `legs`: in order of their first message. */
export function standingOf(legs: readonly Leg[], nowMicros: number): Standing | null {
  const states = new Map<Leg, CallState>()
  for (const leg of legs) {
    const state = legState(leg, nowMicros)
    if (state !== 'registration' && state !== 'other') states.set(leg, state)
  }
  const calls = states.size === legs.length ? legs : legs.filter((leg) => states.has(leg))
  const stateOf = (leg: Leg) => states.get(leg) ?? 'other'
  const tries = triesOf(calls)
  const front = frontOf(tries, stateOf)
  if (front === undefined) return null
  const { state, leg } = decide(calls, front, nowMicros, stateOf)
  const isRunning = isWaiting(state) || state === 'in-call'
  const { attempt } = front
  const final = attempt?.final ?? null
  const answered = wasAnswered(front) ? calls.filter(wasAnswered) : [front]
  return {
    state,
    leg,
    front,
    isRunning,
    failedTries: wasAnswered(front) ? tries.filter((one) => !wasAnswered(one)) : [],
    invitedAtMicros: least(tries, invitedAt) ?? front.first.message.atMicros,
    ringingAtMicros: least(tries, ringingAt),
    final,
    answeredAtMicros: isSuccess(statusOf(final)) ? (final?.message.atMicros ?? null) : null,
    hungUpAtMicros: isRunning ? null : most(answered, byeAt),
    endedAtMicros: isRunning ? null : most(answered, ({ last }) => last.message.atMicros),
  }
}

function frontOf(tries: readonly Leg[], stateOf: (leg: Leg) => CallState): Leg | undefined {
  const [first] = tries
  if (first === undefined || tries.length === 1) return first
  const answered = tries.filter(wasAnswered)
  if (answered.length > 0) return answered.reduce((a, b) => (answerAt(b) < answerAt(a) ? b : a))
  const waiting = tries.filter((leg) => isWaiting(stateOf(leg)))
  if (waiting.length > 0) return waiting.find((leg) => stateOf(leg) === 'ringing') ?? waiting[0]
  return tries.reduce((a, b) => (refusedAt(b) > refusedAt(a) ? b : a))
}

function decide(
  legs: readonly Leg[],
  front: Leg,
  nowMicros: number,
  stateOf: (leg: Leg) => CallState,
): { state: CallState; leg: Leg } {
  const own = stateOf(front)
  if (isWaiting(own) || legs.length === 1) return { state: own, leg: front }
  const up = legs.filter((leg) => stateOf(leg) === 'in-call' && !isLeftOver(leg, legs, nowMicros))
  const [firstUp = null] = up
  if (firstUp !== null) return { state: 'in-call', leg: up.includes(front) ? front : firstUp }
  const asked = wasAnswered(front) ? legs.filter((leg) => isWaiting(stateOf(leg)) && isReferred(leg, legs)) : []
  const target = asked.find((leg) => stateOf(leg) === 'ringing') ?? asked[0]
  if (target !== undefined) return { state: stateOf(target), leg: target }
  if (own !== 'in-call') return { state: own, leg: front }
  return { state: 'completed', leg: legs.find((leg) => leg !== front && wasAnswered(leg)) ?? front }
}

/** True for a leg that nothing but the other leg of the call says to be over: that one's session timer ran out, and nobody
 *  has said anything since. With a third party the call may go on without it. */
export function isLeftOver(leg: Leg, legs: readonly Leg[], nowMicros: number): boolean {
  const [other, ...more] = legs.filter((one) => one !== leg && wasAnswered(one))
  if (other === undefined || more.length > 0) return false
  const silence = silenceOf(other, nowMicros)
  if (silence === null) return false
  const dueMicros = silence.sinceMicros + (silence.intervalSeconds ?? 0) * 1_000_000
  return leg.last.message.atMicros < dueMicros + transactionTimeoutMicros
}

function isReferred({ attempt }: Leg, legs: readonly Leg[]): boolean {
  const until = (attempt?.startedAtMicros ?? 0) + stampErrorMicros
  return legs.some((leg) => leg.of('REFER').some(({ startedAtMicros }) => startedAtMicros <= until))
}

const invitedAt = ({ opening, attempt }: Leg): number | null => {
  const request = opening?.message.message
  const isInvite = request?.method === 'INVITE' && request.toTag === ''
  return (isInvite ? opening?.message.atMicros : attempt?.startedAtMicros) ?? null
}

function ringingAt({ attempt }: Leg): number | null {
  const ringing = attempt?.responses.find((one) => statusOf(one) > 100 && statusOf(one) < 200)
  return ringing?.message.atMicros ?? null
}

const answerAt = ({ attempt, first }: Leg): number => (attempt?.final ?? first).message.atMicros

const refusedAt = ({ attempt, last }: Leg): number =>
  attempt?.final?.message.atMicros ?? attempt?.endedAtMicros ?? last.message.atMicros

function byeAt({ dialogs }: Leg): number | null {
  return most(dialogs, ({ bye }) => bye?.startedAtMicros ?? null)
}

function least<T>(list: readonly T[], timeOf: (one: T) => number | null): number | null {
  let found: number | null = null
  for (const one of list) {
    const time = timeOf(one)
    if (time !== null && (found === null || time < found)) found = time
  }
  return found
}

function most<T>(list: readonly T[], timeOf: (one: T) => number | null): number | null {
  let found: number | null = null
  for (const one of list) {
    const time = timeOf(one)
    if (time !== null && (found === null || time > found)) found = time
  }
  return found
}
