import { putU16be, u16be } from '@sip-capture/pcap/byte-order.ts'
import type { BinaryWriter } from './binary-writer.ts'

/**
 * What is before the payload of a frame that holds a whole datagram over IPv4 without options (RFC 791, RFC 768), as it is kept:
 * what can be worked out again (both lengths, the header's checksum) is left out, and what differs in each frame (identification,
 * the datagram's checksum) comes last, so that the rest is the same bytes for all frames of one way and costs next to nothing.
 */

const ipBytes = 20
const headBytes = ipBytes + 8
const leftOutBytes = 6
const udp = 17

/** `at`: where the payload begins. True where all that would be left out is what it must be. */
export function isPlainUdp(bytes: Uint8Array, at: number): boolean {
  const ip = at - headBytes
  return (
    ip >= 0 &&
    bytes[ip] === 0x45 &&
    bytes[ip + 9] === udp &&
    u16be(bytes, ip + 2) === bytes.length - ip &&
    u16be(bytes, ip + ipBytes + 4) === bytes.length - ip - ipBytes &&
    u16be(bytes, ip + 10) === headerChecksum(bytes, ip)
  )
}

/** How many bytes are kept of the `at` before the payload. */
export const keptBytes = (at: number): number => at - leftOutBytes
/** The way back. */
export const headLength = (kept: number): number => kept + leftOutBytes

/** Writes `keptBytes(at)` bytes of `frame`. */
export function packHead(frame: Uint8Array, at: number, writer: BinaryWriter): void {
  const ip = at - headBytes
  writer.piece(frame, 0, ip + 2)
  writer.piece(frame, ip + 6, ip + 10)
  writer.piece(frame, ip + 12, ip + ipBytes + 4)
  writer.piece(frame, ip + 4, ip + 6)
  writer.piece(frame, ip + ipBytes + 6, at)
}

/** The way back, into the begin of `frame`, whose length is that of the whole frame. */
export function unpackHead(kept: Uint8Array, from: number, frame: Uint8Array, at: number): void {
  const ip = at - headBytes
  let next = from
  const put = (to: number, until: number) => {
    for (let n = to; n < until; n++) frame[n] = kept[next++] ?? 0
  }
  put(0, ip + 2)
  put(ip + 6, ip + 10)
  put(ip + 12, ip + ipBytes + 4)
  put(ip + 4, ip + 6)
  put(ip + ipBytes + 6, at)
  putU16be(frame, ip + 2, frame.length - ip)
  putU16be(frame, ip + ipBytes + 4, frame.length - ip - ipBytes)
  putU16be(frame, ip + 10, headerChecksum(frame, ip))
}

/** RFC 1071, of the twenty bytes of the header without what stands in its place. */
function headerChecksum(bytes: Uint8Array, ip: number): number {
  let sum = 0
  for (let n = 0; n < ipBytes; n += 2) if (n !== 10) sum += u16be(bytes, ip + n)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
