import { u16be } from '../byte-order.ts'
import { etherTypes, versionEtherType } from './ether-types.ts'
import { readLlc } from './llc.ts'

const maxTags = 8
const pppIpv4 = 0x0021
const pppIpv6 = 0x0057
const pppMpls = 0x0281
/** Below this the Ethernet type is a length (IEEE 802.3) and an LLC header follows. */
const smallestEtherType = 0x0600
/** Tags other than VLAN's 4 bytes: their size, the Ethernet type of what follows at their end. */
const longTags: ReadonlyMap<number, number> = new Map([
  [etherTypes.backboneTag, 18],
  [etherTypes.ciscoMetaData, 8],
  [etherTypes.virtualNicTag, 6],
  [etherTypes.extensionTag, 8],
  [etherTypes.redundancyTag, 6],
])

/** Where the network layer starts and what it is. `packetType` is Linux's: 0 to us, 1 broadcast, 2 multicast, 3 for
 *  another host, 4 sent by us; -1 where the link type does not tell. A hint only: on loopback it is always 0. */
export interface NetworkStart {
  readonly etherType: number
  readonly offset: number
  readonly packetType: number
}

/** Goes behind tags, labels and the like between an Ethernet type and the network layer. */
export function skipShims(
  bytes: Uint8Array,
  first: number,
  start: number,
  packetType: number,
): NetworkStart | null {
  let etherType = first
  let offset = start
  for (let shims = 0; shims <= maxTags; shims += 1) {
    if (bytes.length < offset) return null
    if (etherType < smallestEtherType && etherType > 0) {
      // 802.3: the type is a length.
      ;({ etherType, offset } = readLlc(bytes, offset))
      continue
    }
    switch (etherType) {
      case etherTypes.ipv4:
      case etherTypes.ipv6:
        return { etherType, offset, packetType }
      case etherTypes.vlan:
      case etherTypes.qinq:
      case etherTypes.oldQinq:
        etherType = u16be(bytes, offset + 2)
        offset += 4
        break
      case etherTypes.pppoeSession:
        etherType = etherTypes.ppp
        offset += 6
        break
      case etherTypes.ppp: {
        // HDLC-like framing (RFC 1662): address and control may be left out, and the protocol's first byte.
        if (bytes[offset] === 0xff && bytes[offset + 1] === 0x03) offset += 2
        const isShort = ((bytes[offset] ?? 0) & 1) === 1
        etherType = pppEtherType(isShort ? (bytes[offset] ?? 0) : u16be(bytes, offset))
        offset += isShort ? 1 : 2
        break
      }
      case etherTypes.mpls:
      case etherTypes.mplsMulticast:
        ;({ etherType, offset } = skipLabels(bytes, offset))
        break
      case etherTypes.transparentBridging:
        etherType = u16be(bytes, offset + 12)
        offset += 14
        break
      default: {
        const tagBytes = longTags.get(etherType)
        if (tagBytes === undefined) return { etherType, offset, packetType }
        offset += tagBytes
        etherType = u16be(bytes, offset - 2)
      }
    }
  }
  return null
}

/** MPLS (RFC 3032) does not say what follows the last label: the first nibble does; 0 is a control word and Ethernet. */
function skipLabels(bytes: Uint8Array, start: number): Pick<NetworkStart, 'etherType' | 'offset'> {
  let offset = start
  while (offset + 4 <= bytes.length) {
    const isLast = ((bytes[offset + 2] ?? 0) & 1) === 1
    offset += 4
    if (!isLast) continue
    const etherType = versionEtherType(bytes, offset)
    if (etherType !== 0) return { etherType, offset }
    const hasControlWord = (bytes[offset] ?? 0) >>> 4 === 0 && u16be(bytes, offset) === 0
    return { etherType: etherTypes.transparentBridging, offset: offset + (hasControlWord ? 4 : 0) }
  }
  return { etherType: 0, offset }
}

function pppEtherType(protocol: number): number {
  if (protocol === pppIpv4) return etherTypes.ipv4
  if (protocol === pppIpv6) return etherTypes.ipv6
  return protocol === pppMpls ? etherTypes.mpls : 0
}
