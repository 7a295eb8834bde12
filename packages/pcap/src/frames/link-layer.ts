import { u16be, u16le, u32be, u32le } from '../byte-order.ts'
import { isRawIp, linkTypes } from '../link-types.ts'
import { readEndace } from './endace.ts'
import { etherTypes, familyEtherType, versionEtherType } from './ether-types.ts'
import { readLlc, readNlpid } from './llc.ts'
import { skipShims, type NetworkStart } from './shims.ts'
import { prismPayloadStart, radiotapPayloadStart, wirelessPayloadStart } from './wireless.ts'

const nflogPayload = 9
const sunAtmLan = 1

/** Reads the link layer with VLAN tags, PPPoE and MPLS labels; null if the frame is too short or its type unknown. */
export function readLinkLayer(linkType: number, bytes: Uint8Array, isNested = false): NetworkStart | null {
  switch (linkType) {
    case linkTypes.ethernet:
      return skipShims(bytes, u16be(bytes, 12), 14, -1)
    case linkTypes.linuxSll:
      return skipShims(bytes, u16be(bytes, 14), 16, u16be(bytes, 0))
    case linkTypes.linuxSll2:
      return skipShims(bytes, u16be(bytes, 0), 20, bytes[10] ?? 0)
    case linkTypes.null:
      // Written in the capturing machine's byte order.
      return network(familyEtherType(u32le(bytes, 0)) || familyEtherType(u32be(bytes, 0)), 4)
    case linkTypes.loop:
      return network(familyEtherType(u32be(bytes, 0)), 4)
    case linkTypes.ppp:
    case linkTypes.pppHdlc:
      return skipShims(bytes, etherTypes.ppp, 0, -1)
    case linkTypes.pppWithDirection:
      return skipShims(bytes, etherTypes.ppp, 1, bytes[0] === 0 ? 0 : 4)
    case linkTypes.pppoe:
      return skipShims(bytes, etherTypes.pppoeSession, 0, -1)
    case linkTypes.ciscoHdlc:
      return skipShims(bytes, u16be(bytes, 2), 4, -1)
    case linkTypes.frameRelay:
      return readFrameRelay(bytes)
    case linkTypes.mpls:
      return skipShims(bytes, etherTypes.mpls, 0, -1)
    case linkTypes.nflog:
      return readNflog(bytes)
    case linkTypes.ieee80211:
      return afterLlc(bytes, wirelessPayloadStart(bytes, 0))
    case linkTypes.radiotap:
      return afterLlc(bytes, radiotapPayloadStart(bytes))
    case linkTypes.prism:
    case linkTypes.avs:
      return afterLlc(bytes, prismPayloadStart(bytes))
    case linkTypes.tokenRing:
      return afterLlc(bytes, tokenRingPayloadStart(bytes))
    case linkTypes.fddi:
      return afterLlc(bytes, 13)
    case linkTypes.oldAtm:
    case linkTypes.atm:
      return afterLlc(bytes, 0)
    case linkTypes.sunAtm:
      return (bytes[0] ?? 0) % 16 === sunAtmLan
        ? skipShims(bytes, etherTypes.transparentBridging, 6, -1)
        : afterLlc(bytes, 4)
    case linkTypes.packetFilterLog:
      return network(familyEtherType(bytes[1] ?? 0), ((bytes[0] ?? 0) + 3) & ~3)
    case linkTypes.encapsulating:
      return network(familyEtherType(u32le(bytes, 0)) || familyEtherType(u32be(bytes, 0)), 12)
    case linkTypes.fireWireIp:
      return skipShims(bytes, u16be(bytes, 16), 18, -1)
    case linkTypes.infiniBandIp:
      return skipShims(bytes, u16be(bytes, 40), 44, -1)
    case linkTypes.perPacket:
      return inside(bytes, u32le(bytes, 4), u16le(bytes, 2), isNested)
    case linkTypes.packetTap:
    case linkTypes.packetTapUser:
      return inside(bytes, u32le(bytes, 8), u32le(bytes, 0), isNested)
    case linkTypes.endace: {
      const record = readEndace(bytes)
      return record && inside(bytes, record.linkType, record.offset, isNested)
    }
    default: {
      const etherType = isRawIp(linkType) ? versionEtherType(bytes, 0) : 0
      return etherType === 0 ? null : { etherType, offset: 0, packetType: -1 }
    }
  }
}

function network(etherType: number, offset: number): NetworkStart {
  return { etherType, offset, packetType: -1 }
}

/** The frame of another link type inside a header that tells it; once. */
function inside(bytes: Uint8Array, linkType: number, at: number, isNested: boolean): NetworkStart | null {
  if (isNested || at > bytes.length) return null
  const start = readLinkLayer(linkType, bytes.subarray(at), true)
  return start && { ...start, offset: at + start.offset }
}

function afterLlc(bytes: Uint8Array, at: number): NetworkStart | null {
  if (at < 0 || at >= bytes.length) return null
  const { etherType, offset } = readLlc(bytes, at)
  return skipShims(bytes, etherType, offset, -1)
}

/** IEEE 802.5: a set first bit of the source address tells that a route follows. */
function tokenRingPayloadStart(bytes: Uint8Array): number {
  const hasRoute = ((bytes[8] ?? 0) & 0x80) !== 0
  return 14 + (hasRoute ? (bytes[14] ?? 0) & 31 : 0)
}

/** Q.922 address of 2 to 4 bytes, then RFC 2427: control, padding, NLPID. */
function readFrameRelay(bytes: Uint8Array): NetworkStart | null {
  let offset = 0
  while (offset < 4 && ((bytes[offset] ?? 1) & 1) === 0) offset += 1
  offset += 1
  // Cisco's own encapsulation has an Ethernet type here.
  const type = u16be(bytes, offset)
  if (type === etherTypes.ipv4 || type === etherTypes.ipv6) {
    return skipShims(bytes, type, offset + 2, -1)
  }
  if (bytes[offset] !== 0x03) return null
  offset += bytes[offset + 1] === 0 ? 2 : 1
  const { etherType, offset: start } = readNlpid(bytes, offset)
  return skipShims(bytes, etherType, start, -1)
}

/** Netfilter's log: family, version, resource id, then attributes of length, type and value, padded to 4. */
function readNflog(bytes: Uint8Array): NetworkStart | null {
  let at = 4
  while (at + 4 <= bytes.length) {
    const length = u16le(bytes, at)
    if (length < 4) return null
    if ((u16le(bytes, at + 2) & 0x7fff) === nflogPayload) {
      const etherType = versionEtherType(bytes, at + 4)
      return etherType === 0 ? null : { etherType, offset: at + 4, packetType: -1 }
    }
    at += (length + 3) & ~3
  }
  return null
}
