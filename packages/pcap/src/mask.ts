import { putU16be } from './byte-order.ts'
import { buildTcpFrame, buildUdpFrame, maxUdpPayloadBytes, type FrameEnd } from './build.ts'
import { decodeFrame } from './decode.ts'
import { ipProtocols } from './frames/ip-packet.ts'
import { etherTypes, versionEtherType } from './frames/ether-types.ts'
import { linkTypes, isRawIp } from './link-types.ts'
import { maskDatagram, maskSipMessage } from './mask/message.ts'
import { Pseudonyms } from './mask/pseudonyms.ts'

export interface MaskedFrameParts {
  /** Unmasked, as captured. */
  readonly src: FrameEnd
  readonly dst: FrameEnd
  /** The whole message, unmasked. */
  readonly payload: Uint8Array
  /** `UDP` unless told; a message that no datagram holds once it is masked becomes TCP segments all the same. */
  readonly transport?: 'UDP' | 'TCP'
  /** Of the first TCP byte; 1 unless told. */
  readonly sequence?: number
  /** `linkTypes.raw` or `linkTypes.ethernet`; raw unless told. */
  readonly linkType?: number
}

export interface Masker {
  /** One SIP message (RFC 3261 7) → the same one masked, Content-Length right. Never throws. */
  maskMessage(payload: Uint8Array): Uint8Array
  /** IPv4 → 240.0.0.0/4, IPv6 → fd00::/8, in text without brackets; the same in, the same out. `''` stays. */
  maskAddress(address: string): string
  /** A frame of one UDP datagram, in the same link type, MAC addresses zero, lengths and checksums right. Null where the
   *  message is not in this frame alone (fragments, TCP) or the frame is none of ours: then `buildMaskedFrames`. */
  maskFrame(linkType: number, frame: Uint8Array): Uint8Array | null
  /** Fresh frames for a message that was in several frames or in none; mostly one. */
  buildMaskedFrames(parts: MaskedFrameParts): Uint8Array[]
  /** IPv4 addresses that share a pseudonym since there are more than the table holds (a million). */
  readonly sharedAddresses: number
}

const maxSegmentBytes = 65_000

/**
 * Consistent pseudonyms for numbers, names, addresses, hosts, Call-IDs, tags and branches; digests, keys and the content
 * of bodies removed. `secret`: at least 16 random bytes, else a RangeError; who has it can find out by trying, so
 * throw it away with the masker.
 */
export function createMasker(options: { readonly secret: Uint8Array }): Masker {
  const names = new Pseudonyms(options.secret)
  const maskEnd = (end: FrameEnd): FrameEnd => ({ address: names.address(end.address), port: end.port })

  const maskFrame = (linkType: number, frame: Uint8Array): Uint8Array | null => {
    const decoded = decodeFrame(linkType, frame)
    if (decoded.problem !== null || decoded.fragment || decoded.protocol !== ipProtocols.udp) return null
    const link = maskedLinkLayer(linkType, frame, decoded.version)
    if (!link) return null
    const src = maskEnd({ address: decoded.src, port: decoded.srcPort })
    const dst = maskEnd({ address: decoded.dst, port: decoded.dstPort })
    const payload = maskDatagram(names, decoded.payload)
    if (payload.length > maxUdpPayloadBytes[4]) return null
    const packet = buildUdpFrame({ src, dst, payload, ipId: decoded.version === 4 ? decoded.ipId : 0 })
    const whole = new Uint8Array(link.length + packet.length)
    whole.set(link)
    whole.set(packet, link.length)
    return whole
  }

  const buildMaskedFrames = (parts: MaskedFrameParts): Uint8Array[] => {
    // Addresses first: the message may name them where only a known address is seen to be one.
    const src = maskEnd(parts.src)
    const dst = maskEnd(parts.dst)
    const payload = maskDatagram(names, parts.payload)
    const linkType = parts.linkType ?? linkTypes.raw
    if (parts.transport !== 'TCP' && payload.length <= maxUdpPayloadBytes[4]) {
      return [buildUdpFrame({ linkType, src, dst, payload })]
    }
    const frames: Uint8Array[] = []
    for (let at = 0; at === 0 || at < payload.length; at += maxSegmentBytes) {
      const piece = payload.subarray(at, at + maxSegmentBytes)
      frames.push(
        buildTcpFrame({ linkType, src, dst, payload: piece, sequence: ((parts.sequence ?? 1) + at) >>> 0 }),
      )
    }
    return frames
  }

  return {
    maskMessage: (payload) => maskSipMessage(names, payload),
    maskAddress: (address) => names.address(address),
    maskFrame,
    buildMaskedFrames,
    get sharedAddresses() {
      return names.shared
    },
  }
}

/** A link layer that says no more than which network layer follows; null for a type that is not known. */
function maskedLinkLayer(linkType: number, frame: Uint8Array, version: 4 | 6): Uint8Array | null {
  const etherType = version === 4 ? etherTypes.ipv4 : etherTypes.ipv6
  const isRaw = isRawIp(linkType)
  // These tell the version of the outer packet, which is not the one masked where there is a tunnel.
  if (isRaw || linkType === linkTypes.null || linkType === linkTypes.loop) {
    return versionEtherType(frame, isRaw ? 0 : 4) === etherType ? frame.slice(0, isRaw ? 0 : 4) : null
  }
  switch (linkType) {
    case linkTypes.ethernet: {
      const header = new Uint8Array(14)
      putU16be(header, 12, etherType)
      return header
    }
    case linkTypes.linuxSll: {
      const header = new Uint8Array(16)
      // Packet type and kind of device tell in from out; the address at 6 stays zero.
      header.set(frame.subarray(0, 4))
      putU16be(header, 14, etherType)
      return header
    }
    case linkTypes.linuxSll2: {
      const header = new Uint8Array(20)
      header.set(frame.subarray(4, 11), 4)
      putU16be(header, 0, etherType)
      return header
    }
    default:
      return null
  }
}
