import type { VerdictRule } from '../finding.ts'
import { isSuccess, statusOf } from '../leg.ts'
import { sdpOf } from '../message-sdp.ts'
import type { SdpMedia } from '../sdp.ts'
import { toPrintable } from '../printable.ts'
import { evidenceOf, nameOf, sideOf } from '../wording.ts'

/** Browsers speak DTLS-SRTP with feedback (RFC 8827), and insist on ICE. */
function isWebRtc({ protocol, port }: SdpMedia): boolean {
  return port !== 0 && protocol.toUpperCase() === 'UDP/TLS/RTP/SAVPF'
}

function speaksIce({ attributes }: SdpMedia): boolean {
  return attributes.some((one) => one.startsWith('candidate:') || one.startsWith('ice-ufrag:'))
}

/** A WebRTC offer answered without ICE. */
export const noIce: VerdictRule = {
  id: 'M07-no-ice',
  title: 'WebRTC answered without ICE: no audio',
  meaning:
    'The offer comes from a browser, which sends media only where ICE has found a way, and the answer does not take part in ICE.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=endpoint: webrtc=yes, or ice_support=yes',
    'rtp.conf: icesupport, stunaddr and turnaddr',
  ],
  rfc: ['RFC 8839', 'RFC 8445'],
  options: [
    { option: 'webrtc', object: 'endpoint' },
    { option: 'ice_support', object: 'endpoint' },
  ],
  methods: ['INVITE'],
  isOfFinal: isSuccess,
  explain({ attempt }) {
    if (!attempt?.request || !attempt.final || !isSuccess(statusOf(attempt.final))) return null
    const offer = sdpOf(attempt.request.message.message)?.media ?? []
    const answer = sdpOf(attempt.final.message.message)?.media ?? []
    const lost = offer.find((offered, index) => {
      const answered = answer[index]
      // Where ICE stands for the whole session in the offer it is not told apart here, and nothing is said.
      return isWebRtc(offered) && speaksIce(offered) && answered?.port && !speaksIce(answered)
    })
    if (lost === undefined) return null
    return {
      severity: 'warning',
      side: sideOf(attempt, 'server'),
      confidence: 'medium',
      sentence:
        `${nameOf(attempt, 'client')} offered ${toPrintable(lost.kind, 20)} with ICE, as browsers do, and ${nameOf(attempt, 'server')} answered without: ` +
        `a browser sends no media then.`,
      evidence: evidenceOf(attempt.request, attempt.final),
      atMicros: attempt.final.message.atMicros,
    }
  },
}
