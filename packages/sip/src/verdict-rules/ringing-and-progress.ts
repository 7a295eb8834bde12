import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { evidenceOf, nameOf } from '../wording.ts'

/** 180 and 183 with SDP in one call. */
export const ringingAndProgress: VerdictRule = {
  id: 'S07-ringing-and-progress',
  title: 'Both ringing and early media',
  meaning:
    'The called side sends 180 and early media. Which of the two the caller hears depends on the PBX; a missing ringing tone is often this.',
  kind: 'symptom',
  checks: ['pjsip.conf, type=global: allow_sending_180_after_183', 'Dial() with or without the option r'],
  rfc: ['RFC 3960'],
  options: [{ option: 'allow_sending_180_after_183', object: 'global' }],
  methods: ['INVITE'],
  signs: ['progress'],
  explain({ attempt }) {
    const ringing = attempt?.responses.find((one) => statusOf(one) === 180 && !one.message.message.hasSdp)
    const progress = attempt?.responses.find((one) => statusOf(one) === 183 && one.message.message.hasSdp)
    if (!attempt || !ringing || !progress) return null
    const isRingingFirst = ringing.message.atMicros <= progress.message.atMicros
    return {
      severity: 'info',
      side: 'none',
      confidence: 'medium',
      sentence:
        `${nameOf(attempt, 'server')} sent ${isRingingFirst ? '180 Ringing and then 183 with early media' : '183 with early media and then 180 Ringing'}: ` +
        `if the caller heard no ringing, the two got into each other's way.`,
      evidence: evidenceOf(ringing, progress),
      atMicros: Math.max(ringing.message.atMicros, progress.message.atMicros),
    }
  },
}
