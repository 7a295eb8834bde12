const firstBytes = 64 * 1024

/** Bytes put one behind the other; grows as needed and is used again after `clear`. */
export class ByteBuffer {
  #bytes: Uint8Array<ArrayBuffer>
  #length = 0

  constructor(size = firstBytes) {
    this.#bytes = new Uint8Array(size)
  }

  /** All there is room for; write only where `reserve` said. A later `reserve` may replace it. */
  get room(): Uint8Array<ArrayBuffer> {
    return this.#bytes
  }

  get length(): number {
    return this.#length
  }

  /** Room for `size` bytes more, not cleared; answers the offset in `room` where they begin. */
  reserve(size: number): number {
    const at = this.#length
    this.#length += size
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, at))
      this.#bytes = larger
    }
    return at
  }

  append(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** A view of what was put; good until the next `clear`. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }
}
