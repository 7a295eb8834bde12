import type { VerdictRule } from '../finding.ts'
import { isSuccess, statusOf } from '../leg.ts'
import { calledNumber, duration, evidenceOf, nameOf } from '../wording.ts'

/** CANCEL and 200 crossed. */
export const cancelCrossedAnswer: VerdictRule = {
  id: 'S02-cancel-crossed-answer',
  title: 'Answered and cancelled at the same moment',
  meaning:
    'The CANCEL came too late: the call was answered just then, and is hung up at once. Normal; it may cost a billed second.',
  kind: 'outcome',
  checks: [],
  rfc: ['RFC 3261 9.1', 'RFC 3261 15'],
  methods: ['INVITE'],
  isOfFinal: isSuccess,
  signs: ['cancel'],
  explain(leg) {
    const { attempt } = leg
    if (!attempt?.final || attempt.cancel === null || !isSuccess(statusOf(attempt.final))) return null
    const bye = leg.dialogs.find((dialog) => dialog.bye !== null)?.bye ?? null
    const apart = Math.abs(attempt.cancel.startedAtMicros - attempt.final.message.atMicros)
    return {
      severity: 'info',
      side: 'none',
      confidence: 'high',
      sentence:
        `The call to ${calledNumber(attempt)} was answered within ${duration(apart)} of the CANCEL from ` +
        `${nameOf(attempt, 'client')}, so the CANCEL had no effect` +
        (bye === null ? '.' : `; ${nameOf(bye, 'client')} hung up with BYE.`),
      evidence: evidenceOf(attempt.request, attempt.cancel.request, attempt.final, bye?.request),
      atMicros: attempt.cancel.startedAtMicros,
      // Nobody talks on this leg: where the caller was refused for it, this is why.
      isFailure: true,
    }
  },
}
