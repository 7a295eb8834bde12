import type { VerdictRule } from '../finding.ts'
import { answersOf, isSuccess, isUnacknowledged } from '../leg.ts'
import { nameAddressUri } from '../name-address.ts'
import { toPrintable } from '../printable.ts'
import { duration, evidenceOf, isUs, nameOf, times } from '../wording.ts'

/** 200 to INVITE sent again and again, and no ACK: the caller's ACK does not arrive. */
export const noAck: VerdictRule = {
  id: 'A02-no-ack',
  title: 'Answered, but the ACK never came',
  meaning:
    'The 200 to the INVITE is sent again and again because no ACK arrives; after 32 s the answering side hangs up. The ACK goes to a wrong Contact or route, or is blocked.',
  kind: 'outcome',
  checks: [
    'the Contact of the 200: can the caller reach it?',
    'pjsip.conf, type=transport: external_signaling_address and local_net, if that is a private address of Asterisk',
    'the Record-Route chain, and a firewall or SIP ALG on the way',
  ],
  rfc: ['RFC 3261 13.3.1.4', 'RFC 3261 12.2.1.1'],
  options: [
    { option: 'external_signaling_address', object: 'transport' },
    { option: 'local_net', object: 'transport' },
    { option: 'rewrite_contact', object: 'endpoint' },
  ],
  methods: ['INVITE'],
  isOfFinal: isSuccess,
  explain(leg, context) {
    const { attempt } = leg
    if (!attempt?.final || !isUnacknowledged(attempt, context.nowMicros)) return null
    const answers = answersOf(attempt)
    const last = answers.at(-1)
    const over = (last ?? attempt.final).message.atMicros - attempt.final.message.atMicros
    const contact = toPrintable(nameAddressUri(attempt.final.message.message.header('contact') ?? ''), 80)
    const bye = leg.dialogs.find((dialog) => dialog.bye !== null)?.bye ?? null
    const isOurs = isUs(attempt, 'server')
    return {
      severity: 'error',
      side: 'network',
      confidence: 'high',
      sentence:
        `${nameOf(attempt, 'server')} answered with 200 OK and sent it ${times(answers.length)} in ${duration(over)}, but no ACK from ` +
        `${nameOf(attempt, 'client')} was seen` +
        (bye === null
          ? '.'
          : `; the call ended ${duration(bye.startedAtMicros - attempt.final.message.atMicros)} after the answer.`),
      evidence: evidenceOf(attempt.request, attempt.final, last, bye?.request),
      checks: [
        contact === ''
          ? 'the 200 has no Contact: the ACK has nowhere to go'
          : `the ACK goes to the Contact of the 200, ${contact}: can the caller reach it?`,
        isOurs
          ? 'pjsip.conf, type=transport: external_signaling_address and local_net, if that is a private address'
          : 'pjsip.conf, type=endpoint: rewrite_contact=yes, if that is a private address',
        'the Record-Route chain, and a firewall or SIP ALG on the way',
      ],
      options: isOurs
        ? [
            { option: 'external_signaling_address', object: 'transport' },
            { option: 'local_net', object: 'transport' },
          ]
        : [{ option: 'rewrite_contact', object: 'endpoint' }],
      atMicros: attempt.final.message.atMicros,
      isFailure: true,
      absentSinceMicros: attempt.final.message.atMicros,
    }
  },
}
