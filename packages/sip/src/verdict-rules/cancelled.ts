import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { calledNumber, duration, evidenceOf, nameOf, reasonText } from '../wording.ts'

/** CANCEL and 487: the caller gave up before an answer. Normal. */
export const cancelled: VerdictRule = {
  id: 'S01-cancelled',
  title: 'Cancelled by the caller',
  meaning: 'The caller, or the ringing time in Dial(), ended the call before anyone answered. Normal.',
  kind: 'outcome',
  checks: ['if it is always after the same time: the ringing time in Dial() or of the ring group'],
  rfc: ['RFC 3261 9.1', 'RFC 3261 21.4.25'],
  methods: ['INVITE'],
  isOfFinal: (status) => status === 487,
  explain({ attempt }) {
    if (!attempt || statusOf(attempt.final) !== 487) return null
    const { cancel, final } = attempt
    const at = cancel?.startedAtMicros ?? final?.message.atMicros ?? attempt.endedAtMicros
    const after = duration(at - attempt.startedAtMicros)
    const number = calledNumber(attempt)
    const reason = cancel?.request?.message.message.header('reason') ?? ''
    const isElsewhere = /call completed elsewhere|cause\s*=\s*26\b/i.test(reason)
    return {
      severity: 'info',
      side: 'user',
      confidence: cancel === null ? 'medium' : 'high',
      title: isElsewhere ? 'Answered elsewhere' : 'Cancelled by the caller',
      sentence:
        cancel === null
          ? `The call to ${number} ended with 487 after ${after}, before anyone answered; the CANCEL itself was not seen.`
          : `${nameOf(attempt, 'client')} cancelled the call to ${number} after ${after}, before anyone answered.` +
            (isElsewhere ? ' It was answered elsewhere.' : reasonText(cancel.request)),
      evidence: evidenceOf(attempt.request, cancel?.request, final),
      checks: isElsewhere
        ? []
        : [`if always after ${after}: the ringing time in Dial() or of the ring group`],
      atMicros: at,
    }
  },
}
