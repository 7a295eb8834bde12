import { u16le, u32be, u32le } from '../byte-order.ts'

const dataType = 2
const noData = 0x4
const qualityOfService = 0x8
const toAndFromDistribution = 0x3
const protectedFrame = 0x40
const order = 0x80
const aggregated = 0x80
const avsMagic = 0x80211000
const prismHeaderBytes = 144
const maxPresentWords = 16

/** Start of the LLC header of an unencrypted IEEE 802.11 data frame at `at`, or -1. */
export function wirelessPayloadStart(bytes: Uint8Array, at: number, isPadded = false): number {
  const control = bytes[at] ?? 0
  const flags = bytes[at + 1] ?? 0
  const subtype = control >>> 4
  if (((control >>> 2) & 3) !== dataType || subtype & noData || flags & protectedFrame) return -1
  let start = at + ((flags & toAndFromDistribution) === toAndFromDistribution ? 30 : 24)
  let isAggregated = false
  if (subtype & qualityOfService) {
    isAggregated = ((bytes[start] ?? 0) & aggregated) !== 0
    start += flags & order ? 6 : 2
  }
  if (isPadded) start = at + ((start - at + 3) & ~3)
  // Of several packets in one frame the first: two addresses and a length stand before it.
  return isAggregated ? start + 14 : start
}

/** The same behind a radiotap header (www.radiotap.org). */
export function radiotapPayloadStart(bytes: Uint8Array): number {
  const length = u16le(bytes, 2)
  if (bytes[0] !== 0 || length < 8 || length > bytes.length) return -1
  let fields = 8
  for (let words = 0; words < maxPresentWords && (u32le(bytes, fields - 4) & 0x8000_0000) !== 0; words += 1) {
    fields += 4
  }
  const present = u32le(bytes, 4)
  if (present & 1) fields = ((fields + 7) & ~7) + 8
  const flags = present & 2 ? (bytes[fields] ?? 0) : 0
  return wirelessPayloadStart(bytes, length, (flags & 0x20) !== 0)
}

/** The same behind a Prism or an AVS header, which share a link type. */
export function prismPayloadStart(bytes: Uint8Array): number {
  if ((u32be(bytes, 0) & 0xffff_f000) >>> 0 === avsMagic) return wirelessPayloadStart(bytes, u32be(bytes, 4))
  const isHere = u32le(bytes, 4) === prismHeaderBytes || u32be(bytes, 4) === prismHeaderBytes
  return wirelessPayloadStart(bytes, isHere ? prismHeaderBytes : 0)
}
