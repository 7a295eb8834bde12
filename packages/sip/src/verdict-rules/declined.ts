import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { parseCause } from '../q850.ts'
import { refusalRule } from '../refusal.ts'
import { answerDelay, answerText, calledNumber, isUs, nameOf } from '../wording.ts'

const meaning = {
  why: 'the called side declined the call',
  checks: ['did the person reject it?', 'is our number labelled as spam there, or barred?'],
}

const rule = refusalRule({
  id: 'F09-declined',
  title: 'Call declined',
  meaning:
    'The called person rejected the call, or an analytics service on the way did (607: unwanted, 608: rejected by an intermediary).',
  codes: new Map([
    [603, 'RFC 3261 21.6.2'],
    [607, 'RFC 8197'],
    [608, 'RFC 8688'],
  ]),
  severity: 'warning',
  side: 'user',
  us: meaning,
  peer: meaning,
})

/** Cause of a call that was hung up as calls are: nobody said no. */
const normalClearing = 16

/** 603, 607, 608. Asterisk also says 603 when its dialplan hangs up before an answer, as after the seconds of a Dial(). */
export const declined: VerdictRule = {
  ...rule,
  explain(leg, context) {
    const explanation = rule.explain(leg, context)
    const { attempt } = leg
    if (explanation === null || !attempt?.final || !isUs(attempt, 'server')) return explanation
    const { final } = attempt
    const reasons = final.message.message.headerValues('reason')
    if (!reasons.some((reason) => parseCause(reason) === normalClearing)) return explanation
    const hasRung = attempt.responses.some((one) => statusOf(one) === 180)
    return {
      ...explanation,
      severity: hasRung ? 'info' : 'warning',
      side: hasRung ? 'user' : 'us',
      title: hasRung ? 'Nobody answered' : 'The dialplan hung up before an answer',
      sentence:
        `${nameOf(attempt, 'server')} ended the call to ${calledNumber(attempt)} with ${answerText(final)} after ` +
        `${answerDelay(attempt, final)}, of normal clearing (Q.850 cause 16): ` +
        (hasRung
          ? 'it rang, nobody answered, and the dialplan hung up.'
          : 'the dialplan hung up, and nobody had rung.'),
      checks: hasRung
        ? ['the seconds of Dial(), and what the dialplan does after it: voicemail, another number?']
        : ['the dialplan at that second: does it end without Answer() or Dial()?'],
    }
  },
}
