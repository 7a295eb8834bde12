import { blockTypes } from '@sip-capture/pcap/pcapng.ts'

const recordHeaderBytes = 16
const blockBytes = 32
/** The most that a packet needs as a block beyond what it takes as a record. */
export const addedBytes = blockBytes - recordHeaderBytes + 3

/**
 * Packets as `pcap_dump` writes them (seconds, fraction, captured and original length, each 32 bits in the machine's order,
 * then the bytes) → Enhanced Packet Blocks with stamps of nanoseconds, written to `out` from `at`; answers the offset behind. Little-endian
 * both, as is every machine that the module for libpcap is built for. Runs for each packet, so it makes one small view and
 * nothing else.
 */
export function putEnhancedPackets(
  out: Uint8Array,
  at: number,
  records: Uint8Array,
  source: { readonly interfaceId: number; readonly isNano: boolean },
): number {
  const from = new DataView(records.buffer, records.byteOffset, records.length)
  const to = new DataView(out.buffer, out.byteOffset, out.length)
  const { interfaceId, isNano } = source
  let read = 0
  while (read + recordHeaderBytes <= records.length) {
    const seconds = from.getUint32(read, true)
    const fraction = from.getUint32(read + 4, true)
    const captured = from.getUint32(read + 8, true)
    const original = from.getUint32(read + 12, true)
    const body = read + recordHeaderBytes
    const padded = (captured + 3) & ~3
    const length = blockBytes + padded
    // 10^9 = 1,953,125 × 2^9: the product stays below 2^53, and 64 bits are made of it in two halves.
    const units = seconds * 1_953_125
    let high = Math.floor(units / 0x80_0000)
    let low = (units % 0x80_0000) * 0x200 + (isNano ? fraction : fraction * 1000)
    if (low >= 0x1_0000_0000) {
      high += 1
      low -= 0x1_0000_0000
    }
    to.setUint32(at, blockTypes.enhancedPacket, true)
    to.setUint32(at + 4, length, true)
    to.setUint32(at + 8, interfaceId, true)
    to.setUint32(at + 12, high, true)
    to.setUint32(at + 16, low, true)
    to.setUint32(at + 20, captured, true)
    to.setUint32(at + 24, original, true)
    // The padding first, as the packet's own last bytes lie in the same word.
    if (padded !== captured) to.setUint32(at + 24 + padded, 0, true)
    out.set(records.subarray(body, body + captured), at + 28)
    to.setUint32(at + 28 + padded, length, true)
    at += length
    read = body + captured
  }
  return at
}
