import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { answerText, calledNumber, duration, evidenceOf, nameOf, sideOf } from '../wording.ts'

const slowMicros = 5_000_000
const badMicros = 11_000_000

/** Long post-dial delay. */
export const slowSetup: VerdictRule = {
  id: 'S10-slow-setup',
  title: 'Long delay before ringing',
  meaning:
    'The caller waited for more than 5 s in silence before he heard anything: a slow trunk, name resolution, or trunks tried in turn.',
  kind: 'symptom',
  checks: [
    'DNS and its timeouts on the way',
    'the order of the trunks that are tried',
    'ask the provider for its post-dial delay',
  ],
  rfc: ['RFC 6076'],
  methods: ['INVITE'],
  explain({ attempt }) {
    const first = attempt?.responses.find((one) => statusOf(one) > 100)
    // A refusal has its own rule; an answer without ringing before it may have rung unseen.
    if (!attempt?.request || !first || statusOf(first) >= 200) return null
    const waited = first.message.atMicros - attempt.startedAtMicros
    if (waited <= slowMicros) return null
    return {
      severity: 'warning',
      side: sideOf(attempt, 'server'),
      confidence: waited > badMicros ? 'high' : 'medium',
      title: waited > badMicros ? 'Very long delay before ringing' : 'Long delay before ringing',
      sentence: `The call to ${calledNumber(attempt)} got its first sign of life from ${nameOf(attempt, 'server')}, ${answerText(first)}, only after ${duration(waited)}.`,
      evidence: evidenceOf(attempt.request, first),
      atMicros: first.message.atMicros,
    }
  },
}
