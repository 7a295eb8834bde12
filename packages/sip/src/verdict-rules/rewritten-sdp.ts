import { isPrivateAddress, isPublicAddress } from '../address-scope.ts'
import type { VerdictRule } from '../finding.ts'
import { isSuccess, statusOf } from '../leg.ts'
import { sdpOf } from '../message-sdp.ts'
import type { SdpMedia } from '../sdp.ts'
import type { SipMessage } from '../message.ts'
import { rememberOfMessage } from '../remember.ts'
import type { Sighting } from '../sightings.ts'
import { toPrintable } from '../printable.ts'
import { evidenceOf, nameOf, type Role } from '../wording.ts'

/** The address of `candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ host` (RFC 8839 5.1) or `rtcp:4001 IN IP4 192.0.2.1`
 *  (RFC 3605 2.1); null for other lines. */
function addressIn(attribute: string): string | null {
  if (attribute.startsWith('candidate:')) return attribute.split(' ')[4] ?? null
  return attribute.startsWith('rtcp:') ? (attribute.split(' ')[3] ?? null) : null
}

/** The private address that stands beside a public one that is not among the others; null when all agree. */
function leftBehind({ port, address, attributes }: SdpMedia): string | null {
  if (port === 0 || !isPublicAddress(address)) return null
  const named = attributes.map(addressIn).filter((one) => one !== null)
  return named.includes(address) ? null : (named.find(isPrivateAddress) ?? null)
}

/** The first media of the message that has such an address, and that address; null when there is none. */
const firstLeftBehind = rememberOfMessage(
  (message: SipMessage): { media: SdpMedia; hidden: string } | null => {
    for (const media of sdpOf(message)?.media ?? []) {
      const hidden = leftBehind(media)
      if (hidden !== null) return { media, hidden }
    }
    return null
  },
)

/** Public `c=`, but the candidates or `a=rtcp` of the same media know private addresses only. */
export const rewrittenSdp: VerdictRule = {
  id: 'A05-rewritten-sdp',
  title: 'SDP rewritten in one place only',
  meaning:
    'The c= line has a public address that the candidates or a=rtcp of the same stream do not know: somebody between, such as a SIP ALG, changed the one and not the others.',
  kind: 'symptom',
  checks: [
    'a SIP ALG in the router of the device: switch it off, or use TLS or another port',
    'where it is Asterisk behind NAT: rtp.conf, section ice_host_candidates, beside external_media_address in pjsip.conf, type=transport',
  ],
  rfc: ['RFC 8839', 'RFC 3605'],
  options: [
    { option: 'external_media_address', object: 'transport' },
    { option: 'ice_support', object: 'endpoint' },
  ],
  methods: ['INVITE'],
  explain({ attempt }) {
    if (attempt === null) return null
    const answer = attempt.responses.find((one) => isSuccess(statusOf(one)))
    const candidates: [Sighting | null | undefined, Role][] = [
      [attempt.request, 'client'],
      [answer, 'server'],
    ]
    for (const [sighting, owner] of candidates) {
      const found = sighting ? firstLeftBehind(sighting.message.message) : null
      if (!sighting || found === null) continue
      const { media, hidden } = found
      return {
        severity: 'info',
        side: 'network',
        confidence: 'medium',
        sentence:
          `The SDP of ${nameOf(attempt, owner)} has ${toPrintable(media.address, 45)} in c= for ${toPrintable(media.kind, 20)}, and beside it ` +
          `${toPrintable(hidden, 45)}, a private address: something between changed the one and not the other, and ICE or RTCP may fail.`,
        evidence: evidenceOf(sighting),
        atMicros: sighting.message.atMicros,
      }
    }
    return null
  },
}
