const empty: Uint8Array = new Uint8Array(0)

/**
 * Bytes that arrived in pieces. Joins pieces only when asked for more than one holds, and then only what was asked for, so a
 * byte is copied once a question at most and most are not copied at all.
 */
export class ChunkQueue {
  #chunks: Uint8Array[] = []
  #head: Uint8Array = empty
  #start = 0
  #length = 0
  #taken = 0

  /** Bytes waiting. */
  get length(): number {
    return this.#length
  }

  /** Where in the view that `peek` gave the waiting bytes begin: a view of each packet would cost more than reading it. */
  get start(): number {
    return this.#start
  }

  /** Bytes that were skipped since the start. */
  get taken(): number {
    return this.#taken
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    // Plain views of a Node Buffer: its own `subarray` and `indexOf` are several times slower.
    const plain = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
    if (this.#length === 0) {
      this.#head = plain
      this.#start = 0
    } else this.#chunks.push(plain)
    this.#length += chunk.length
  }

  /** A view with at least `size` waiting bytes from `start` on, or null if there are fewer. */
  peek(size: number): Uint8Array | null {
    if (this.#length < size) return null
    if (this.#head.length - this.#start < size) this.#join(size)
    return this.#head
  }

  /** At most as many bytes as `peek` was asked for before. */
  skip(size: number): void {
    this.#length -= size
    this.#taken += size
    this.#start += size
    if (this.#start < this.#head.length) return
    this.#head = this.#chunks.shift() ?? empty
    this.#start = 0
  }

  clear(): void {
    this.#chunks = []
    this.#head = empty
    this.#start = 0
    this.#length = 0
  }

  #join(size: number): void {
    const head = new Uint8Array(size)
    head.set(this.#head.subarray(this.#start))
    let at = this.#head.length - this.#start
    while (at < size) {
      const next = this.#chunks.shift()
      if (!next) break
      const used = Math.min(next.length, size - at)
      head.set(used === next.length ? next : next.subarray(0, used), at)
      at += used
      if (used < next.length) this.#chunks.unshift(next.subarray(used))
    }
    this.#head = head
    this.#start = 0
  }
}
