import type { VerdictRule } from '../finding.ts'
import type { SipMessage } from '../message.ts'
import { toPrintable } from '../printable.ts'
import { rememberOfMessage } from '../remember.ts'
import { evidenceOf, hostName } from '../wording.ts'

/** Programs whose purpose is to look for open PBXs, by what they call themselves. */
const scanners = /friendly-scanner|sipvicious|sundayddr|sip-?scan|sipcli|iwar|pplsip|sipptk|vaxsipuseragent/i

const isScanner = rememberOfMessage((message: SipMessage) =>
  scanners.test(message.header('user-agent') ?? ''),
)

/** A scanner names itself. */
export const scanner: VerdictRule = {
  id: 'X01-scanner',
  title: 'A scanner knocks',
  meaning:
    'A program that looks for open PBXs sent this: nobody wants to call. Refused, it does no harm by itself.',
  kind: 'symptom',
  checks: [
    'a firewall or fail2ban in front of the SIP port; pjsip.conf, type=acl',
    'no endpoint named anonymous, and identify sections for trunks only',
    'AMI events InvalidAccountID from the same address',
  ],
  rfc: [],
  options: [{ option: 'acl', object: 'endpoint' }],
  leadsTo: ['R03-unidentified-caller'],
  explain({ opening }) {
    if (opening === null) return null
    const { message, src, direction } = opening.message
    if (direction === 'out') return null
    if (!isScanner(message)) return null
    return {
      severity: 'warning',
      side: 'network',
      confidence: 'high',
      sentence: `${hostName(src, false)} sent ${toPrintable(message.method, 20)} and calls itself "${toPrintable(message.header('user-agent') ?? '', 40)}", a program that looks for open PBXs.`,
      evidence: evidenceOf(opening),
      atMicros: opening.message.atMicros,
    }
  },
}
