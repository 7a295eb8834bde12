import type { VerdictRule } from '../finding.ts'
import { statusOf, type Leg } from '../leg.ts'
import type { Transaction } from '../transaction.ts'
import { evidenceOf, nameOf, sideOf } from '../wording.ts'

const methods: readonly string[] = ['INVITE', 'UPDATE', 'INFO', 'BYE']

function firstLost(leg: Leg): Transaction | undefined {
  for (const method of methods) {
    const lost = leg
      .of(method)
      .find(({ final, isInitial, request }) => statusOf(final) === 481 && !isInitial && request !== null)
    if (lost !== undefined) return lost
  }
  return undefined
}

/** 481 to a request inside the dialog: the other side no longer knows the call. */
export const dialogUnknown: VerdictRule = {
  id: 'D05-dialog-unknown',
  title: 'The other side lost the call',
  meaning:
    'A request inside the call was answered 481: that side does not know the call any more, after a restart, a failover, or because the request went to another node.',
  kind: 'symptom',
  checks: [
    'was it restarted, or did a load balancer send the request to another node?',
    'did the call end there before, and the BYE was lost?',
  ],
  rfc: ['RFC 3261 12.2.2', 'RFC 3261 15.1.2', 'RFC 3261 21.4.19'],
  methods,
  signs: ['refusal'],
  explain(leg) {
    const lost = firstLost(leg)
    if (!lost?.final) return null
    // Both sides hung up at once: each has forgotten the call when the other's request comes.
    if (
      leg.of('BYE').some((bye) => bye !== lost && bye.startedAtMicros <= (lost.final?.message.atMicros ?? 0))
    )
      return null
    return {
      severity: 'warning',
      side: sideOf(lost, 'server'),
      confidence: 'high',
      sentence:
        `${nameOf(lost, 'server')} answered ${lost.method} from ${nameOf(lost, 'client')} with 481: it does not know ` +
        `this call any more.`,
      evidence: evidenceOf(lost.request, lost.final),
      atMicros: lost.final.message.atMicros,
    }
  },
}
