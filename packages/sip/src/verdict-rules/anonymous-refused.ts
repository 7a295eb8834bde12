import { refusalRule } from '../refusal.ts'
import { callingNumber } from '../wording.ts'

/** 433. */
export const anonymousRefused = refusalRule({
  id: 'F21-anonymous-refused',
  title: 'Anonymous callers are refused',
  meaning: 'The called side takes no calls from callers that hide their number.',
  codes: new Map([[433, 'RFC 5079']]),
  us: {
    why: 'it takes no calls without a caller number',
    checks: ['the dialplan: which path answers anonymous callers?'],
  },
  peer: {
    why: (transaction) =>
      `it takes no calls without a caller number, and the caller was shown as ${callingNumber(transaction)}`,
    checks: [
      'the caller id that Asterisk sends: CALLERID(pres) in the dialplan',
      'pjsip.conf, type=endpoint: callerid_privacy, trust_id_outbound, send_pai',
    ],
    options: [
      { option: 'callerid_privacy', object: 'endpoint' },
      { option: 'trust_id_outbound', object: 'endpoint' },
      { option: 'send_pai', object: 'endpoint' },
    ],
  },
})
