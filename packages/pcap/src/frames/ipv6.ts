import { ipv6Text } from '../address.ts'
import { u16be, u32be } from '../byte-order.ts'
import { ipProtocols, type IpPacket } from './ip-packet.ts'

const headerBytes = 40
const maxExtensionHeaders = 16

/** The IPv6 header at `at` with its extension headers (RFC 8200), or a sentence. */
export function readIpv6(bytes: Uint8Array, at: number): IpPacket | string {
  if (at + headerBytes > bytes.length) return 'IPv6 header cut off'
  const told = u16be(bytes, at + 4)
  const end = told === 0 ? bytes.length : at + headerBytes + told
  let protocol = bytes[at + 6] ?? 0
  let start = at + headerBytes
  let ipId = 0
  let fragmentOffset = 0
  let moreFragments = false
  for (let count = 0; isExtension(protocol); count += 1) {
    if (count >= maxExtensionHeaders) return 'too many IPv6 extension headers'
    if (start + 8 > bytes.length || start + 8 > end) return 'IPv6 extension header cut off'
    const next = bytes[start] ?? 0
    if (protocol === ipProtocols.fragment) {
      const field = u16be(bytes, start + 2)
      fragmentOffset = field & 0xfff8
      moreFragments = (field & 1) !== 0
      ipId = u32be(bytes, start + 4)
      start += 8
      protocol = next
      // What follows in a later fragment is not a header.
      if (fragmentOffset > 0 || moreFragments) break
    } else {
      const units = bytes[start + 1] ?? 0
      start += protocol === ipProtocols.authentication ? (units + 2) * 4 : (units + 1) * 8
      protocol = next
    }
  }
  if (start > end || start > bytes.length) return 'IPv6 extension header cut off'
  return {
    version: 6,
    src: ipv6Text(bytes, at + 8),
    dst: ipv6Text(bytes, at + 24),
    protocol,
    ipId,
    payloadStart: start,
    payloadEnd: Math.min(end, bytes.length),
    isTruncated: end > bytes.length,
    fragmentOffset,
    moreFragments,
  }
}

function isExtension(protocol: number): boolean {
  switch (protocol) {
    case ipProtocols.hopByHop:
    case ipProtocols.routing:
    case ipProtocols.fragment:
    case ipProtocols.authentication:
    case ipProtocols.destinationOptions:
    case ipProtocols.mobility:
    case ipProtocols.hip:
    case ipProtocols.shim6:
      return true
    default:
      return false
  }
}
