import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { lastRegistration } from '../registration.ts'
import { addressOfRecord, answerText, duration, evidenceOf, isUs, nameOf } from '../wording.ts'

/** The usual retry_interval is a minute; ten of them without a try is no pause any more. */
const patienceMicros = 600_000_000

/** Our own registration was refused, and Asterisk does not try again. */
export const registrationStopped: VerdictRule = {
  id: 'R07-registration-stopped',
  title: 'Asterisk stopped registering',
  meaning:
    'After a refusal Asterisk gives its outbound registration up for good, unless it is told to retry: the trunk stays down until someone acts.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=registration: auth_rejection_permanent (yes by default), fatal_retry_interval, forbidden_retry_interval, max_retries',
    'AMI event Registry with status Rejected; "pjsip show registrations"',
    'after the cause is gone: "pjsip send register <registration>"',
  ],
  rfc: ['RFC 3261 10.2'],
  options: [
    { option: 'auth_rejection_permanent', object: 'registration' },
    { option: 'fatal_retry_interval', object: 'registration' },
    { option: 'forbidden_retry_interval', object: 'registration' },
    { option: 'max_retries', object: 'registration' },
  ],
  methods: ['REGISTER'],
  explain(leg, context) {
    const last = lastRegistration(leg)
    if (!last || statusOf(last.final) < 300 || leg.isImported || !isUs(last.transaction, 'client'))
      return null
    const tried = leg.of('REGISTER').at(-1)
    const silentMicros = context.nowMicros - (tried?.endedAtMicros ?? context.nowMicros)
    if (silentMicros < patienceMicros) return null
    const { transaction, final } = last
    return {
      severity: 'warning',
      side: 'us',
      confidence: 'medium',
      sentence:
        `Since ${nameOf(transaction, 'server')} refused the registration of ${addressOfRecord(transaction)} with ` +
        `${answerText(final)}, Asterisk has not tried again for ${duration(silentMicros)}.`,
      evidence: evidenceOf(transaction.request, final),
      atMicros: final.message.atMicros,
      absentSinceMicros: final.message.atMicros,
    }
  },
}
