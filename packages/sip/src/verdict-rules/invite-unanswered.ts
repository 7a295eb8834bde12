import type { VerdictRule } from '../finding.ts'
import { unansweredInvite } from '../unanswered-invite.ts'
import { calledNumber, evidenceOf, isUs, nameOf, sendings, unansweredDoubt } from '../wording.ts'

/** INVITE without any response: final after Timer B, a warning while it is being repeated. */
export const inviteUnanswered: VerdictRule = {
  id: 'N01-invite-unanswered',
  title: 'No answer to INVITE',
  meaning:
    'The INVITE was repeated until its sender gave up, and nothing came back: the other side is down, filtered or at another address.',
  kind: 'outcome',
  checks: [
    'is that address right? pjsip.conf, type=aor: contact; type=endpoint: outbound_proxy; "pjsip show contacts"',
    'firewall and route to that address; ICMP errors in the capture',
    'a registered device: its registration may be older than its NAT binding; type=aor: qualify_frequency keeps it open',
  ],
  rfc: ['RFC 3261 17.1.1.2'],
  options: [
    { option: 'contact', object: 'aor' },
    { option: 'outbound_proxy', object: 'endpoint' },
    { option: 'qualify_frequency', object: 'aor' },
  ],
  methods: ['INVITE'],
  isOfFinal: (status) => status === 0,
  explain(leg, context) {
    const found = unansweredInvite(leg, context)
    if (found === null) return null
    const { attempt, isFinal } = found
    const { confidence, doubt } = unansweredDoubt(attempt)
    return {
      severity: isFinal ? 'error' : 'warning',
      side: 'network',
      confidence,
      title: isFinal ? 'No answer to INVITE' : 'No answer to INVITE so far',
      sentence:
        `${nameOf(attempt, 'client')} sent the INVITE for ${calledNumber(attempt)} to ${nameOf(attempt, 'server')} ` +
        `${sendings(attempt)}, and no response${isFinal ? '' : ' so far'} was seen, not even 100 Trying.${doubt}`,
      evidence: evidenceOf(attempt.request, attempt.requests.at(-1)),
      ...(isUs(attempt, 'server') && {
        checks: [
          'does Asterisk listen there? pjsip.conf, type=transport: bind and protocol',
          'a local firewall that drops what the capture still sees; "pjsip set logger on" shows whether Asterisk got it',
        ],
        options: [
          { option: 'bind', object: 'transport' },
          { option: 'protocol', object: 'transport' },
        ],
      }),
      atMicros: attempt.startedAtMicros,
      isFailure: isFinal,
      absentSinceMicros: attempt.startedAtMicros,
    }
  },
}
