import type { VerdictRule } from '../finding.ts'
import { isChallenge, statusOf } from '../leg.ts'
import { sdpOf } from '../message-sdp.ts'
import { changeName, sessionChanges } from '../session-changes.ts'
import { answerText, duration, evidenceOf, givenReasons, nameOf, sideOf } from '../wording.ts'

/** Refusals that have rules of their own: lost dialog, glare, session timer; and a re-INVITE that was cancelled. */
const elsewhere: ReadonlySet<number> = new Set([422, 481, 487, 491])
const soonMicros = 5_000_000

/** A re-INVITE or UPDATE refused for good. */
export const sessionChangeRefused: VerdictRule = {
  id: 'D02-session-change-refused',
  title: 'Change of the session refused',
  meaning:
    'Hold, T.38, direct media, another codec or a refresh was refused inside the call; some programs then hang up.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=endpoint: direct_media=no',
    'pjsip.conf, type=endpoint: t38_udptl, if it is a fax',
    'pjsip.conf, type=endpoint: send_connected_line, timers',
  ],
  rfc: ['RFC 3261 14.2', 'RFC 3264'],
  options: [
    { option: 'direct_media', object: 'endpoint' },
    { option: 't38_udptl', object: 'endpoint' },
    { option: 'send_connected_line', object: 'endpoint' },
    { option: 'timers', object: 'endpoint' },
  ],
  methods: ['INVITE', 'UPDATE'],
  signs: ['refusal'],
  explain(leg) {
    const refused = sessionChanges(leg).findLast(({ final }) => {
      const status = statusOf(final)
      return status >= 300 && !isChallenge(status) && !elsewhere.has(status)
    })
    if (!refused?.final) return null
    const refusedAt = refused.final.message.atMicros
    const bye = leg.of('BYE').find(({ startedAtMicros }) => startedAtMicros >= refusedAt)
    const after = bye ? bye.startedAtMicros - refusedAt : Number.POSITIVE_INFINITY
    const isFax = sdpOf(refused.request?.message.message)?.media.some(({ kind }) => kind === 'image') === true
    return {
      severity: after <= soonMicros ? 'error' : 'warning',
      side: sideOf(refused, 'server'),
      confidence: after <= soonMicros ? 'medium' : 'high',
      title:
        after <= soonMicros
          ? 'Change of the session refused, and the call ended'
          : 'Change of the session refused',
      sentence:
        `${nameOf(refused, 'server')} refused the ${changeName(refused)}${isFax ? ' to fax (T.38)' : ''} of ${nameOf(refused, 'client')} with ` +
        answerText(refused.final) +
        (bye && after <= soonMicros
          ? `, and ${nameOf(bye, 'client')} hung up ${duration(after)} later.`
          : '.') +
        givenReasons(refused.final),
      evidence: evidenceOf(refused.request, refused.final, after <= soonMicros ? bye?.request : null),
      atMicros: refusedAt,
    }
  },
}
