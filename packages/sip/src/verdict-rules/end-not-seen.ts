import type { VerdictRule } from '../finding.ts'
import { isAnswerImplied, silenceOf } from '../leg.ts'
import { duration, evidenceOf } from '../wording.ts'

/** No BYE and no session timer, and silent for longer than anyone talks. */
export const endNotSeen: VerdictRule = {
  id: 'C03-end-not-seen',
  title: 'The end of the call was not seen',
  meaning:
    'The call has been silent for longer than anyone talks, and has no session timer that could tell: it may have ended unseen.',
  kind: 'outcome',
  checks: [
    'gaps in the capture at that time (the sources page)',
    'does Asterisk still have the channel? "core show channels"',
  ],
  rfc: [],
  explain(leg, context) {
    const silence = silenceOf(leg, context.nowMicros)
    if (silence === null || silence.intervalSeconds !== null) return null
    const isPending = leg.attempt !== null && leg.attempt.final === null && !isAnswerImplied(leg)
    const silent = duration(context.nowMicros - silence.sinceMicros)
    return {
      severity: 'info',
      side: 'network',
      confidence: 'low',
      sentence: isPending
        ? `No final answer was seen, and the call has been silent for ${silent}: its end was lost or not captured.`
        : `No BYE was seen, and the call has been silent for ${silent}; it has no session timer, so it may have ended unseen.`,
      evidence: evidenceOf(leg.attempt?.request, leg.attempt?.final, leg.last),
      atMicros: silence.sinceMicros,
    }
  },
}
