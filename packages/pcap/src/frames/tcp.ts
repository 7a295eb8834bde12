import { u32be } from '../byte-order.ts'

/** What stream reassembly needs of a TCP header (RFC 9293). */
export interface TcpHeader {
  readonly sequence: number
  readonly flags: number
  readonly isSyn: boolean
  readonly isFin: boolean
  readonly isReset: boolean
}

/** Start of the TCP payload whose header is at `at`, or -1 if the header cannot be right. */
export function tcpPayloadStart(bytes: Uint8Array, at: number, end: number): number {
  if (at + 20 > end) return -1
  const headerBytes = ((bytes[at + 12] ?? 0) >>> 4) * 4
  return headerBytes < 20 || at + headerBytes > end ? -1 : at + headerBytes
}

export function readTcpHeader(bytes: Uint8Array, at: number): TcpHeader {
  const flags = bytes[at + 13] ?? 0
  return {
    sequence: u32be(bytes, at + 4),
    flags,
    isSyn: (flags & 2) !== 0,
    isFin: (flags & 1) !== 0,
    isReset: (flags & 4) !== 0,
  }
}
