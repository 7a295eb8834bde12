import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { duration, evidenceOf, nameOf, sideOf } from '../wording.ts'

/** Shorter silence is not noticed. */
const noticedMicros = 1_000_000

/** 183 without SDP and no 180: the caller hears nothing. */
export const progressWithoutSdp: VerdictRule = {
  id: 'S06-progress-without-sdp',
  title: '183 without SDP: no ringback',
  meaning:
    'The called side says "progress" without offering sound for it, and never 180: the caller hears neither its tone nor his own.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=endpoint: ignore_183_without_sdp=yes',
    'ask the provider for 180, or for SDP in the 183',
  ],
  rfc: ['RFC 3960'],
  options: [{ option: 'ignore_183_without_sdp', object: 'endpoint' }],
  methods: ['INVITE'],
  signs: ['progress'],
  explain({ attempt }, context) {
    if (attempt === null) return null
    const silent = attempt.responses.find((one) => statusOf(one) === 183 && !one.message.message.hasSdp)
    if (!silent) return null
    const provisional = attempt.responses.filter((one) => statusOf(one) > 100 && statusOf(one) < 200)
    if (provisional.some((one) => one.message.message.hasSdp || statusOf(one) === 180)) return null
    const lasted = (attempt.final?.message.atMicros ?? context.nowMicros) - silent.message.atMicros
    if (lasted < noticedMicros) return null
    return {
      severity: 'warning',
      side: sideOf(attempt, 'server'),
      confidence: 'medium',
      sentence:
        `${nameOf(attempt, 'server')} sent 183 without SDP and no 180: for ${duration(lasted)} the caller heard no ringing, unless ` +
        `his phone makes it up.`,
      evidence: evidenceOf(silent, attempt.final),
      atMicros: silent.message.atMicros,
    }
  },
}
