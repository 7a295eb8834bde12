const cachedWords = 1_024
/** Longer ones are not looked for. */
const maxWordBytes = 64

/** Short texts by their bytes; the newest of those that fall on one place is kept. */
class WordCache {
  readonly #entries = Array.from({ length: cachedWords }, () => ({ bytes: Buffer.alloc(0), text: '' }))

  read(bytes: Buffer, at: number, length: number): string {
    if (length > maxWordBytes) return bytes.toString('utf8', at, at + length)
    let hash = length
    for (let n = at; n < at + length; n++) hash = Math.imul(hash ^ (bytes[n] ?? 0), 0x01000193)
    const place = (hash ^ (hash >>> 15)) & (cachedWords - 1)
    const entry = this.#entries[place]
    if (entry && isAt(bytes, at, length, entry.bytes)) return entry.text
    const made = {
      bytes: Buffer.from(bytes.subarray(at, at + length)),
      text: bytes.toString('utf8', at, at + length),
    }
    this.#entries[place] = made
    return made.text
  }
}

function isAt(bytes: Buffer, at: number, length: number, word: Buffer): boolean {
  if (word.length !== length) return false
  for (let n = 0; n < length; n++) if (bytes[at + n] !== word[n]) return false
  return true
}

/** Of the whole process: the words of one answer are those of the next. */
export const words = new WordCache()
