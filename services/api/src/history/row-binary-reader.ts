import type { Piece } from './frames-column.ts'
import { words } from './word-cache.ts'

/**
 * Reads ClickHouse's RowBinary: values one behind the other in the order of the columns, without any names or lengths of
 * rows. What is read must be what was selected, column by column. @throws RangeError when bytes are missing.
 */
export class RowBinaryReader {
  readonly #bytes: Buffer<ArrayBuffer>
  readonly #uuid = Buffer.alloc(16)
  #at = 0

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  uint16(): number {
    const at = this.skip(2)
    return this.#bytes.readUInt16LE(at)
  }

  uint32(): number {
    const at = this.skip(4)
    return this.#bytes.readUInt32LE(at)
  }

  /** An Int64 or UInt64 below 2^53. */
  integer64(): number {
    const at = this.skip(8)
    return this.#bytes.readInt32LE(at + 4) * 4_294_967_296 + this.#bytes.readUInt32LE(at)
  }

  /** 32 hex digits. On the wire: two 64-bit halves, each with its lowest byte first. */
  uuid(): string {
    const at = this.skip(16)
    this.#bytes.copy(this.#uuid, 0, at, at + 16)
    return this.#uuid.swap64().toString('hex')
  }

  /** A view of the bytes of a String. */
  bytes(): Buffer<ArrayBuffer> {
    const length = this.length()
    const at = this.skip(length)
    return this.#bytes.subarray(at, at + length)
  }

  /** Where the bytes of a String are. */
  piece(): Piece {
    const length = this.length()
    const from = this.skip(length)
    return { bytes: this.#bytes, from, to: from + length }
  }

  text(): string {
    const length = this.length()
    const at = this.skip(length)
    return length === 0 ? '' : this.#bytes.toString('utf8', at, at + length)
  }

  /** Of a column with few different values: those seen lately are not decoded again. */
  word(): string {
    const length = this.length()
    const at = this.skip(length)
    return words.read(this.#bytes, at, length)
  }

  /** A length: seven bits a byte, the lowest first, the top bit says that more follow. Also the count of an array. */
  length(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.skip(1)] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }

  /** Answers where what is left out begins. */
  skip(size: number): number {
    const at = this.#at
    this.#at += size
    if (this.#at > this.#bytes.length) throw new RangeError('the rows end in the middle of one')
    return at
  }

  /** Answers where the String that is left out begins, its length included. */
  skipText(): number {
    const at = this.#at
    this.skip(this.length())
    return at
  }

  /** Goes on where `skip` or `skipText` was. */
  from(at: number): this {
    this.#at = at
    return this
  }
}
