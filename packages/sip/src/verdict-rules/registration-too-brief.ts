import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { toPrintable } from '../printable.ts'
import { lastRegistration } from '../registration.ts'
import { addressOfRecord, answerText, nameOf, refusal, sideOf } from '../wording.ts'

/** 423 to REGISTER. */
export const registrationTooBrief: VerdictRule = {
  id: 'R09-registration-too-brief',
  title: 'Registration refused: expiry too short',
  meaning:
    'The registrar wants a longer registration than the client asks for. A good client comes back with the longer one at once.',
  kind: 'outcome',
  checks: [
    'pjsip.conf, type=registration: expiration; type=aor: minimum_expiration',
    'the expiry set in the device',
  ],
  rfc: ['RFC 3261 21.4.17', 'RFC 3261 10.3'],
  options: [
    { option: 'expiration', object: 'registration' },
    { option: 'minimum_expiration', object: 'aor' },
  ],
  methods: ['REGISTER'],
  explain(leg) {
    const last = lastRegistration(leg)
    if (!last || statusOf(last.final) !== 423) return null
    const { transaction, final } = last
    const minimum = toPrintable(final.message.message.header('min-expires') ?? '', 20)
    return {
      ...refusal(transaction, final),
      severity: 'warning',
      side: sideOf(transaction, 'client'),
      sentence:
        `${nameOf(transaction, 'server')} answered the registration of ${addressOfRecord(transaction)} by ` +
        `${nameOf(transaction, 'client')} with ${answerText(final)}: it wants at least ` +
        `${minimum === '' ? 'a longer expiry' : `${minimum} s`}, and the client did not come back with that.`,
    }
  },
}
