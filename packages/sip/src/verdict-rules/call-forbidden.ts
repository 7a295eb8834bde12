import { refusalRule } from '../refusal.ts'
import { callingNumber, nameOf } from '../wording.ts'

/** 403 to INVITE. */
export const callForbidden = refusalRule({
  id: 'F04-call-forbidden',
  title: 'Call forbidden',
  meaning:
    'The one who refused understood the request and does not allow it: caller number, address, account or destination.',
  codes: new Map([[403, 'RFC 3261 21.4.4']]),
  us: {
    why: (transaction) =>
      `an access list or the dialplan does not allow this call from ${callingNumber(transaction)} (${nameOf(transaction, 'client')})`,
    checks: [
      'pjsip.conf, type=acl and the endpoint options acl, permit, deny',
      'the dialplan: Hangup(21) on that path; AMI event FailedACL',
    ],
    options: [
      { option: 'acl', object: 'endpoint' },
      { option: 'deny', object: 'endpoint' },
      { option: 'permit', object: 'endpoint' },
    ],
  },
  peer: {
    why: (transaction) =>
      `the caller number ${callingNumber(transaction)}, our address or this destination is not allowed there`,
    checks: [
      'the number we show: pjsip.conf, type=endpoint: from_user, from_domain, send_pai, trust_id_outbound',
      'ask the provider: is our address listed, is the account in credit, is the destination barred?',
    ],
    options: [
      { option: 'from_user', object: 'endpoint' },
      { option: 'from_domain', object: 'endpoint' },
      { option: 'send_pai', object: 'endpoint' },
      { option: 'trust_id_outbound', object: 'endpoint' },
    ],
  },
})
