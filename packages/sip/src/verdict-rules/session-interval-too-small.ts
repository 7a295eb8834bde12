import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { toPrintable } from '../printable.ts'
import { sessionChanges } from '../session-changes.ts'
import { answerText, evidenceOf, nameOf, requestText, sideOf } from '../wording.ts'

/** 422 that nobody made good. */
export const sessionIntervalTooSmall: VerdictRule = {
  id: 'D03-session-interval-too-small',
  title: 'Session interval too small',
  meaning:
    'The other side wants a longer session timer than was offered; a good client comes back with that at once.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=endpoint: timers_sess_expires at least as long as the Min-SE of the answer',
    'pjsip.conf, type=endpoint: timers_min_se on our side',
  ],
  rfc: ['RFC 4028 6'],
  options: [
    { option: 'timers_sess_expires', object: 'endpoint' },
    { option: 'timers_min_se', object: 'endpoint' },
  ],
  methods: ['INVITE', 'UPDATE'],
  signs: ['refusal'],
  explain(leg) {
    // The last try counts: what came back with a longer interval is no event.
    const change = sessionChanges(leg).at(-1)
    const refused = [change, leg.attempt].find((one) => statusOf(one?.final ?? null) === 422)
    if (!refused?.final) return null
    const { message } = refused.final.message
    const minimum = toPrintable(message.header('min-se') ?? '', 12)
    const offered = toPrintable(refused.request?.message.message.header('session-expires') ?? '', 24)
    const isOpening = refused === leg.attempt
    return {
      severity: isOpening ? 'error' : 'warning',
      side: sideOf(refused, 'client'),
      confidence: 'high',
      sentence:
        `${nameOf(refused, 'server')} answered the ${requestText(refused)} with ${answerText(refused.final)}: it wants a session interval ` +
        `of at least ${minimum === '' ? 'more' : `${minimum} s`}${offered === '' ? '' : `, and ${offered} was offered`}; ` +
        `${nameOf(refused, 'client')} did not come back with that.`,
      evidence: evidenceOf(refused.request, refused.final),
      atMicros: refused.final.message.atMicros,
      isFailure: isOpening,
    }
  },
}
