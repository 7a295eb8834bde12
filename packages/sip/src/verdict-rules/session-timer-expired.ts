import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { changeName, sessionChanges } from '../session-changes.ts'
import { answerText, duration, evidenceOf, nameOf } from '../wording.ts'

const slackMicros = 5_000_000

/** BYE when the session timer runs out (RFC 4028 10: a little before, min(32 s, a third of the interval)). */
export const sessionTimerExpired: VerdictRule = {
  id: 'D04-session-timer-expired',
  title: 'Ended by the session timer',
  meaning:
    'Nobody refreshed the session, and one side hung up when its timer ran out: the refresh was lost, refused or never sent.',
  kind: 'symptom',
  checks: [
    'who is the refresher in Session-Expires, and did its re-INVITE or UPDATE arrive?',
    'pjsip.conf, type=endpoint: timers=no, or timers_sess_expires longer',
    'the path of requests inside the call: Contact, Record-Route, NAT',
  ],
  rfc: ['RFC 4028 7', 'RFC 4028 10'],
  options: [
    { option: 'timers', object: 'endpoint' },
    { option: 'timers_sess_expires', object: 'endpoint' },
  ],
  methods: ['BYE'],
  explain(leg) {
    const dialog = leg.dialogs.find(({ bye }) => bye !== null)
    const interval = dialog?.sessionIntervalSeconds ?? 0
    if (!dialog?.bye || interval <= 0 || dialog.refreshedAtMicros === null) return null
    const agreedAt = dialog.refreshedAtMicros
    const lasted = dialog.bye.startedAtMicros - agreedAt
    const early = Math.min(32_000_000, (interval * 1_000_000) / 3)
    const due = interval * 1_000_000
    if (lasted < due - early - slackMicros / 5 || lasted > due + slackMicros) return null
    const tried = sessionChanges(leg).findLast(({ startedAtMicros }) => startedAtMicros > agreedAt)
    return {
      severity: 'warning',
      side: 'network',
      confidence: tried ? 'high' : 'medium',
      sentence:
        `${nameOf(dialog.bye, 'client')} hung up ${duration(lasted)} after the session was agreed for ${interval} s` +
        (tried
          ? ` and not refreshed: the ${changeName(tried)} of ${nameOf(tried, 'client')} ` +
            (tried.final === null ? 'got no answer.' : `was answered ${answerText(tried.final)}.`)
          : ', and no refresh was seen.'),
      evidence: evidenceOf(
        dialog.answer,
        tried?.request,
        statusOf(tried?.final ?? null) > 0 ? tried?.final : null,
        dialog.bye.request,
      ),
      atMicros: agreedAt,
      ...(tried === undefined && { absentSinceMicros: agreedAt }),
    }
  },
}
