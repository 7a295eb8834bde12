import {
  challengePatienceMicros,
  isAnswerImplied,
  isChallenge,
  isUnacknowledged,
  silenceOf,
  statusOf,
  transactionTimeoutMicros,
  type Leg,
} from './leg.ts'
import type { Transaction } from './transaction.ts'

/** The words of the REST contract. `diverted`: the caller was sent elsewhere by a 3xx. */
export type CallState =
  | 'registration'
  | 'other'
  | 'setting-up'
  | 'ringing'
  | 'in-call'
  | 'completed'
  | 'cancelled'
  | 'busy'
  | 'rejected'
  | 'failed'
  | 'diverted'

/** True while the answer to an INVITE is still to come. */
export function isWaiting(state: CallState): boolean {
  return state === 'setting-up' || state === 'ringing'
}

/** Where one leg stands at `nowMicros`, decided on its transactions; where the whole call stands: `standingOf`. */
export function legState(leg: Leg, nowMicros: number): CallState {
  const { attempt } = leg
  if (attempt === null) {
    if (isAnswerImplied(leg)) return dialogState(leg, nowMicros)
    return leg.of('REGISTER').length > 0 ? 'registration' : 'other'
  }
  const status = statusOf(attempt.final)
  if (attempt.final === null)
    return isAnswerImplied(leg) ? dialogState(leg, nowMicros) : pendingState(leg, nowMicros)
  if (status < 300) return isUnacknowledged(attempt, nowMicros) ? 'failed' : dialogState(leg, nowMicros)
  if (isChallenge(status))
    return nowMicros - attempt.final.message.atMicros < challengePatienceMicros ? 'setting-up' : 'rejected'
  if (status === 487) return 'cancelled'
  if (status === 486 || status === 600) return 'busy'
  if (status < 400) return 'diverted'
  return status === 408 || (status >= 500 && status < 600) ? 'failed' : 'rejected'
}

function dialogState(leg: Leg, nowMicros: number): CallState {
  const isOver = leg.dialogs.some(({ bye }) => bye !== null) || silenceOf(leg, nowMicros) !== null
  return isOver ? 'completed' : 'in-call'
}

function pendingState(leg: Leg, nowMicros: number): CallState {
  const { attempt } = leg
  if (attempt === null) return 'other'
  if (silenceOf(leg, nowMicros) !== null) return 'failed'
  if (attempt.cancel !== null && isOverdue(attempt.cancel, nowMicros)) return 'cancelled'
  if (attempt.responses.some((response) => statusOf(response) > 100)) return 'ringing'
  if (attempt.responses.length > 0) return 'setting-up'
  return isOverdue(attempt, nowMicros) ? 'failed' : 'setting-up'
}

function isOverdue({ startedAtMicros }: Transaction, nowMicros: number): boolean {
  return nowMicros - startedAtMicros >= transactionTimeoutMicros
}
