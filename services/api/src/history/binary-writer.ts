/** Of a safe integer, seven bits a byte. */
const maxLengthBytes = 8
/** Fewer bytes are copied faster one by one than by a call into the engine. */
const shortBytes = 48
/** UTF-8 takes at most three bytes for a UTF-16 code unit. */
const maxUnitBytes = 3
/** Shorter texts are written faster one by one than by a call into the engine; longer ones may be pieces of another text, whose
 *  characters are slow to get. */
const shortText = 13

/** Writes values one behind the other as ClickHouse's RowBinary has them in a row, and its Native in a column. */
export class BinaryWriter {
  #bytes: Buffer
  #at = 0

  /** `expectedBytes`: where it is right, nothing is copied. */
  constructor(expectedBytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(expectedBytes)
  }

  /** Everything that was written: a view, good until more is. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  /** Writes on from behind so many bytes, into the same memory. */
  truncate(size: number): void {
    this.#at = size
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#at
  }

  bool(value: boolean): void {
    this.uint8(value ? 1 : 0)
  }

  uint8(value: number): void {
    this.#ensure(1)
    this.#bytes[this.#at++] = value
  }

  uint16(value: number): void {
    this.#ensure(2)
    const bytes = this.#bytes
    const at = this.#at
    bytes[at] = value
    bytes[at + 1] = value >>> 8
    this.#at = at + 2
  }

  uint32(value: number): void {
    this.#ensure(4)
    this.#at = this.#bytes.writeUInt32LE(value, this.#at)
  }

  /** An Int64 or UInt64: a safe integer, of which only an Int64 may be negative. */
  integer64(value: number): void {
    this.#ensure(8)
    const bytes = this.#bytes
    const high = Math.floor(value / 4_294_967_296)
    putUint32(bytes, this.#at, value - high * 4_294_967_296)
    putUint32(bytes, this.#at + 4, high)
    this.#at += 8
  }

  /** 32 hex digits. On the wire: two 64-bit halves, each with its lowest byte first. */
  uuid(hex: string): void {
    this.#ensure(16)
    const bytes = this.#bytes
    let at = this.#at
    for (let half = 0; half < 2; half++)
      for (let n = 7; n >= 0; n--) {
        const digits = half * 16 + n * 2
        bytes[at++] = (hexDigit(hex.charCodeAt(digits)) << 4) | hexDigit(hex.charCodeAt(digits + 1))
      }
    this.#at = at
  }

  /** False where a character is not ASCII. */
  text(value: string): boolean {
    const { length } = value
    this.#ensure(length * maxUnitBytes + maxLengthBytes)
    if (length < shortText && this.#shortAscii(value)) return true
    const from = this.#at
    // The length of most texts fits a byte, whatever is in them.
    let written = this.#bytes.write(value, from + 1)
    if (written < 0x80) {
      this.#bytes[from] = written
      this.#at = from + 1 + written
    } else {
      this.length(written)
      written = this.#bytes.write(value, this.#at)
      this.#at += written
    }
    return written === length
  }

  /** The text that was written last, from `from` on, in memory of its own. */
  textAt(from: number): string {
    const bytes = this.#bytes
    let textFrom = from
    while ((bytes[textFrom++] as number) >= 0x80);
    return bytes.toString('utf8', textFrom, this.#at)
  }

  bytes(value: Uint8Array): void {
    this.#ensure(value.length + maxLengthBytes)
    this.length(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }

  /** Bytes of a column whose values are all of one length, such as a UInt256. */
  fixed(value: Uint8Array): void {
    this.#ensure(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }

  /** A length or the count of an array: seven bits a byte, the lowest first, the top bit says that more follow. Any safe integer. */
  length(value: number): void {
    this.#ensure(maxLengthBytes)
    let left = value
    while (left >= 0x80) {
      this.#bytes[this.#at++] = (left % 0x80) | 0x80
      left = Math.floor(left / 0x80)
    }
    this.#bytes[this.#at++] = left
  }

  /** Begins a value whose length is known once it is written; give what this answers to `end`. */
  begin(): number {
    this.#ensure(1)
    return this.#at++
  }

  end(begin: number): void {
    const from = begin + 1
    const size = this.#at - from
    if (size < 0x80) {
      this.#bytes[begin] = size
      return
    }
    // There is room for a length of one byte.
    let more = 0
    for (let left = size; left >= 0x80; left = Math.floor(left / 0x80)) more++
    this.#ensure(more)
    this.#bytes.copyWithin(from + more, from, this.#at)
    this.#at = begin
    this.length(size)
    this.#at += size
  }

  /** Of `bytes` those from `from` to before `to`, without a length. */
  piece(bytes: Uint8Array, from: number, to: number): void {
    this.#ensure(to - from)
    let at = this.#at
    if (to - from < shortBytes) for (let n = from; n < to; n++) this.#bytes[at++] = bytes[n] as number
    else this.#bytes.set(bytes.subarray(from, to), at)
    this.#at += to - from
  }

  /** False, with nothing written, where a character is not ASCII. */
  #shortAscii(value: string): boolean {
    const { length } = value
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = length
    for (let n = 0; n < length; n++) {
      const code = value.charCodeAt(n)
      if (code >= 0x80) return false
      bytes[at++] = code
    }
    this.#at = at
    return true
  }

  #ensure(size: number): void {
    if (this.#at + size > this.#bytes.length) this.#grow(size)
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + size))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}

/** Modulo 2 ** 32; a method of Buffer would check what is known here. */
function putUint32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

/** Of what is surely a hex digit. Without a branch, which no processor foresees of a hash. */
function hexDigit(code: number): number {
  return (code & 0x0f) + (code >>> 6) * 9
}
