import type { VerdictRule } from '../finding.ts'
import { refusalRule } from '../refusal.ts'
import { statusOf } from '../leg.ts'

const checks = [
  '"pjsip show contacts": is the device registered and reachable?',
  'do-not-disturb in the device; the ringing time in Dial() or of the ring group',
]

const rule = refusalRule({
  id: 'F07-temporarily-unavailable',
  title: 'Temporarily unavailable',
  meaning:
    'The called side cannot be reached now: not registered, do-not-disturb or no answer. Asterisk sends it for the causes 19, 20 and 31.',
  codes: new Map([[480, 'RFC 3261 21.4.18']]),
  severity: 'warning',
  us: {
    why: ({ responses }) =>
      hasRung(responses.map(statusOf))
        ? 'it rang and nobody answered'
        : 'the called side is not registered, does not want to be disturbed or did not answer',
    checks,
  },
  peer: {
    why: ({ responses }) =>
      hasRung(responses.map(statusOf))
        ? 'it rang and nobody answered'
        : 'the called side is not registered, does not want to be disturbed or did not answer',
    checks,
  },
})

function hasRung(statuses: readonly number[]): boolean {
  return statuses.includes(180)
}

/** 480. After ringing it is the normal end of a call that nobody took. */
export const temporarilyUnavailable: VerdictRule = {
  ...rule,
  explain(leg, context) {
    const explanation = rule.explain(leg, context)
    if (explanation === null || !hasRung(leg.attempt?.responses.map(statusOf) ?? [])) return explanation
    return { ...explanation, severity: 'info', side: 'user', title: 'Nobody answered' }
  },
}
