import type { VerdictRule } from '../finding.ts'
import { isAnswerImplied, statusOf, transactionTimeoutMicros, watchedUntilMicros } from '../leg.ts'
import { calledNumber, duration, evidenceOf, isUs, nameOf, sideOf } from '../wording.ts'

/** Who hangs up earlier may just have changed his mind. */
const patienceMicros = 10_000_000

/** 100 Trying and then nothing. */
export const onlyTrying: VerdictRule = {
  id: 'N02-only-trying',
  title: 'Only 100 Trying, then silence',
  meaning:
    'The next hop took the INVITE and never came back with ringing or an answer: what is behind it is dead or stuck.',
  kind: 'outcome',
  checks: [
    'ask the provider for its next hop at that time',
    'a second trunk to fall back to, with a timeout in Dial()',
    'where Asterisk itself sent the 100: the dialplan at that second, "core show channels"',
  ],
  rfc: ['RFC 3261 21.1.1', 'RFC 3261 16.8'],
  methods: ['INVITE'],
  isOfFinal: (status) => status === 0 || status === 487,
  explain(leg, context) {
    const { attempt } = leg
    if (!attempt || attempt.responses.length === 0 || isAnswerImplied(leg)) return null
    const status = statusOf(attempt.final)
    if (status !== 0 && status !== 487) return null
    if (attempt.responses.some((one) => statusOf(one) > 100 && statusOf(one) < 200)) return null
    const givenUpAt = attempt.cancel?.startedAtMicros ?? attempt.final?.message.atMicros
    const waitedMicros = (givenUpAt ?? watchedUntilMicros(leg, context.nowMicros)) - attempt.startedAtMicros
    if (waitedMicros < (givenUpAt === undefined ? transactionTimeoutMicros : patienceMicros)) return null
    const isOver = givenUpAt !== undefined
    const [trying] = attempt.responses
    return {
      severity: isOver ? 'error' : 'warning',
      side: sideOf(attempt, 'server'),
      confidence: 'medium',
      title: isOver ? 'Only 100 Trying, then silence' : 'Only 100 Trying so far',
      sentence:
        `${nameOf(attempt, 'server')} took the INVITE for ${calledNumber(attempt)} with 100 Trying and then said nothing` +
        (isOver
          ? `; ${nameOf(attempt, 'client')} gave up after ${duration(waitedMicros)}.`
          : ` for ${duration(waitedMicros)} so far.`),
      evidence: evidenceOf(attempt.request, trying, attempt.cancel?.request),
      checks: isUs(attempt, 'server')
        ? [
            'the dialplan at that second, and the leg behind: "core show channels"',
            'the Asterisk log at that second',
          ]
        : [
            'ask the provider for its next hop at that time',
            'a second trunk to fall back to, with a timeout in Dial()',
          ],
      atMicros: attempt.startedAtMicros,
      isFailure: true,
      absentSinceMicros: attempt.startedAtMicros,
    }
  },
}
