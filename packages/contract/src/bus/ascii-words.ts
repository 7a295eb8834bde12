const places = 1_024
/** Longer ones are made each time. */
const maxWordLength = 64

/** Short ASCII texts by their bytes, each made once; the newest of those that fall on one place is kept. */
export class AsciiWords {
  readonly #texts = Array.from({ length: places }, () => '')

  /** Undefined where a byte is not ASCII. All of the bytes must be there. */
  read(bytes: Buffer, at: number, length: number): string | undefined {
    const end = at + length
    let hash = length
    let all = 0
    for (let n = at; n < end; n += 1) {
      const byte = bytes[n] as number
      all |= byte
      hash = Math.imul(hash ^ byte, 0x01000193)
    }
    if (all > 0x7f) return undefined
    if (length > maxWordLength) return bytes.toString('latin1', at, end)
    const place = (hash ^ (hash >>> 15)) & (places - 1)
    const known = this.#texts[place] as string
    if (isAt(bytes, at, length, known)) return known
    return (this.#texts[place] = bytes.toString('latin1', at, end))
  }
}

function isAt(bytes: Buffer, at: number, length: number, word: string): boolean {
  if (word.length !== length) return false
  for (let n = 0; n < length; n += 1) if (bytes[at + n] !== word.charCodeAt(n)) return false
  return true
}
