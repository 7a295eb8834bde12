import { ByteBuffer } from './byte-buffer.ts'
import { putU16le, putU32le } from './byte-order.ts'
import type { CapturedPacket } from './captured-packet.ts'
import { blockTypes, byteOrderMagic } from './pcapng.ts'

const optionComment = 1
const optionUserApplication = 4
const optionInterfaceName = 2
const optionTimeResolution = 9
const optionReceived = 4
const optionInterfaceDrops = 5
const optionSystemDrops = 7
const nanosecondResolution = 9
const maxOptionBytes = 65_535
/** What one block surely needs around a packet without a comment; only a hint. */
const spareBytes = 128

const utf8 = new TextEncoder()

interface BlockOption {
  readonly code: number
  readonly value: Uint8Array
}

/** What was counted on an interface since the start of the section. */
export interface InterfaceStatistics {
  readonly interfaceId: number
  readonly atMicros: number
  readonly received: number
  /** By the system, for want of room. */
  readonly dropped: number
  /** By the network card or its driver. */
  readonly droppedByCard: number
}

export interface PcapngWriter {
  /** The section header; write it first. */
  readonly header: Uint8Array
  /** Describes an interface behind what `out` has, unless it is known; answers its number in the file. */
  describe(out: ByteBuffer, source: Pick<CapturedPacket, 'interfaceName' | 'linkType'>): number
  /** Puts a block of statistics behind what `out` has. */
  statistics(out: ByteBuffer, statistics: InterfaceStatistics): void
  /** The block of one packet, after the description of its interface where that is new to the file. */
  packet(packet: CapturedPacket, comment?: string): Uint8Array
  /** The same, put behind what `out` has. */
  append(out: ByteBuffer, packet: CapturedPacket, comment?: string): void
}

/**
 * Writes pcapng, little-endian, nanosecond stamps, one interface for each pair of link type and interface name.
 * Texts longer than an option can hold are cut at a character.
 */
export function createPcapngWriter(options: { application: string; comment?: string }): PcapngWriter {
  const interfaces = new Map<string, Map<number, number>>()
  let count = 0

  const describe: PcapngWriter['describe'] = (out, source) => {
    let byLinkType = interfaces.get(source.interfaceName)
    if (!byLinkType) {
      byLinkType = new Map()
      interfaces.set(source.interfaceName, byLinkType)
    }
    const known = byLinkType.get(source.linkType)
    if (known !== undefined) return known
    appendInterfaceDescription(out, source)
    byLinkType.set(source.linkType, count)
    return count++
  }

  const append = (out: ByteBuffer, packet: CapturedPacket, comment = ''): void => {
    const id = describe(out, packet)
    appendEnhancedPacket(out, id, packet, comment)
  }

  return {
    header: sectionHeader(options),
    describe,
    statistics: appendStatistics,
    append,
    packet(packet, comment) {
      const out = new ByteBuffer(packet.bytes.length + spareBytes)
      append(out, packet, comment)
      return out.view()
    },
  }
}

function sectionHeader(options: { application: string; comment?: string }): Uint8Array {
  const list = [{ code: optionUserApplication, value: optionText(options.application) }]
  if (options.comment !== undefined) list.unshift({ code: optionComment, value: optionText(options.comment) })
  const out = new ByteBuffer(spareBytes)
  const at = appendBlock(out, blockTypes.sectionHeader, 16, list)
  const { room } = out
  putU32le(room, at, byteOrderMagic)
  putU16le(room, at + 4, 1)
  putU16le(room, at + 6, 0)
  // Section length -1: not told.
  room.fill(0xff, at + 8, at + 16)
  return out.view()
}

function appendInterfaceDescription(
  out: ByteBuffer,
  { interfaceName, linkType }: Pick<CapturedPacket, 'interfaceName' | 'linkType'>,
): void {
  const list: BlockOption[] = [{ code: optionTimeResolution, value: Uint8Array.of(nanosecondResolution) }]
  if (interfaceName !== '') {
    list.unshift({ code: optionInterfaceName, value: optionText(interfaceName) })
  }
  const at = appendBlock(out, blockTypes.interfaceDescription, 8, list)
  putU16le(out.room, at, linkType)
  putU16le(out.room, at + 2, 0)
  // Snapshot length 0: no limit is told.
  putU32le(out.room, at + 4, 0)
}

function appendEnhancedPacket(out: ByteBuffer, id: number, packet: CapturedPacket, comment: string): void {
  const { bytes, atMicros, nanos, originalLength } = packet
  const captured = bytes.length
  const padded = (captured + 3) & ~3
  const list = comment === '' ? [] : [{ code: optionComment, value: optionText(comment) }]
  const at = appendBlock(out, blockTypes.enhancedPacket, 20 + padded, list)
  const { room } = out
  putU32le(room, at, id)
  putStamp(room, at + 4, atMicros, nanos)
  putU32le(room, at + 12, captured)
  putU32le(room, at + 16, originalLength)
  room.set(bytes, at + 20)
  room.fill(0, at + 20 + captured, at + 20 + padded)
}

function appendStatistics(out: ByteBuffer, statistics: InterfaceStatistics): void {
  const at = appendBlock(out, blockTypes.interfaceStatistics, 12, [
    { code: optionReceived, value: u64(statistics.received) },
    { code: optionInterfaceDrops, value: u64(statistics.droppedByCard) },
    { code: optionSystemDrops, value: u64(statistics.dropped) },
  ])
  putU32le(out.room, at, statistics.interfaceId)
  putStamp(out.room, at + 4, statistics.atMicros, 0)
}

/** The inverse of the arithmetic in `pcapng-time.ts`: nanoseconds as two halves without leaving 2^53. */
function putStamp(room: Uint8Array, at: number, atMicros: number, nanos: number): void {
  let high = Math.floor(atMicros / 4_294_967.296)
  let low = (atMicros - high * 4_294_967) * 1000 - high * 296 + nanos
  while (low < 0) {
    high -= 1
    low += 4_294_967_296
  }
  while (low >= 4_294_967_296) {
    high += 1
    low -= 4_294_967_296
  }
  putU32le(room, at, high)
  putU32le(room, at + 4, low)
}

function u64(count: number): Uint8Array {
  const bytes = new Uint8Array(8)
  putU32le(bytes, 0, count)
  putU32le(bytes, 4, Math.floor(count / 4_294_967_296))
  return bytes
}

function optionText(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.min(maxOptionBytes - 3, text.length * 3))
  const { written } = utf8.encodeInto(text, bytes)
  return bytes.subarray(0, written)
}

/** A block with both lengths and the options in place; answers where its fixed part is, which the caller must fill whole. */
function appendBlock(
  out: ByteBuffer,
  type: number,
  fixedBytes: number,
  options: readonly BlockOption[],
): number {
  // Any option is followed by the four zero bytes of opt_endofopt.
  let optionBytes = options.length === 0 ? 0 : 4
  for (const option of options) optionBytes += 4 + ((option.value.length + 3) & ~3)
  const length = 12 + fixedBytes + optionBytes
  const start = out.reserve(length)
  const { room } = out
  putU32le(room, start, type)
  putU32le(room, start + 4, length)
  putU32le(room, start + length - 4, length)
  let at = start + 8 + fixedBytes
  room.fill(0, at, at + optionBytes)
  for (const option of options) {
    putU16le(room, at, option.code)
    putU16le(room, at + 2, option.value.length)
    room.set(option.value, at + 4)
    at += 4 + ((option.value.length + 3) & ~3)
  }
  return start + 8
}
