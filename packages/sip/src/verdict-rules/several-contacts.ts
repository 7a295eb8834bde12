import type { VerdictRule } from '../finding.ts'
import { isSuccess, statusOf } from '../leg.ts'
import { nameAddressUri } from '../name-address.ts'
import { splitList } from '../parameters.ts'
import { toPrintable } from '../printable.ts'
import { lastRegistration } from '../registration.ts'
import { addressOfRecord, evidenceOf, nameOf, sideOf } from '../wording.ts'

/** The 200 to a REGISTER lists more than one contact. */
export const severalContacts: VerdictRule = {
  id: 'R13-several-contacts',
  title: 'Several contacts for one address',
  meaning:
    'Calls ring at every contact of the address. Right for several devices; an old one that nobody has any more makes calls slow or lost.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=aor: max_contacts=1 with remove_existing=yes, if there should be one device only',
    '"pjsip show contacts": which of them are reachable?',
  ],
  rfc: ['RFC 3261 10.3'],
  options: [
    { option: 'max_contacts', object: 'aor' },
    { option: 'remove_existing', object: 'aor' },
  ],
  methods: ['REGISTER'],
  explain(leg) {
    const last = lastRegistration(leg)
    if (!last || !isSuccess(statusOf(last.final))) return null
    const { transaction, final } = last
    const contacts = final.message.message.headerValues('contact').flatMap((value) => splitList(value, 16))
    const uris = [...new Set(contacts.map((one) => toPrintable(nameAddressUri(one), 60)))]
    if (uris.length < 2) return null
    return {
      severity: 'info',
      side: sideOf(transaction, 'server'),
      confidence: 'medium',
      sentence: `${addressOfRecord(transaction)} has ${uris.length} contacts at ${nameOf(transaction, 'server')}: ${uris.slice(0, 4).join(', ')}${uris.length > 4 ? ', …' : ''}; calls to it ring at all of them.`,
      evidence: evidenceOf(final),
      atMicros: final.message.atMicros,
    }
  },
}
