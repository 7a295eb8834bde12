import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { lastRegistration } from '../registration.ts'
import { addressOfRecord, answerText, givenReasons, isUs, nameOf, refusal } from '../wording.ts'

/** 403 to REGISTER: the registrar knows who asks and does not want it. */
export const registrationForbidden: VerdictRule = {
  id: 'R06-registration-forbidden',
  title: 'Registration forbidden',
  meaning:
    'The registrar understood who asks and does not allow it: account blocked, address not allowed, wrong domain, or too many contacts.',
  kind: 'outcome',
  checks: [
    'the account and our address at the provider; the domain in client_uri and server_uri',
    'pjsip.conf, type=registration: forbidden_retry_interval=0 means that Asterisk never tries again',
    'pjsip.conf, type=endpoint: acl, contact_acl; type=aor: max_contacts',
  ],
  rfc: ['RFC 3261 21.4.4', 'RFC 3261 10.3'],
  methods: ['REGISTER'],
  explain(leg) {
    const last = lastRegistration(leg)
    if (!last || statusOf(last.final) !== 403) return null
    const { transaction, final } = last
    const isOurs = isUs(transaction, 'client')
    return {
      ...refusal(transaction, final),
      side: 'peer',
      sentence:
        `${nameOf(transaction, 'server')} forbids the registration of ${addressOfRecord(transaction)} by ` +
        `${nameOf(transaction, 'client')} with ${answerText(final)}: the account is blocked, the address is not allowed or ` +
        `the domain is wrong${isOurs ? '' : ', or the device has too many contacts'}.${givenReasons(final)}`,
      checks: isOurs
        ? [
            'ask the provider whether the account is active and our address is allowed',
            'pjsip.conf, type=registration: client_uri and server_uri with the domain the provider wants',
            'pjsip.conf, type=registration: forbidden_retry_interval=0 means that Asterisk never tries again',
          ]
        : [
            'pjsip.conf, type=endpoint: acl, contact_acl, permit and deny against the address of the device',
            'pjsip.conf, type=endpoint: aors must name the AOR that the device registers',
            'pjsip.conf, type=aor: max_contacts reached? then remove_existing=yes',
          ],
      options: isOurs
        ? [
            { option: 'client_uri', object: 'registration' },
            { option: 'server_uri', object: 'registration' },
            { option: 'forbidden_retry_interval', object: 'registration' },
          ]
        : [
            { option: 'acl', object: 'endpoint' },
            { option: 'aors', object: 'endpoint' },
            { option: 'max_contacts', object: 'aor' },
            { option: 'remove_existing', object: 'aor' },
          ],
    }
  },
}
