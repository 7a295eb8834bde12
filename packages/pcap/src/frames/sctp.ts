import { u16be, u32be } from '../byte-order.ts'

const commonHeaderBytes = 12
const dataChunk = 0
const dataHeaderBytes = 16
const maxChunks = 512

/** A DATA chunk of SCTP (RFC 9260 section 3.3.1). */
export interface SctpData {
  readonly sequence: number
  readonly stream: number
  readonly isFirst: boolean
  readonly isLast: boolean
  /** View of the user data. */
  readonly bytes: Uint8Array
}

/** Start of the chunks of the SCTP packet at `at`, or -1 if its header is cut off. */
export function sctpChunksStart(at: number, end: number): number {
  return at + commonHeaderBytes > end ? -1 : at + commonHeaderBytes
}

/** The DATA chunks of a packet, from behind its common header; one that is cut off ends the list with what is there. */
export function readSctpData(chunks: Uint8Array): SctpData[] {
  const found: SctpData[] = []
  let at = 0
  for (let count = 0; count < maxChunks && at + 4 <= chunks.length; count += 1) {
    const length = u16be(chunks, at + 2)
    if (length < 4) break
    if (chunks[at] === dataChunk && length > dataHeaderBytes && at + dataHeaderBytes < chunks.length) {
      const flags = chunks[at + 1] ?? 0
      found.push({
        sequence: u32be(chunks, at + 4),
        stream: u16be(chunks, at + 8),
        isFirst: (flags & 2) !== 0,
        isLast: (flags & 1) !== 0,
        bytes: chunks.subarray(at + dataHeaderBytes, Math.min(at + length, chunks.length)),
      })
    }
    at += (length + 3) & ~3
  }
  return found
}
