const empty: Uint8Array = new Uint8Array(0)

/** Bytes that arrived in pieces. Joins pieces only when asked for more than one holds, so each byte is copied at most twice. */
export class ChunkQueue {
  #chunks: Uint8Array[] = []
  #head: Uint8Array = empty
  #length = 0
  #taken = 0

  /** Bytes waiting. */
  get length(): number {
    return this.#length
  }

  /** Bytes that were skipped since the start. */
  get taken(): number {
    return this.#taken
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    // Plain views of a Node Buffer: its own `subarray` and `indexOf` are several times slower.
    const plain = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
    if (this.#length === 0) this.#head = plain
    else this.#chunks.push(plain)
    this.#length += chunk.length
  }

  /** The waiting bytes as one view of at least `size` bytes, or null if there are fewer. */
  peek(size: number): Uint8Array | null {
    if (this.#length < size) return null
    if (this.#head.length < size) this.#join(size)
    return this.#head
  }

  skip(size: number): void {
    this.#length -= size
    this.#taken += size
    this.#head = this.#head.subarray(size)
    if (this.#head.length === 0) this.#head = this.#chunks.shift() ?? empty
  }

  clear(): void {
    this.#chunks = []
    this.#head = empty
    this.#length = 0
  }

  #join(size: number): void {
    const parts = [this.#head]
    let joined = this.#head.length
    while (joined < size) {
      const next = this.#chunks.shift()
      if (!next) break
      parts.push(next)
      joined += next.length
    }
    const head = new Uint8Array(joined)
    let at = 0
    for (const part of parts) {
      head.set(part, at)
      at += part.length
    }
    this.#head = head
  }
}
