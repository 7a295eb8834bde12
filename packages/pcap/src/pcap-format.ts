import { bigEndian, littleEndian, u32be, type ByteOrder } from './byte-order.ts'

/** Above libpcap's MAXIMUM_SNAPLEN a length can only be damage. */
export const maxPacketBytes = 262_144

/** How a classic pcap file is laid out: byte order, unit of the stamps, bytes of a packet's header. */
export interface PcapFormat {
  readonly order: ByteOrder
  readonly isNano: boolean
  readonly fileHeaderBytes: number
  readonly headerBytes: number
}

interface Magic {
  readonly isNano: boolean
  readonly fileHeaderBytes: number
  /** Of a packet header; the first is what the magic says, the others are what some programs write under it. */
  readonly layouts: readonly [number, ...number[]]
}

/** Kuznetzov's patched libpcap has 24 or 28 bytes a packet, also under the usual magic (SuSE 6.3); Nokia's has 20. */
const magics: ReadonlyMap<number, Magic> = new Map<number, Magic>([
  [0xa1b2c3d4, { isNano: false, fileHeaderBytes: 24, layouts: [16, 24, 20] }],
  [0xa1b23c4d, { isNano: true, fileHeaderBytes: 24, layouts: [16] }],
  [0xa1b2cd34, { isNano: false, fileHeaderBytes: 24, layouts: [24, 28] }],
  // Ixia, hardware and software: the size of all packets follows the file header.
  [0x1c0001ac, { isNano: true, fileHeaderBytes: 28, layouts: [16] }],
  [0x1c0001ab, { isNano: true, fileHeaderBytes: 28, layouts: [16] }],
])

const recordsTried = 4
const maxGapSeconds = 10 * 366 * 86_400

/** The format for a first word, or null if this is not a pcap file. */
export function pcapFormat(bytes: Uint8Array): PcapFormat | null {
  for (const [word, order] of [
    [u32be(bytes, 0), bigEndian],
    [littleEndian.u32(bytes, 0), littleEndian],
  ] as const) {
    const magic = magics.get(word)
    if (magic) return { ...magic, order, headerBytes: magic.layouts[0] }
  }
  return null
}

/**
 * The format with the packet header's real size, told by which one makes sense of the file's first packets; null where
 * the bytes so far do not tell. The magic's own is taken unless it does not fit and another does.
 */
export function withPacketHeader(format: PcapFormat, file: Uint8Array): PcapFormat | null {
  const layouts = magics.get(format.order.u32(file, 0))?.layouts ?? [format.headerBytes]
  for (const headerBytes of layouts) {
    const answer = fitsLayout(format, file, headerBytes)
    if (answer === 'more') return null
    if (answer === 'yes') return { ...format, headerBytes }
  }
  return format
}

/** `more`: the first packet is not all there. */
function fitsLayout(format: PcapFormat, bytes: Uint8Array, headerBytes: number): 'yes' | 'no' | 'more' {
  const { u32 } = format.order
  let at = format.fileHeaderBytes
  let before = -1
  for (let count = 0; count < recordsTried; count += 1) {
    if (at + headerBytes > bytes.length) return count > 0 ? 'yes' : 'more'
    const seconds = u32(bytes, at)
    const size = u32(bytes, at + 8)
    const isSound =
      u32(bytes, at + 4) < (format.isNano ? 1_000_000_000 : 1_000_000) &&
      size <= maxPacketBytes &&
      size <= u32(bytes, at + 12) &&
      (before < 0 || Math.abs(seconds - before) < maxGapSeconds)
    if (!isSound) return 'no'
    before = seconds
    at += headerBytes + size
    if (at > bytes.length) return count > 0 ? 'yes' : 'more'
  }
  return 'yes'
}
