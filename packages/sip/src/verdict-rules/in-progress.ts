import { legState } from '../call-state.ts'
import type { VerdictRule } from '../finding.ts'
import { statusOf, watchedUntilMicros } from '../leg.ts'
import { isLeftOver } from '../standing.ts'
import { answerText, calledNumber, duration, evidenceOf, nameOf } from '../wording.ts'

/** Still going on, as far as anyone can tell: never "dropped" because a BYE is not here yet. */
export const inProgress: VerdictRule = {
  id: 'C02-in-progress',
  title: 'In progress',
  meaning: 'The call is being set up, rings or goes on, as far as anyone can tell.',
  kind: 'outcome',
  checks: [],
  rfc: [],
  explain(leg, context) {
    const state = legState(leg, context.nowMicros)
    if (state !== 'setting-up' && state !== 'ringing' && state !== 'in-call') return null
    if (state === 'in-call' && isLeftOver(leg, context.legs, context.nowMicros)) return null
    const { attempt } = leg
    const untilMicros = watchedUntilMicros(leg, context.nowMicros)
    const confidence = leg.isImported ? 'medium' : 'high'
    if (state === 'in-call') {
      const dialog = leg.dialogs.find((one) => one.state === 'confirmed')
      const since = dialog?.answer?.message.atMicros
      return {
        severity: 'info',
        side: 'none',
        confidence,
        title: 'In progress',
        sentence:
          since === undefined || attempt === null
            ? 'The call is going on; its beginning was not seen.'
            : leg.isImported
              ? `The call to ${calledNumber(attempt)} went on for ${duration(untilMicros - since)} as far as the file goes; no BYE was seen.`
              : `The call to ${calledNumber(attempt)} is going on since ${duration(untilMicros - since)}; no BYE was seen yet.`,
        evidence: evidenceOf(attempt?.request, dialog?.answer),
        atMicros: since ?? leg.first.message.atMicros,
      }
    }
    if (attempt === null) return null
    const last = attempt.responses.findLast((response) => statusOf(response) < 300)
    const ago = duration(untilMicros - attempt.startedAtMicros)
    return {
      severity: 'info',
      side: 'none',
      confidence,
      title: state === 'ringing' ? 'Ringing' : 'Setting up',
      sentence:
        `The call to ${calledNumber(attempt)} was sent to ${nameOf(attempt, 'server')} ${ago} ${leg.isImported ? 'before its last message here' : 'ago'}; ` +
        (last ? `the last answer is ${answerText(last)}.` : 'no answer yet.'),
      evidence: evidenceOf(attempt.request, last),
      atMicros: attempt.startedAtMicros,
    }
  },
}
