import type { VerdictRule } from '../finding.ts'
import { transactionTimeoutMicros } from '../leg.ts'
import { calledNumber, evidenceOf, nameOf, sideOf, times } from '../wording.ts'

/** Several dialogs from one INVITE. */
export const forked: VerdictRule = {
  id: 'S04-forked',
  title: 'The call was forked',
  meaning:
    'A proxy sent the INVITE to several devices. The first answer wins; every further 200 must get its ACK and a BYE, else that device believes in a call that nobody has.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=endpoint: follow_early_media_fork, accept_multiple_sdp_answers',
    'the devices behind the number: which of them answered?',
  ],
  rfc: ['RFC 3261 13.2.2.4', 'RFC 3261 16.7'],
  options: [
    { option: 'follow_early_media_fork', object: 'endpoint' },
    { option: 'accept_multiple_sdp_answers', object: 'endpoint' },
  ],
  methods: ['INVITE'],
  signs: ['fork'],
  explain({ attempt, dialogs }, context) {
    if (attempt === null || dialogs.length < 2) return null
    const callerTag = (attempt.request ?? attempt.responses[0])?.message.message.from.tag
    const forks = dialogs.filter((one) => one.callerTag === callerTag)
    if (forks.length < 2) return null
    const answered = forks.filter(({ answer }) => answer !== null)
    const left = answered.filter(({ bye }) => bye === null)
    const last = left.reduce((latest, { answer }) => Math.max(latest, answer?.message.atMicros ?? 0), 0)
    const isLeak = left.length > 1 && context.nowMicros - last >= transactionTimeoutMicros
    const unacknowledged = left.filter(({ isAcknowledged }) => !isAcknowledged).length
    return {
      severity: isLeak ? 'warning' : 'info',
      side: isLeak ? sideOf(attempt, 'client') : 'none',
      confidence: 'high',
      title: isLeak ? 'Several devices answered, and all stay in the call' : 'The call was forked',
      sentence: isLeak
        ? `${answered.length} devices answered the call to ${calledNumber(attempt)}, and ${nameOf(attempt, 'client')} left ` +
          `${left.length} of them in it, where only one may stay` +
          (unacknowledged === 0 ? '.' : `; ${unacknowledged} of them got no ACK.`)
        : `${nameOf(attempt, 'server')} passed the call to ${calledNumber(attempt)} on to ${forks.length} devices, which answer ` +
          `for themselves; it was answered ${answered.length === 0 ? 'by none of them' : times(answered.length)}.`,
      evidence: evidenceOf(attempt.request, ...answered.map(({ answer }) => answer)),
      atMicros: attempt.startedAtMicros,
    }
  },
}
