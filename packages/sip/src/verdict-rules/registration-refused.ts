import type { VerdictRule } from '../finding.ts'
import { isChallenge, statusOf } from '../leg.ts'
import { lastRegistration } from '../registration.ts'
import { addressOfRecord, answerText, givenReasons, nameOf, refusal, sideOf } from '../wording.ts'

/** Any other refusal of a REGISTER. */
export const registrationRefused: VerdictRule = {
  id: 'R10-registration-refused',
  title: 'Registration refused',
  meaning:
    'The registrar refuses the REGISTER: unknown address of record, wrong domain, bad request, or a trouble of its own.',
  kind: 'outcome',
  checks: [
    'pjsip.conf, type=aor: its name must be the user that the device registers (the To header)',
    'pjsip.conf, type=endpoint: aors names that AOR',
    'the log of the registrar at that second',
  ],
  rfc: ['RFC 3261 10.3'],
  options: [{ option: 'aors', object: 'endpoint' }],
  methods: ['REGISTER'],
  explain(leg) {
    const last = lastRegistration(leg)
    const status = statusOf(last?.final ?? null)
    if (!last || status < 300 || isChallenge(status)) return null
    const { transaction, final } = last
    const isUnknown = status === 404
    return {
      ...refusal(transaction, final),
      side: status >= 500 ? sideOf(transaction, 'server') : sideOf(transaction, 'client'),
      title: `Registration refused: ${answerText(final)}`,
      sentence:
        `${nameOf(transaction, 'server')} answered the registration of ${addressOfRecord(transaction)} by ` +
        `${nameOf(transaction, 'client')} with ${answerText(final)}${isUnknown ? ': it does not know this address of record' : ''}.${givenReasons(final)}`,
      checks: isUnknown
        ? [
            'pjsip.conf, type=aor: its name must be the user that the device registers (the To header)',
            'pjsip.conf, type=endpoint: aors names that AOR',
          ]
        : ['the log of the registrar at that second'],
    }
  },
}
