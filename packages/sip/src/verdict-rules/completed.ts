import type { CallContext, Explanation, VerdictRule } from '../finding.ts'
import { standingOf } from '../standing.ts'
import { answerDelay, calledNumber, duration, evidenceOf, nameOf, reasonText } from '../wording.ts'

/** Legs of one call end a moment apart. */
const momentMicros = 1_000_000

interface Rest {
  /** How the call as a whole is to be called, where that is not this rule's title. */
  readonly part?: Pick<Explanation, 'severity' | 'title'>
  readonly lasted: (duration: string) => string
  readonly sentence: string
}

const lasted = (text: string): string => ` and lasted ${text}; `
const hungUp = (text: string): string => `, and after ${text} `

/** What the other legs did after this one's BYE. */
function restOf(endedAtMicros: number, { legs, nowMicros }: CallContext): Rest {
  if (legs.length < 2) return { lasted, sentence: '' }
  const standing = standingOf(legs, nowMicros)
  if (standing === null) return { lasted, sentence: '' }
  const part = { severity: 'info', title: 'One leg of the call has ended' } as const
  if (standing.isRunning) return { part, lasted: hungUp, sentence: ' Another leg of the call has not ended.' }
  if (standing.state !== 'completed') return { part, lasted, sentence: '' }
  const longer = (standing.hungUpAtMicros ?? 0) - endedAtMicros
  if (longer < momentMicros) return { lasted, sentence: '' }
  return { lasted: hungUp, sentence: ` The other legs went on for ${duration(longer)}.` }
}

/** Answered and ended with a BYE. */
export const completed: VerdictRule = {
  id: 'C01-completed',
  title: 'Completed normally',
  meaning: 'The call was answered and ended with a BYE.',
  kind: 'outcome',
  checks: [],
  rfc: ['RFC 3261 15'],
  signs: ['bye'],
  explain(leg, context) {
    const dialog = leg.dialogs.find(({ bye }) => bye !== null)
    if (!dialog?.bye) return null
    const { attempt } = leg
    const { answer, bye } = dialog
    const ended = `${nameOf(bye, 'client')} hung up`
    const isWhole = attempt !== null && attempt.request !== null && answer !== null
    const unseen = attempt?.request
      ? 'the answer to the call was not seen'
      : 'the beginning of the call was not seen'
    const rest = restOf(bye.startedAtMicros, context)
    return {
      severity: 'ok',
      ...rest.part,
      side: 'none',
      confidence: isWhole ? 'high' : 'medium',
      sentence:
        (isWhole
          ? `The call to ${calledNumber(attempt)} was answered after ${answerDelay(attempt, answer)}` +
            `${rest.lasted(duration(bye.startedAtMicros - answer.message.atMicros))}${ended}.`
          : `${ended}; ${unseen}.`) +
        reasonText(bye.request) +
        rest.sentence,
      evidence: evidenceOf(attempt?.request, answer, bye.request, bye.final),
      atMicros: bye.startedAtMicros,
    }
  },
}
