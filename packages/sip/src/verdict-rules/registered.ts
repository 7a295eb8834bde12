import { grantedExpires } from '../dialog.ts'
import type { VerdictRule } from '../finding.ts'
import { isSuccess, statusOf } from '../leg.ts'
import { isRemoval, lapsedAtMicros, lastRegistration } from '../registration.ts'
import { addressOfRecord, answerDelay, evidenceOf, nameOf } from '../wording.ts'

/** The last REGISTER was accepted, challenged before or not. */
export const registered: VerdictRule = {
  id: 'R01-registered',
  title: 'Registered',
  meaning: 'The registrar accepted the registration. A 401 before it is how a login begins, and no fault.',
  kind: 'outcome',
  checks: [],
  rfc: ['RFC 3261 10.2'],
  methods: ['REGISTER'],
  explain(leg, context) {
    const last = lastRegistration(leg)
    if (!last || !isSuccess(statusOf(last.final)) || lapsedAtMicros(leg, context.nowMicros) !== null)
      return null
    const { transaction, final } = last
    const expires = grantedExpires(final.message.message)
    const aor = addressOfRecord(transaction)
    const server = nameOf(transaction, 'server')
    const lifetime = expires === null ? '' : ` for ${expires} s`
    return {
      severity: 'ok',
      side: 'none',
      confidence: 'high',
      title: isRemoval(last) ? 'Unregistered' : 'Registered',
      sentence: isRemoval(last)
        ? `${aor} removed its registration at ${server}.`
        : `${aor} is registered at ${server}${lifetime}, answered in ${answerDelay(transaction, final)}.`,
      evidence: evidenceOf(transaction.request, final),
      atMicros: final.message.atMicros,
    }
  },
}
