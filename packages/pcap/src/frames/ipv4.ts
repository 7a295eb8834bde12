import { ipv4Text } from '../address.ts'
import { u16be } from '../byte-order.ts'
import type { IpPacket } from './ip-packet.ts'

/** The IPv4 header at `at` (RFC 791), or a sentence. */
export function readIpv4(bytes: Uint8Array, at: number): IpPacket | string {
  const headerBytes = ((bytes[at] ?? 0) & 15) * 4
  if (headerBytes < 20) return 'IPv4 header length below 20'
  const payloadStart = at + headerBytes
  if (payloadStart > bytes.length) return 'IPv4 header cut off'
  const flags = u16be(bytes, at + 6)
  const told = u16be(bytes, at + 2)
  // 0 is a packet that the network card was to cut into segments: everything captured is payload.
  const end = told === 0 ? bytes.length : at + told
  if (end < payloadStart) return 'IPv4 total length below the header length'
  return {
    version: 4,
    src: ipv4Text(bytes, at + 12),
    dst: ipv4Text(bytes, at + 16),
    protocol: bytes[at + 9] ?? 0,
    ipId: u16be(bytes, at + 4),
    payloadStart,
    payloadEnd: Math.min(end, bytes.length),
    isTruncated: end > bytes.length,
    fragmentOffset: (flags & 0x1fff) * 8,
    moreFragments: (flags & 0x2000) !== 0,
  }
}
