import { isPrivateAddress, isPublicAddress } from '../address-scope.ts'
import { currentValueOf } from '../current-options.ts'
import type { PjsipOption, VerdictRule } from '../finding.ts'
import { isSuccess, statusOf } from '../leg.ts'
import { sdpOf } from '../message-sdp.ts'
import type { SipMessage } from '../message.ts'
import { rememberOfMessage } from '../remember.ts'
import type { Sighting } from '../sightings.ts'
import { evidenceOf, isUs, nameOf, sideOf, type Role } from '../wording.ts'

/** The private address that the SDP wants its media at; null when there is none, or when ICE finds another. */
const privateMediaIn = rememberOfMessage((message: SipMessage): string | null => {
  for (const { port, address, attributes } of sdpOf(message)?.media ?? []) {
    const hasIce = attributes.some((one) => one.startsWith('candidate:') || one.startsWith('ice-ufrag:'))
    if (port !== 0 && !hasIce && isPrivateAddress(address)) return `${address}:${port}`
  }
  return null
})

/** The same, when the message crosses a public network. */
function privateMedia({ message: { message, src, dst } }: Sighting): string | null {
  const isPublic = isPublicAddress(src.address) || isPublicAddress(dst.address)
  return isPublic ? privateMediaIn(message) : null
}

const rtpSymmetric: PjsipOption = { option: 'rtp_symmetric', object: 'endpoint' }

/** What becomes of the media. A healthy phone behind NAT asks for the same; SIP alone does not show whether it hears. */
function consequence(symmetric: string | undefined): string {
  if (symmetric === 'no')
    return 'Asterisk sends them there, since rtp_symmetric is no for it: one-way audio or none.'
  if (symmetric === 'yes')
    return 'Asterisk sends them to where its own media come from instead, since rtp_symmetric is yes for it.'
  return 'one-way audio or none, unless the other side sends to where the media come from.'
}

/** A private address in the SDP of a message from or to the public network. Told as a warning only where the media are sure
 *  to go there. */
export const privateMediaAddress: VerdictRule = {
  id: 'A04-private-media-address',
  title: 'Private address in the SDP',
  meaning:
    'Media are wanted at an address that cannot be reached from the other side: one-way audio or none.',
  kind: 'symptom',
  checks: [
    'for Asterisk behind NAT: pjsip.conf, type=transport: external_media_address and local_net',
    'for a device behind NAT: pjsip.conf, type=endpoint: rtp_symmetric=yes and direct_media=no',
  ],
  rfc: ['RFC 3264', 'RFC 8866'],
  options: [
    { option: 'external_media_address', object: 'transport' },
    { option: 'local_net', object: 'transport' },
    rtpSymmetric,
    { option: 'direct_media', object: 'endpoint' },
    { option: 'ice_support', object: 'endpoint' },
  ],
  methods: ['INVITE'],
  explain(leg, context) {
    const { attempt } = leg
    if (attempt === null) return null
    const answer = attempt.responses.find((one) => isSuccess(statusOf(one)))
    const candidates: [Sighting | null | undefined, Role][] = [
      [attempt.request, 'client'],
      [answer, 'server'],
    ]
    for (const [sighting, owner] of candidates) {
      const media = sighting ? privateMedia(sighting) : null
      if (!sighting || media === null) continue
      const isOurs = isUs(attempt, owner)
      const symmetric = isOurs ? undefined : currentValueOf(leg, rtpSymmetric, context)
      return {
        severity: symmetric === 'no' ? 'warning' : 'info',
        side: sideOf(attempt, owner),
        confidence: 'medium',
        sentence:
          `${nameOf(attempt, owner)} wants its media at ${media}, a private address that the other side cannot reach: ` +
          consequence(symmetric),
        evidence: evidenceOf(sighting),
        checks: isOurs
          ? [
              'pjsip.conf, type=transport: external_media_address with the public address',
              'pjsip.conf, type=transport: local_net with the networks that are inside',
            ]
          : [
              'pjsip.conf, type=endpoint: rtp_symmetric=yes',
              'pjsip.conf, type=endpoint: direct_media=no',
              'pjsip.conf, type=endpoint: ice_support, if the device can do it',
            ],
        options: isOurs
          ? [
              { option: 'external_media_address', object: 'transport' },
              { option: 'local_net', object: 'transport' },
            ]
          : [
              rtpSymmetric,
              { option: 'direct_media', object: 'endpoint' },
              { option: 'ice_support', object: 'endpoint' },
            ],
        atMicros: sighting.message.atMicros,
      }
    }
    return null
  },
}
