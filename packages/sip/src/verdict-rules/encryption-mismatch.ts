import type { VerdictRule } from '../finding.ts'
import { isSuccess, statusOf } from '../leg.ts'
import { sdpOf } from '../message-sdp.ts'
import type { SdpMedia } from '../sdp.ts'
import { toPrintable } from '../printable.ts'
import { evidenceOf, nameOf, sideOf } from '../wording.ts'

function isSecure({ protocol }: SdpMedia): boolean {
  return protocol.toUpperCase().includes('SAVP')
}

function hasKeys({ attributes }: SdpMedia): boolean {
  return attributes.some((one) => one.startsWith('crypto:') || one.startsWith('fingerprint:'))
}

/** Answered, but the two sides do not agree whether the media are encrypted. */
export const encryptionMismatch: VerdictRule = {
  id: 'M06-encryption-mismatch',
  title: 'Encryption of the media does not match',
  meaning: 'The answer has another RTP profile than the offer, or promises SRTP without a key: no audio.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=endpoint: media_encryption (sdes, dtls or no) as the other side has it',
    'pjsip.conf, type=endpoint: webrtc=yes for browsers',
  ],
  rfc: ['RFC 3264', 'RFC 4568'],
  options: [
    { option: 'media_encryption', object: 'endpoint' },
    { option: 'media_encryption_optimistic', object: 'endpoint' },
    { option: 'webrtc', object: 'endpoint' },
  ],
  methods: ['INVITE'],
  isOfFinal: isSuccess,
  explain({ attempt }) {
    if (!attempt?.request || !attempt.final || !isSuccess(statusOf(attempt.final))) return null
    const offer = sdpOf(attempt.request.message.message)
    const answer = sdpOf(attempt.final.message.message)
    for (const [index, offered] of (offer?.media ?? []).entries()) {
      const answered = answer?.media[index]
      if (!answered || answered.port === 0 || offered.port === 0 || offered.kind !== answered.kind) continue
      // A fingerprint may stand at the session level, which is not told apart here: then only the profile counts.
      const isKeyless =
        isSecure(answered) &&
        isSecure(offered) &&
        !hasKeys(answered) &&
        offered.attributes.some((one) => one.startsWith('crypto:'))
      if (isSecure(offered) === isSecure(answered) && !isKeyless) continue
      return {
        severity: 'warning',
        side: sideOf(attempt, 'server'),
        confidence: 'medium',
        sentence:
          `${nameOf(attempt, 'client')} offered ${toPrintable(`${offered.kind} ${offered.protocol}`, 40)} and ${nameOf(attempt, 'server')} answered ` +
          `${toPrintable(answered.protocol, 30)}${isKeyless ? ' without a key' : ''}: the two do not understand each other's sound.`,
        evidence: evidenceOf(attempt.request, attempt.final),
        atMicros: attempt.final.message.atMicros,
      }
    }
    return null
  },
}
