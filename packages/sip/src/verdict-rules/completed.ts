import type { VerdictRule } from '../finding.ts'
import { answerDelay, calledNumber, duration, evidenceOf, nameOf, reasonText } from '../wording.ts'

/** Answered and ended with a BYE. */
export const completed: VerdictRule = {
  id: 'C01-completed',
  title: 'Completed normally',
  meaning: 'The call was answered and ended with a BYE.',
  kind: 'outcome',
  checks: [],
  rfc: ['RFC 3261 15'],
  explain(leg) {
    const dialog = leg.dialogs.find(({ bye }) => bye !== null)
    if (!dialog?.bye) return null
    const { attempt } = leg
    const { answer, bye } = dialog
    const ended = `${nameOf(bye, 'client')} hung up`
    const isWhole = attempt !== null && attempt.request !== null && answer !== null
    const unseen = attempt?.request
      ? 'the answer to the call was not seen'
      : 'the beginning of the call was not seen'
    return {
      severity: 'ok',
      side: 'none',
      confidence: isWhole ? 'high' : 'medium',
      sentence:
        (isWhole
          ? `The call to ${calledNumber(attempt)} was answered after ${answerDelay(attempt, answer)} and lasted ` +
            `${duration(bye.startedAtMicros - answer.message.atMicros)}; ${ended}.`
          : `${ended}; ${unseen}.`) + reasonText(bye.request),
      evidence: evidenceOf(attempt?.request, answer, bye.request, bye.final),
      atMicros: bye.startedAtMicros,
    }
  },
}
