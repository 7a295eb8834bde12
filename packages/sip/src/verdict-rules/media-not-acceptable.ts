import { sdpOf } from '../message-sdp.ts'
import { toPrintable } from '../printable.ts'
import { refusalRule, type RefusalMeaning } from '../refusal.ts'
import type { Transaction } from '../transaction.ts'

/** ` (offered: audio RTP/AVP with PCMA, PCMU)`. */
function offered({ request }: Transaction): string {
  const media = sdpOf(request?.message.message)?.media ?? []
  const lines = media
    .slice(0, 3)
    .map(
      ({ kind, protocol, codecs }) => `${kind} ${protocol} with ${codecs.map(({ name }) => name).join(', ')}`,
    )
  return lines.length === 0 ? '' : ` (offered: ${toPrintable(lines.join('; '), 160)})`
}

const meaning: RefusalMeaning = {
  why: (transaction) =>
    `it accepts nothing of what the SDP offers${offered(transaction)}: no common codec, or encryption on one side only`,
  checks: [
    'pjsip.conf, type=endpoint: allow against the codecs offered in the INVITE',
    'pjsip.conf, type=endpoint: media_encryption, media_encryption_optimistic and webrtc against RTP/AVP or RTP/SAVP in the SDP',
    'pjsip.conf, type=endpoint: t38_udptl, if it is a fax',
  ],
  options: [
    { option: 'allow', object: 'endpoint' },
    { option: 'media_encryption', object: 'endpoint' },
    { option: 'media_encryption_optimistic', object: 'endpoint' },
    { option: 'webrtc', object: 'endpoint' },
    { option: 't38_udptl', object: 'endpoint' },
  ],
}

/** 488, 606. */
export const mediaNotAcceptable = refusalRule({
  id: 'F13-media-not-acceptable',
  title: 'No common codec or encryption',
  meaning:
    'Nothing of what the SDP offers is accepted: no common codec, SRTP against RTP, missing DTLS, or T.38 refused.',
  codes: new Map([
    [488, 'RFC 3261 21.4.26'],
    [606, 'RFC 3261 21.6.4'],
  ]),
  rfc: ['RFC 3264'],
  us: meaning,
  peer: meaning,
})
