import { isAnswerImplied, statusOf, transactionTimeoutMicros, type Leg } from './leg.ts'
import type { Sighting } from './sightings.ts'
import type { Transaction } from './transaction.ts'

/** A message that RFC 3261 makes one expect and that nobody saw. */
export interface MissingMessage {
  /** What it would have answered; it would have gone the other way. */
  readonly answers: Sighting
  /** The last message that was seen of the exchange: it would have come after it. */
  readonly after: Sighting
  /** `no ACK`, `no answer to BYE`, `no 487 after CANCEL`, `no answer in 32 s`. */
  readonly label: string
  /** False: it may have been sent all the same. */
  readonly isCertain: boolean
  /** Why it is expected and surely missing, or why that cannot be told. One sentence. */
  readonly reason: string
  readonly rfc: string
}

/** What the capture would have seen, epoch microseconds. */
export interface Watch {
  /** What may still come after this is not missing. */
  readonly seenUntilMicros: number
  /** Times in which messages may have passed unseen. */
  readonly blind: readonly { readonly fromMicros: number; readonly toMicros: number }[]
}

export function findMissing(legs: readonly Leg[], { seenUntilMicros, blind }: Watch): MissingMessage[] {
  const found: MissingMessage[] = []
  for (const leg of legs)
    for (const transaction of leg.transactions) {
      const missing =
        missingAnswer(leg, transaction, seenUntilMicros) ??
        missingFinal(transaction, seenUntilMicros) ??
        missingAck(leg, transaction, seenUntilMicros)
      if (missing !== null) found.push(withGaps(missing, blind))
    }
  return found
}

function withGaps(missing: MissingMessage, blind: Watch['blind']): MissingMessage {
  const from = missing.answers.message.atMicros
  const to = missing.after.message.atMicros + transactionTimeoutMicros
  if (!missing.isCertain || !blind.some((gap) => gap.fromMicros <= to && gap.toMicros >= from)) return missing
  return {
    ...missing,
    isCertain: false,
    reason: `${missing.reason} But the capture had a gap at that time, so it may have passed unseen.`,
  }
}

function isOver(since: Sighting, seenUntilMicros: number): boolean {
  return seenUntilMicros - since.message.atMicros >= transactionTimeoutMicros
}

/** Over UDP an answer that does not come makes the sender repeat (RFC 3261 17.1.1.2, 17.1.2.2); reliable transports
 *  leave no such trace, and there silence counts. */
function isProven(first: Sighting, sendings: number): boolean {
  return first.message.transport.toUpperCase() !== 'UDP' || sendings > 1
}

function missingAnswer(leg: Leg, transaction: Transaction, seenUntilMicros: number): MissingMessage | null {
  const { request, requests, responses, acks, method } = transaction
  if (request === null || responses.length > 0 || acks.length > 0 || !isOver(request, seenUntilMicros))
    return null
  if (method === 'INVITE' && transaction.isInitial && isAnswerImplied(leg)) return null
  const isInvite = method === 'INVITE'
  const isCertain = isProven(request, requests.length)
  const sent = requests.length === 1 ? 'was sent once' : `was sent ${requests.length} times`
  return {
    answers: request,
    after: requests.at(-1) ?? request,
    label: isInvite ? 'no answer in 32 s' : `no answer to ${method}`,
    isCertain,
    reason: isCertain
      ? `The ${method} ${sent} and got no answer in 32 s, the time after which its sender gives up.`
      : `No answer to this ${method} was captured, but it was not sent again either, so it was probably answered where this capture does not look.`,
    rfc: isInvite ? 'RFC 3261 17.1.1.2 (Timer B)' : 'RFC 3261 17.1.2.2 (Timer F)',
  }
}

function missingFinal(
  { final, cancel, request }: Transaction,
  seenUntilMicros: number,
): MissingMessage | null {
  if (final !== null || request === null || cancel === null) return null
  const accepted = cancel.final
  // An unanswered CANCEL is told by itself; a 481 to it says that there is nothing to end.
  if (accepted === null || statusOf(accepted) >= 300 || !isOver(accepted, seenUntilMicros)) return null
  return {
    answers: request,
    after: accepted,
    label: 'no 487 after CANCEL',
    isCertain: true,
    reason:
      'The CANCEL was accepted, and the INVITE that it cancels must then be answered with 487; none came in 32 s.',
    rfc: 'RFC 3261 9.2',
  }
}

function missingAck(leg: Leg, transaction: Transaction, seenUntilMicros: number): MissingMessage | null {
  const { final, acks, method, request, responses } = transaction
  if (method !== 'INVITE' || final === null || acks.length > 0) return null
  const status = statusOf(final)
  const { toTag } = final.message.message
  const repeats = responses.filter((one) => statusOf(one) === status && one.message.message.toTag === toTag)
  const isEnded = leg.dialogs.some(({ bye }) => bye !== null && bye.startedAtMicros > final.message.atMicros)
  if (!isOver(final, seenUntilMicros) && !isEnded) return null
  // A 2xx is repeated over any transport until its ACK comes (13.3.1.4), a refusal over UDP only (17.2.1).
  const isSuccess = status < 300
  const isCertain = isSuccess ? repeats.length > 1 : isProven(final, repeats.length) && request !== null
  return {
    answers: final,
    after: repeats.at(-1) ?? final,
    label: 'no ACK',
    isCertain,
    reason: isCertain
      ? `The ${status} was sent ${repeats.length === 1 ? 'once' : `${repeats.length} times`}, and no ACK came for it.`
      : `No ACK to this ${status} was captured, but the ${status} was not sent again either, so its ACK probably went where this capture does not look.`,
    rfc: isSuccess ? 'RFC 3261 13.3.1.4' : 'RFC 3261 17.2.1 (Timer H)',
  }
}
