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

/** A leg and its own state. */
interface StandingLeg {
  readonly leg: Leg
  readonly state: CallState
}

/** Null when none of the legs is a call. `legs`: in order of their first message. */
export function standingOf(legs: readonly Leg[], nowMicros: number): Standing | null {
  const calls: StandingLeg[] = []
  for (const leg of legs) {
    const state = legState(leg, nowMicros)
    if (state !== 'registration' && state !== 'other') calls.push({ leg, state })
  }
  const [only] = calls
  if (only === undefined) return null
  if (calls.length === 1) return describe(only, only.leg, [only.leg], calls)
  const tries = triesOf(calls.map(({ leg }) => leg))
  const front = frontOf(calls.filter(({ leg }) => tries.includes(leg))) ?? only
  return describe(decide(calls, front, nowMicros), front.leg, tries, calls)
}

function describe(
  { leg, state }: StandingLeg,
  front: Leg,
  tries: readonly Leg[],
  calls: readonly StandingLeg[],
): Standing {
  const isRunning = isWaiting(state) || state === 'in-call'
  const final = front.attempt?.final ?? null
  const isAnswered = wasAnswered(front)
  const isAlone = calls.length === 1
  let hungUpAtMicros: number | null = null
  let endedAtMicros: number | null = null
  if (!isRunning)
    for (const { leg: one } of calls) {
      if (one !== front && !(isAnswered && wasAnswered(one))) continue
      hungUpAtMicros = later(hungUpAtMicros, byeAt(one))
      endedAtMicros = later(endedAtMicros, one.last.message.atMicros)
    }
  return {
    state,
    leg,
    front,
    isRunning,
    failedTries: isAlone || !isAnswered ? none : tries.filter((one) => !wasAnswered(one)),
    invitedAtMicros: (isAlone ? invitedAt(front) : least(tries, invitedAt)) ?? front.first.message.atMicros,
    ringingAtMicros: isAlone ? ringingAt(front) : least(tries, ringingAt),
    final,
    answeredAtMicros: isSuccess(statusOf(final)) ? (final?.message.atMicros ?? null) : null,
    hungUpAtMicros,
    endedAtMicros,
  }
}

const none: readonly Leg[] = []

function frontOf(tries: readonly StandingLeg[]): StandingLeg | undefined {
  const answered = tries.filter(({ leg }) => wasAnswered(leg))
  const [first] = answered
  if (first !== undefined)
    return answered.reduce((a, b) => (answerAt(b.leg) < answerAt(a.leg) ? b : a), first)
  const waiting = firstWaiting(tries)
  if (waiting !== undefined) return waiting
  return tries.reduce<StandingLeg | undefined>(
    (a, b) => (a === undefined || refusedAt(b.leg) > refusedAt(a.leg) ? b : a),
    undefined,
  )
}

function firstWaiting(legs: readonly StandingLeg[]): StandingLeg | undefined {
  return legs.find(({ state }) => state === 'ringing') ?? legs.find(({ state }) => isWaiting(state))
}

function decide(calls: readonly StandingLeg[], front: StandingLeg, nowMicros: number): StandingLeg {
  if (isWaiting(front.state)) return front
  const legs = calls.map(({ leg }) => leg)
  const up = calls.filter(({ leg, state }) => state === 'in-call' && !isLeftOver(leg, legs, nowMicros))
  if (up.includes(front)) return front
  const [firstUp] = up
  if (firstUp !== undefined) return firstUp
  const target = wasAnswered(front.leg)
    ? firstWaiting(calls.filter(({ leg }) => isReferred(leg, legs)))
    : undefined
  if (target !== undefined) return target
  if (front.state !== 'in-call') return front
  // Over for what the other leg says.
  return { leg: legs.find((leg) => leg !== front.leg && wasAnswered(leg)) ?? front.leg, state: 'completed' }
}

/** True for a leg that nothing but the other leg of the call says to be over: that one's session timer ran out, and nobody
 *  has said anything since. With a third party the call may go on without it. */
export function isLeftOver(leg: Leg, legs: readonly Leg[], nowMicros: number): boolean {
  if (legs.length < 2) return false
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

function invitedAt({ opening, attempt }: Leg): number | null {
  const request = opening?.message.message
  const isInvite = request?.method === 'INVITE' && request.toTag === ''
  return (isInvite ? opening?.message.atMicros : attempt?.startedAtMicros) ?? null
}

function ringingAt({ attempt }: Leg): number | null {
  for (const response of attempt?.responses ?? []) {
    const status = statusOf(response)
    if (status > 100 && status < 200) return response.message.atMicros
  }
  return null
}

function answerAt({ attempt, first }: Leg): number {
  return (attempt?.final ?? first).message.atMicros
}

function refusedAt({ attempt, last }: Leg): number {
  return attempt?.final?.message.atMicros ?? attempt?.endedAtMicros ?? last.message.atMicros
}

function byeAt({ dialogs }: Leg): number | null {
  let found: number | null = null
  for (const { bye } of dialogs) found = later(found, bye?.startedAtMicros ?? null)
  return found
}

function later(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return Math.max(a, b)
}

function least(legs: readonly Leg[], timeOf: (leg: Leg) => number | null): number | null {
  let found: number | null = null
  for (const leg of legs) {
    const time = timeOf(leg)
    if (time !== null && (found === null || time < found)) found = time
  }
  return found
}
