import type { VerdictRule } from '../finding.ts'
import { isUnanswered } from '../leg.ts'
import { evidenceOf, isUs, nameOf, sendings, unansweredDoubt } from '../wording.ts'

/** BYE without an answer: one side hung up and the other may not know. */
export const byeUnanswered: VerdictRule = {
  id: 'D11-bye-unanswered',
  title: 'No answer to BYE',
  meaning:
    'One side hung up and the other did not answer: its address changed or cannot be reached, and it may still believe in the call.',
  kind: 'symptom',
  checks: [
    'the Request-URI of the BYE is the Contact of the other side: is it reachable, or a private address?',
    'pjsip.conf, type=endpoint: rewrite_contact=yes for a device behind NAT',
  ],
  rfc: ['RFC 3261 17.1.2.2', 'RFC 3261 15.1.1'],
  options: [{ option: 'rewrite_contact', object: 'endpoint' }],
  methods: ['BYE'],
  explain(leg, context) {
    const byes = leg.of('BYE')
    const bye = byes.at(-1)
    if (!bye || !isUnanswered(leg, bye, context.nowMicros) || byes.some(({ final }) => final !== null))
      return null
    // Some clients, Asterisk among them, send BYE where a CANCEL got no answer: there was no call to believe in.
    const { attempt } = leg
    if (attempt?.cancel && attempt.final === null && attempt.acks.length === 0) return null
    const { confidence, doubt } = unansweredDoubt(bye)
    const isOurs = isUs(bye, 'client')
    return {
      severity: 'warning',
      side: 'network',
      confidence,
      sentence:
        `${nameOf(bye, 'client')} hung up and sent BYE to ${nameOf(bye, 'server')} ${sendings(bye)}, and no answer was ` +
        `seen: the other side may still believe it is in the call.${doubt}`,
      evidence: evidenceOf(bye.request, bye.requests.at(-1)),
      checks: [
        'the Request-URI of the BYE is the Contact of the other side: is it reachable, or a private address?',
        isOurs
          ? 'pjsip.conf, type=endpoint: rewrite_contact=yes for a device behind NAT'
          : 'pjsip.conf, type=transport: external_signaling_address and local_net, if Asterisk is behind NAT',
      ],
      options: isOurs
        ? [{ option: 'rewrite_contact', object: 'endpoint' }]
        : [
            { option: 'external_signaling_address', object: 'transport' },
            { option: 'local_net', object: 'transport' },
          ],
      atMicros: bye.startedAtMicros,
      absentSinceMicros: bye.startedAtMicros,
    }
  },
}
