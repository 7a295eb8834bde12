/**
 * Grams: the runs of five bytes of a text, ASCII letters in lower case, as a search compares. Whatever holds a text holds its
 * grams; a signature of many messages is a bit for each of theirs.
 */
export const gramBytes = 5
/** A word of a signature: what the engine ORs at once, a UInt256. */
export const wordBits = 256
/** Signatures have 2 ** bits bits. */
export const minSizeBits = 13
export const maxSizeBits = 20

/** A word of a signature in one number: its size, then which word. */
export const toWordKey = (sizeBits: number, index: number): number => sizeBits * keyWords + index
/** As many as no signature has words. */
export const keyWords = 65_536

const lower = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte))

/** A signature of one size. */
export class GramSignature {
  readonly sizeBits: number
  readonly #bits: Int32Array

  constructor(sizeBits: number) {
    this.sizeBits = sizeBits
    this.#bits = new Int32Array(2 ** sizeBits / 32)
  }

  /** The grams of `bytes` from `from` to before `to`. */
  add(bytes: Uint8Array, from: number, to: number): void {
    const bits = this.#bits
    const shift = 32 - this.sizeBits
    const firstWhole = from + gramBytes - 1
    let gram = 0
    for (let n = from; n < firstWhole && n < to; n++)
      gram = (gram << 8) | (lower[bytes[n] as number] as number)
    for (let n = firstWhole; n < to; n++) {
      const before = gram
      gram = (gram << 8) | (lower[bytes[n] as number] as number)
      const bit = hashGram(before, gram) >>> shift
      const mask = 1 << (bit & 31)
      const present = bits[bit >>> 5] as number
      // Most are there already, and to write what is there costs more than to look.
      if ((present & mask) === 0) bits[bit >>> 5] = present | mask
    }
  }

  /** Its words that are not empty: which one, and the 32 bytes of a UInt256, the lowest first; a view. */
  *words(): Generator<readonly [index: number, bytes: Uint8Array]> {
    const perWord = wordBits / 32
    const bits = this.#bits
    for (let from = 0; from < bits.length; from += perWord) {
      let some = 0
      for (let n = from; n < from + perWord; n++) some |= bits[n] as number
      if (some !== 0) yield [from / perWord, new Uint8Array(bits.buffer, from * 4, wordBits / 8)]
    }
  }
}

/** Where the grams of a text are in signatures of all sizes: the highest bits tell. Empty for what is too short. */
export function hashGrams(text: string): number[] {
  const bytes = Buffer.from(text)
  const hashes: number[] = []
  let gram = 0
  for (const [n, byte] of bytes.entries()) {
    const before = gram
    gram = (gram << 8) | (lower[byte] as number)
    if (n >= gramBytes - 1) hashes.push(hashGram(before, gram) >>> 0)
  }
  return hashes
}

/** Of the last five bytes: the four of `gram` and the first of `before`. */
function hashGram(before: number, gram: number): number {
  return Math.imul(Math.imul(gram, 0x85ebca6b) ^ (before >>> 24), 0x9e3779b1)
}
