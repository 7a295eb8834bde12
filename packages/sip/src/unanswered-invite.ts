import type { VerdictContext } from './finding.ts'
import { isAnswerImplied, isUnanswered, type Leg } from './leg.ts'
import { onFirstHop, type Transaction } from './transaction.ts'

/** The INVITE that nobody answered, and whether the time for an answer is over; null when there is an answer, when later
 *  messages prove that there was one, or when it is too early to say. */
export function unansweredInvite(
  leg: Leg,
  context: VerdictContext,
): { attempt: Transaction; isFinal: boolean } | null {
  const { attempt } = leg
  if (!attempt || attempt.request === null || attempt.responses.length > 0 || isAnswerImplied(leg))
    return null
  const isFinal = isUnanswered(leg, attempt, context.nowMicros)
  // RFC 3261 17.1.1.2: sent again after 0.5, 1.5, 3.5 s; three sendings are more than one lost packet.
  return isFinal || onFirstHop(attempt.requests).length >= 3 ? { attempt, isFinal } : null
}
