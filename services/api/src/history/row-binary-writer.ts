/** An array longer than this is none of ours. */
const maxLengthBytes = 5
/** UTF-8 takes at most three bytes for a UTF-16 code unit. */
const maxUnitBytes = 3
/** Shorter texts are written faster one by one than by a call into the engine. */
const shortText = 16

/**
 * Writes ClickHouse's RowBinary: values one behind the other in the order of the columns, which the caller keeps to.
 */
export class RowBinaryWriter {
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

  /** Writes from the start again, into the same memory. */
  clear(): void {
    this.#at = 0
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
    this.#at = this.#bytes.writeUInt16LE(value, this.#at)
  }

  uint32(value: number): void {
    this.#ensure(4)
    this.#at = this.#bytes.writeUInt32LE(value, this.#at)
  }

  /** An Int64 or UInt64: a safe integer, of which only an Int64 may be negative. */
  integer64(value: number): void {
    this.#ensure(8)
    const high = Math.floor(value / 4_294_967_296)
    this.#at = this.#bytes.writeUInt32LE(value - high * 4_294_967_296, this.#at)
    this.#at = this.#bytes.writeInt32LE(high, this.#at)
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

  text(value: string): void {
    const { length } = value
    this.#ensure(length * maxUnitBytes + maxLengthBytes)
    if (length < shortText && this.#shortAscii(value)) return
    const from = this.#at
    // The length of most texts fits a byte, whatever is in them.
    const written = this.#bytes.write(value, from + 1)
    if (written < 0x80) {
      this.#bytes[from] = written
      this.#at = from + 1 + written
      return
    }
    this.length(written)
    this.#at += this.#bytes.write(value, this.#at)
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

  texts(values: readonly string[]): void {
    this.length(values.length)
    for (const value of values) this.text(value)
  }

  /** A length: seven bits a byte, the lowest first, the top bit says that more follow. Also the count of an array. */
  length(value: number): void {
    this.#ensure(maxLengthBytes)
    let left = value
    while (left >= 0x80) {
      this.#bytes[this.#at++] = (left & 0x7f) | 0x80
      left >>>= 7
    }
    this.#bytes[this.#at++] = left
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
    if (this.#at + size <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + size))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}

/** Of what is surely a hex digit. */
function hexDigit(code: number): number {
  return code < 0x3a ? code - 0x30 : (code & 0x0f) + 9
}
