import { ipv4Text, ipv6Text } from '../address.ts'
import { u16be, u16le, u32be } from '../byte-order.ts'

/** The message inside a HEP packet, with the addresses it had on the wire. Time stays the outer frame's. */
export interface HepMessage {
  readonly src: string
  readonly dst: string
  readonly srcPort: number
  readonly dstPort: number
  readonly payload: Uint8Array
}

const hep3Magic = 0x48455033
const chunk = { ipv4Src: 3, ipv4Dst: 4, ipv6Src: 5, ipv6Dst: 6, srcPort: 7, dstPort: 8, payload: 15 }
const afInet = 2

/** HEP version 1, 2 or 3 (Homer's encapsulation); null for anything else. */
export function readHep(bytes: Uint8Array): HepMessage | null {
  if (u32be(bytes, 0) === hep3Magic) return readHep3(bytes)
  const version = bytes[0]
  const headerBytes = bytes[1] ?? 0
  if (version !== 1 && version !== 2) return null
  const isIpv4 = bytes[2] === afInet
  const expected = isIpv4 ? 16 : 40
  // Version 2 adds a stamp and the capture id, which some senders count in the length and some do not.
  if (headerBytes !== expected && headerBytes !== expected + 12) return null
  const payloadAt = version === 1 ? expected : expected + 12
  if (payloadAt >= bytes.length) return null
  return {
    src: isIpv4 ? ipv4Text(bytes, 8) : ipv6Text(bytes, 8),
    dst: isIpv4 ? ipv4Text(bytes, 12) : ipv6Text(bytes, 24),
    // Written in the sender's byte order by some, in the network's by most.
    srcPort: u16be(bytes, 4) || u16le(bytes, 4),
    dstPort: u16be(bytes, 6) || u16le(bytes, 6),
    payload: bytes.subarray(payloadAt),
  }
}

function readHep3(bytes: Uint8Array): HepMessage | null {
  const end = Math.min(u16be(bytes, 4), bytes.length)
  let src = ''
  let dst = ''
  let srcPort = 0
  let dstPort = 0
  let payload: Uint8Array | null = null
  let at = 6
  while (at + 6 <= end) {
    const length = u16be(bytes, at + 4)
    if (length < 6 || at + length > end) break
    const value = at + 6
    if (u16be(bytes, at) === 0) {
      const type = u16be(bytes, at + 2)
      if (type === chunk.ipv4Src && length === 10) src = ipv4Text(bytes, value)
      else if (type === chunk.ipv4Dst && length === 10) dst = ipv4Text(bytes, value)
      else if (type === chunk.ipv6Src && length === 22) src = ipv6Text(bytes, value)
      else if (type === chunk.ipv6Dst && length === 22) dst = ipv6Text(bytes, value)
      else if (type === chunk.srcPort) srcPort = u16be(bytes, value)
      else if (type === chunk.dstPort) dstPort = u16be(bytes, value)
      else if (type === chunk.payload) payload = bytes.subarray(value, at + length)
    }
    at += length
  }
  return payload && src !== '' && dst !== '' ? { src, dst, srcPort, dstPort, payload } : null
}
