import type { VerdictRule } from '../finding.ts'
import { unansweredInvite } from '../unanswered-invite.ts'
import { calledNumber, evidenceOf, nameOf, sendings } from '../wording.ts'

/** UDP payload that an Ethernet frame of 1500 bytes carries over IPv4; anything longer goes in fragments. */
const largestUnfragmentedBytes = 1472

/** An INVITE that has to be fragmented, and no answer. */
export const largeInviteUnanswered: VerdictRule = {
  id: 'N05-large-invite-unanswered',
  title: 'No answer to a large INVITE over UDP',
  meaning:
    'The INVITE does not fit into one packet, and fragments are dropped by many firewalls and NATs. RFC 3261 wants TCP above 1300 bytes.',
  kind: 'outcome',
  checks: [
    'are small requests (OPTIONS) to the same host answered? Then it is the size',
    'pjsip.conf, type=endpoint: fewer codecs in allow; webrtc and ICE only where needed',
    'TCP or TLS for this peer; pjsip.conf, type=system: disable_tcp_switch=no',
  ],
  rfc: ['RFC 3261 18.1.1'],
  options: [
    { option: 'allow', object: 'endpoint' },
    { option: 'disable_tcp_switch', object: 'system' },
    { option: 'transport', object: 'endpoint' },
  ],
  methods: ['INVITE'],
  isOfFinal: (status) => status === 0,
  explain(leg, context) {
    const found = unansweredInvite(leg, context)
    const request = found?.attempt.request?.message
    if (!found || !request || request.transport !== 'UDP') return null
    const size = request.message.bytes.length
    if (size <= largestUnfragmentedBytes) return null
    const { attempt, isFinal } = found
    return {
      severity: isFinal ? 'error' : 'warning',
      side: 'network',
      confidence: 'medium',
      sentence:
        `${nameOf(attempt, 'client')} sent the INVITE for ${calledNumber(attempt)} to ${nameOf(attempt, 'server')} ` +
        `${sendings(attempt)} over UDP, and nothing came back. It has ${size} bytes and travels in fragments, which are often ` +
        `dropped on the way; or nobody is there.`,
      evidence: evidenceOf(attempt.request, attempt.requests.at(-1)),
      atMicros: attempt.startedAtMicros,
      isFailure: isFinal,
      absentSinceMicros: attempt.startedAtMicros,
    }
  },
}
