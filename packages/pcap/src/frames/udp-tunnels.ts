import { u16be, u32be } from '../byte-order.ts'
import { etherTypes, versionEtherType } from './ether-types.ts'
import { skipShims, type NetworkStart } from './shims.ts'

type Inner = Pick<NetworkStart, 'etherType' | 'offset'>

const ports = {
  l2tp: 1701,
  gtpUser: 2152,
  teredo: 3544,
  vxlan: 4789,
  oldVxlan: 8472,
  geneve: 6081,
  mpls: 6635,
  tzsp: 37_008,
}

/** By UDP port: itself where a tunnel has it, else 0. */
const tunnelOf = new Uint16Array(65_536)
for (const port of Object.values(ports)) tunnelOf[port] = port

/**
 * The network layer inside a tunnel over UDP, told by its port and by a header that fits, else null: then the payload
 * is taken as it is. `end` is the end of the UDP payload.
 */
export function readUdpTunnel(
  bytes: Uint8Array,
  at: number,
  end: number,
  srcPort: number,
  dstPort: number,
): Inner | null {
  // Asked of every datagram: two look-ups, no closure.
  const tunnel = tunnelOf[dstPort] || tunnelOf[srcPort]
  if (!tunnel) return null
  const inner = readTunnel(tunnel, bytes, at, end)
  if (!inner || inner.offset >= end) return null
  return versionEtherType(bytes, inner.offset) === inner.etherType ? inner : null
}

function readTunnel(port: number, bytes: Uint8Array, at: number, end: number): Inner | null {
  switch (port) {
    case ports.gtpUser:
      return readGtp(bytes, at)
    case ports.vxlan:
    case ports.oldVxlan:
      return readVxlan(bytes, at)
    case ports.l2tp:
      return readL2tp(bytes, at)
    case ports.geneve:
      return readGeneve(bytes, at)
    case ports.mpls:
      return skipShims(bytes, etherTypes.mpls, at, -1)
    case ports.tzsp:
      return readTzsp(bytes, at, end)
    default:
      return { etherType: versionEtherType(bytes, at), offset: at }
  }
}

/** GTPv1-U (3GPP TS 29.281): only user data, message type 255. */
function readGtp(bytes: Uint8Array, at: number): Inner | null {
  const flags = bytes[at] ?? 0
  if (flags >>> 5 !== 1 || bytes[at + 1] !== 0xff) return null
  let offset = at + 8
  if (flags & 7) {
    let next = flags & 4 ? (bytes[offset + 3] ?? 0) : 0
    offset += 4
    while (next !== 0) {
      const units = bytes[offset] ?? 0
      if (units === 0) return null
      offset += units * 4
      next = bytes[offset - 1] ?? 0
    }
  }
  return { etherType: versionEtherType(bytes, offset), offset }
}

/** RFC 7348: flag I, 24 bits reserved, the network's number, then Ethernet. */
function readVxlan(bytes: Uint8Array, at: number): Inner | null {
  if (bytes[at] !== 0x08 || (u32be(bytes, at) & 0xff_ffff) !== 0) return null
  return skipShims(bytes, etherTypes.transparentBridging, at + 8, -1)
}

/** RFC 8926: version 0, options in units of 4 bytes. */
function readGeneve(bytes: Uint8Array, at: number): Inner | null {
  const first = bytes[at] ?? 0
  if (first >>> 6 !== 0) return null
  return skipShims(bytes, u16be(bytes, at + 2), at + 8 + (first & 63) * 4, -1)
}

/** TaZmen: version 1, type 0 (a packet received), protocol 1 (Ethernet), then tags up to tag 1. */
function readTzsp(bytes: Uint8Array, at: number, end: number): Inner | null {
  if (bytes[at] !== 1 || bytes[at + 1] !== 0 || u16be(bytes, at + 2) !== 1) return null
  let offset = at + 4
  while (offset < end) {
    const tag = bytes[offset]
    offset += 1
    if (tag === 1) return skipShims(bytes, etherTypes.transparentBridging, offset, -1)
    if (tag !== 0) offset += 1 + (bytes[offset] ?? 0)
  }
  return null
}

/** L2TPv2 (RFC 2661 section 3.1): a data message, whose optional fields the flags tell, then PPP. */
function readL2tp(bytes: Uint8Array, at: number): Inner | null {
  const flags = u16be(bytes, at)
  if (flags & 0x8000 || (flags & 15) !== 2) return null
  let offset = at + 6
  if (flags & 0x4000) offset += 2
  if (flags & 0x0800) offset += 4
  if (flags & 0x0200) offset += 2 + u16be(bytes, offset)
  return skipShims(bytes, etherTypes.ppp, offset, -1)
}
