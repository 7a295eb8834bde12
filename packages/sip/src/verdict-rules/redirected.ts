import { nameAddressUri } from '../name-address.ts'
import { toPrintable } from '../printable.ts'
import { refusalRule, type RefusalMeaning } from '../refusal.ts'

const meaning: RefusalMeaning = {
  why: (_transaction, final) => {
    const contact = toPrintable(nameAddressUri(final.message.message.header('contact') ?? ''), 80)
    return contact === ''
      ? 'it sends the caller elsewhere, but names no Contact'
      : `it sends the caller to ${contact}`
  },
  checks: [
    'pjsip.conf, type=endpoint: redirect_method says whether the dialplan or Asterisk itself follows',
    'the forwarding set in the device',
  ],
  options: [{ option: 'redirect_method', object: 'endpoint' }],
}

/** 301, 302. */
export const redirected = refusalRule({
  id: 'F18-redirected',
  title: 'Redirected',
  meaning: 'The called side sends the caller to another address, as call forwarding in a phone does.',
  codes: new Map([
    [301, 'RFC 3261 21.3.2'],
    [302, 'RFC 3261 21.3.3'],
  ]),
  rfc: ['RFC 3261 8.1.3.4'],
  severity: 'info',
  side: 'user',
  us: meaning,
  peer: meaning,
})
