import { credentialsOf } from '../challenge.ts'
import { currentValueOf } from '../current-options.ts'
import type { PjsipOption, VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { lastRegistration } from '../registration.ts'
import { addressOfRecord, answerText, isUs, nameOf, refusal } from '../wording.ts'

const maxContacts: PjsipOption = { option: 'max_contacts', object: 'aor' }
const removeExisting: PjsipOption = { option: 'remove_existing', object: 'aor' }

/** Asterisk answers 403 to a REGISTER that logged in well when its AOR has no room for a further contact. */
export const tooManyContacts: VerdictRule = {
  id: 'R11-too-many-contacts',
  title: 'Registration refused: too many contacts',
  meaning:
    'The login was right, and Asterisk still answers 403: its AOR takes no further contact. An old binding is in the way, or none is allowed.',
  kind: 'outcome',
  checks: [
    '"pjsip show contacts": which contacts has this AOR, and are they still there?',
    'pjsip.conf, type=aor: max_contacts, and remove_existing=yes so that a new contact takes the place of the oldest',
    'pjsip.conf, type=aor: remove_unavailable=yes, if only contacts that do not answer should go',
  ],
  rfc: ['RFC 3261 10.3', 'RFC 3261 21.4.4'],
  options: [maxContacts, removeExisting, { option: 'remove_unavailable', object: 'aor' }],
  methods: ['REGISTER'],
  explain(leg, context) {
    const last = lastRegistration(leg)
    if (!last || statusOf(last.final) !== 403 || !isUs(last.transaction, 'server')) return null
    const { transaction, final } = last
    // Access lists refuse before anyone is asked to log in.
    const request = transaction.request?.message.message
    if (request === undefined || credentialsOf(request).length === 0) return null
    const most = currentValueOf(leg, maxContacts, context)
    const isReplacing = currentValueOf(leg, removeExisting, context) === 'yes'
    if (isReplacing && most !== '0') return null
    return {
      ...refusal(transaction, final),
      side: 'us',
      confidence: most === undefined ? 'medium' : 'high',
      sentence:
        `Asterisk answered the registration of ${addressOfRecord(transaction)} by ${nameOf(transaction, 'client')} with ` +
        `${answerText(final)} although it had logged in: ` +
        (most === '0'
          ? 'its AOR allows no contacts (max_contacts is 0).'
          : `its AOR most likely has all the contacts it may have${most === undefined ? '' : ` (max_contacts is ${most})`}.`),
    }
  },
}
