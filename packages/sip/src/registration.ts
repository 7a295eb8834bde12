import { grantedExpires } from './dialog.ts'
import { isSuccess, statusOf, transactionTimeoutMicros, type Leg } from './leg.ts'
import type { Sighting } from './sightings.ts'
import type { Transaction } from './transaction.ts'

export interface AnsweredRegister {
  readonly transaction: Transaction
  readonly final: Sighting
}

/** The last REGISTER that has a final answer, with it; null when there is none. What came before it is past. */
export function lastRegistration(leg: Leg): AnsweredRegister | null {
  const transaction = leg.of('REGISTER').findLast((one) => one.final !== null)
  return transaction?.final ? { transaction, final: transaction.final } : null
}

/** The REGISTERs that were accepted, in order. */
export function acceptedRegistrations(leg: Leg): readonly AnsweredRegister[] {
  return leg
    .of('REGISTER')
    .flatMap((transaction) =>
      transaction.final !== null && isSuccess(statusOf(transaction.final))
        ? { transaction, final: transaction.final }
        : [],
    )
}

/** True when it takes the binding away: `Contact: *`, or a lifetime of 0 (RFC 3261 10.2.2). */
export function isRemoval({ transaction, final }: AnsweredRegister): boolean {
  const request = transaction.request?.message.message
  if (request?.header('contact') === '*') return true
  return (
    (request !== undefined && grantedExpires(request) === 0) || grantedExpires(final.message.message) === 0
  )
}

/** When the last binding ran out without a new REGISTER, epoch microseconds; null while it holds, when its lifetime is not
 *  known, and for an imported file, after whose end nobody watched. */
export function lapsedAtMicros(leg: Leg, nowMicros: number): number | null {
  const last = lastRegistration(leg)
  if (leg.isImported || last === null || !isSuccess(statusOf(last.final)) || isRemoval(last)) return null
  const expires = grantedExpires(last.final.message.message)
  if (expires === null) return null
  const lapsedAt = last.final.message.atMicros + expires * 1_000_000
  const isTried = leg
    .of('REGISTER')
    .some(({ startedAtMicros }) => startedAtMicros > last.final.message.atMicros)
  return !isTried && nowMicros > lapsedAt + transactionTimeoutMicros ? lapsedAt : null
}
