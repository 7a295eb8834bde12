import type { VerdictRule } from '../finding.ts'
import { isSuccess, statusOf } from '../leg.ts'
import { changeName, changesWith, sessionChanges } from '../session-changes.ts'
import { evidenceOf, nameOf, times } from '../wording.ts'

/** One glare makes two of them, one on each side. */
const normalCount = 2
const retryPatienceMicros = 10_000_000

/** 491 to a re-INVITE or UPDATE. */
export const glare: VerdictRule = {
  id: 'D01-glare',
  title: 'Both sides changed the session at once',
  meaning:
    'Two re-INVITEs or UPDATEs crossed and were refused with 491. Normal once: each side tries again a moment later.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=endpoint: direct_media_glare_mitigation, or direct_media=no',
    'pjsip.conf, type=endpoint: send_connected_line=no, if connected line updates cause it',
  ],
  rfc: ['RFC 3261 14.1', 'RFC 3261 21.4.27'],
  options: [
    { option: 'direct_media_glare_mitigation', object: 'endpoint' },
    { option: 'direct_media', object: 'endpoint' },
    { option: 'send_connected_line', object: 'endpoint' },
  ],
  methods: ['INVITE', 'UPDATE'],
  signs: ['refusal'],
  explain(leg) {
    const refused = changesWith(leg, 491)
    const last = refused.at(-1)
    if (!last?.final) return null
    const refusedAt = last.final.message.atMicros
    const isSettled = sessionChanges(leg).some(
      ({ startedAtMicros, final }) => startedAtMicros >= refusedAt && isSuccess(statusOf(final)),
    )
    const isLeft = !isSettled && leg.last.message.atMicros - refusedAt > retryPatienceMicros
    const isTrouble = refused.length > normalCount || isLeft
    return {
      severity: isTrouble ? 'warning' : 'info',
      side: isTrouble ? 'us' : 'none',
      confidence: isTrouble ? 'medium' : 'high',
      title: isTrouble ? 'Session changes keep colliding' : 'Both sides changed the session at once',
      sentence:
        `${nameOf(last, 'server')} refused the ${changeName(last)} of ${nameOf(last, 'client')} with 491, because another change was ` +
        `under way (${times(refused.length)} in this call)` +
        (isSettled ? '; a later one went through.' : isLeft ? '; it was not tried again.' : '.'),
      evidence: evidenceOf(...refused.slice(0, 6).flatMap((one) => [one.request, one.final])),
      atMicros: refused[0]?.startedAtMicros ?? refusedAt,
    }
  },
}
