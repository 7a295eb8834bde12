import type { VerdictRule } from '../finding.ts'
import { answersOf } from '../leg.ts'
import { duration, evidenceOf, isUs, nameOf } from '../wording.ts'

/** 64 * T1 after the answer (RFC 3261 13.3.1.4), with some seconds for stamps and slow programs. */
const earliestMicros = 31_000_000
const latestMicros = 35_000_000

/** The answering side hangs up 32 s after its 200, as it does when the ACK did not reach it. */
export const endedAtTimerH: VerdictRule = {
  id: 'A03-ended-at-timer-h',
  title: 'Call ended 32 s after the answer',
  meaning:
    'The answering side hung up exactly when its patience for the ACK ends: the ACK was sent or not, but it did not reach the program.',
  kind: 'outcome',
  checks: [
    'the Request-URI and Route of the ACK against the Contact and Record-Route of the 200',
    'pjsip.conf, type=transport: external_signaling_address and local_net, if the Contact of the 200 is private',
    'a firewall or SIP ALG that lets the ACK pass here and drops it further on',
  ],
  rfc: ['RFC 3261 13.3.1.4'],
  options: [
    { option: 'external_signaling_address', object: 'transport' },
    { option: 'local_net', object: 'transport' },
  ],
  methods: ['BYE'],
  explain(leg) {
    const { attempt } = leg
    const dialog = leg.dialogs.find(({ bye, answer }) => bye !== null && answer !== null)
    if (!attempt?.final || !dialog?.bye?.request || !dialog.answer) return null
    const { bye, answer } = dialog
    const after = bye.startedAtMicros - answer.message.atMicros
    const isByCallee = bye.request?.message.message.from.tag === dialog.calleeTag
    if (!isByCallee || after < earliestMicros || after > latestMicros) return null
    const answers = answersOf(attempt)
    const acks = attempt.acks.map(({ message }) => message.atMicros)
    const repeatedAfterAck = answers.filter(({ message }) => acks.some((at) => at < message.atMicros)).length
    // An ACK that stops the repetitions arrived: then 32 s are only how long they talked.
    if (acks.length > 0 && repeatedAfterAck < 3) return null
    return {
      severity: 'error',
      side: 'network',
      confidence: acks.length > 0 ? 'high' : 'medium',
      sentence:
        `${nameOf(attempt, 'server')} answered and hung up ${duration(after)} later, which is how long it waits for the ACK; ` +
        (acks.length > 0
          ? `an ACK was seen here, but the 200 was repeated all the same: it does not reach the program, or does not match the call.`
          : `no ACK from ${nameOf(attempt, 'client')} was seen.`),
      evidence: evidenceOf(attempt.request, answer, attempt.acks[0], bye.request),
      ...(!isUs(attempt, 'server') && {
        options: [{ option: 'rewrite_contact', object: 'endpoint' }] as const,
      }),
      atMicros: answer.message.atMicros,
      isFailure: true,
    }
  },
}
