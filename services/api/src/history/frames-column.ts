import type { Frame } from '@sip-capture/contract/bus/sip-record.ts'
import type { BinaryWriter } from './binary-writer.ts'
import { headLength, isPlainUdp, keptBytes, packHead, unpackHead } from './udp-heads.ts'
import { words } from './word-cache.ts'

/**
 * Frames in the `frames` column. Most frames are headers + the payload, which is stored already: such a frame keeps only
 * what is around it (42 bytes for Ethernet/IPv4/UDP instead of 600), and comes back byte for byte.
 *
 * A frame: one byte of marks, the link type, what the marks announce in their order, the bytes. Numbers are LEB128 (seven
 * bits a byte, the lowest first), bytes and texts have their length before them. Without a payload inside: all bytes; with
 * it: those before it and those behind; of a plain datagram what `udp-heads.ts` keeps, and nothing is behind.
 */
const marks = {
  /** Stamp of its own: microseconds, nanoseconds. Else it is the record's. */
  stamp: 1,
  /** Original length. Else it is the length of the bytes. */
  originalLength: 2,
  interfaceName: 4,
  /** The payload is inside. */
  payload: 8,
  /** And it is all of a datagram over IPv4, whose lengths and checksum are right. */
  plainUdp: 16,
} as const

interface Stamp {
  readonly atMicros: number
  readonly nanos: number
}

/** The value of the column, without its length. */
export function writeFrames(
  writer: BinaryWriter,
  frames: readonly Frame[],
  payload: Uint8Array,
  record: Stamp,
): void {
  for (const frame of frames) writeFrame(writer, frame, payload, record)
}

function writeFrame(writer: BinaryWriter, frame: Frame, payload: Uint8Array, record: Stamp): void {
  const { bytes, interfaceName } = frame
  const at = findPayload(bytes, payload)
  const hasStamp = frame.atMicros !== record.atMicros || frame.nanos !== record.nanos
  const hasOriginalLength = frame.originalLength !== bytes.length
  const isPlain = at + payload.length === bytes.length && isPlainUdp(bytes, at)
  writer.uint8(
    (hasStamp ? marks.stamp : 0) |
      (hasOriginalLength ? marks.originalLength : 0) |
      (interfaceName === undefined ? 0 : marks.interfaceName) |
      (at === -1 ? 0 : marks.payload) |
      (isPlain ? marks.plainUdp : 0),
  )
  writer.length(frame.linkType)
  if (hasStamp) {
    writer.length(frame.atMicros)
    writer.length(frame.nanos)
  }
  if (hasOriginalLength) writer.length(frame.originalLength)
  if (interfaceName !== undefined) writer.text(interfaceName)
  if (isPlain) {
    writer.length(keptBytes(at))
    packHead(bytes, at, writer)
  } else if (at === -1) writer.bytes(bytes)
  else {
    const behind = at + payload.length
    writer.length(at)
    writer.piece(bytes, 0, at)
    writer.length(bytes.length - behind)
    writer.piece(bytes, behind, bytes.length)
  }
}

/** -1: not inside. */
function findPayload(bytes: Uint8Array, payload: Uint8Array): number {
  if (payload.length === 0 || bytes.length < payload.length) return -1
  // A datagram's payload ends its frame; only padding and checksums come behind.
  const last = bytes.length - payload.length
  if (payload.byteOffset === bytes.byteOffset + last && payload.buffer === bytes.buffer) return last
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (frame.compare(payload, 0, payload.length, last) === 0) return last
  return frame.indexOf(payload)
}

/** Some bytes of something larger: a view of them for each message would cost as much as to decode them. */
export interface Piece {
  readonly bytes: Buffer<ArrayBuffer>
  readonly from: number
  readonly to: number
}

/** `encoded` must come from `writeFrames` with the same payload and record. @throws RangeError when bytes are missing */
export function decodeFrames(encoded: Piece, payload: Piece, record: Stamp): Frame[] {
  const frames: Frame[] = []
  if (encoded.from === encoded.to) return frames
  const reader = new ColumnReader(encoded)
  while (!reader.isEnd) frames.push(decodeFrame(reader, payload, record))
  return frames
}

function decodeFrame(reader: ColumnReader, payload: Piece, record: Stamp): Frame {
  const has = reader.number()
  const linkType = reader.number()
  const atMicros = has & marks.stamp ? reader.number() : record.atMicros
  const nanos = has & marks.stamp ? reader.number() : record.nanos
  const originalLength = has & marks.originalLength ? reader.number() : undefined
  const interfaceName = has & marks.interfaceName ? reader.word() : undefined
  const bytes =
    has & marks.plainUdp
      ? reader.datagram(payload)
      : has & marks.payload
        ? reader.bytesAround(payload)
        : reader.bytes()
  const frame: Frame = {
    linkType,
    atMicros,
    nanos,
    originalLength: originalLength ?? bytes.length,
    bytes,
  }
  if (interfaceName !== undefined) frame.interfaceName = interfaceName
  return frame
}

/** Frames come by the thousand: a piece of a larger buffer each costs a fraction of a buffer each. */
const slabBytes = 256 * 1024
let slab = Buffer.alloc(0)
let slabUsed = 0

function allocate(size: number): Buffer<ArrayBuffer> {
  if (size > slabBytes / 8) return Buffer.allocUnsafeSlow(size)
  if (slabUsed + size > slab.length) {
    slab = Buffer.allocUnsafeSlow(slabBytes)
    slabUsed = 0
  }
  slabUsed += size
  return slab.subarray(slabUsed - size, slabUsed)
}

class ColumnReader {
  readonly #bytes: Buffer
  readonly #end: number
  #at: number

  constructor({ bytes, from, to }: Piece) {
    this.#bytes = bytes
    this.#at = from
    this.#end = to
  }

  get isEnd(): boolean {
    return this.#at >= this.#end
  }

  number(): number {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#at < this.#end ? this.#bytes[this.#at++] : undefined
      if (byte === undefined) throw new RangeError('the frames end in the middle of one')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }

  /** A copy. */
  bytes(): Buffer<ArrayBuffer> {
    const length = this.number()
    const at = this.#skip(length)
    const bytes = allocate(length)
    this.#bytes.copy(bytes, 0, at, at + length)
    return bytes
  }

  /** A copy of what was before the payload, the payload, and a copy of what was behind it. */
  bytesAround(payload: Piece): Buffer<ArrayBuffer> {
    const before = this.number()
    const beforeAt = this.#skip(before)
    const behind = this.number()
    const behindAt = this.#skip(behind)
    const inside = payload.to - payload.from
    const bytes = allocate(before + inside + behind)
    this.#bytes.copy(bytes, 0, beforeAt, beforeAt + before)
    payload.bytes.copy(bytes, before, payload.from, payload.to)
    if (behind > 0) this.#bytes.copy(bytes, before + inside, behindAt, behindAt + behind)
    return bytes
  }

  /** A plain datagram: what is before the payload made whole, and a copy of the payload. */
  datagram(payload: Piece): Buffer<ArrayBuffer> {
    const kept = this.number()
    const keptAt = this.#skip(kept)
    const before = headLength(kept)
    const bytes = allocate(before + payload.to - payload.from)
    payload.bytes.copy(bytes, before, payload.from, payload.to)
    unpackHead(this.#bytes, keptAt, bytes, before)
    return bytes
  }

  word(): string {
    const length = this.number()
    return words.read(this.#bytes, this.#skip(length), length)
  }

  #skip(length: number): number {
    const at = this.#at
    this.#at += length
    if (this.#at > this.#end) throw new RangeError('the frames end in the middle of one')
    return at
  }
}
