import { putU32le, u32le } from '../byte-order.ts'

/** SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash that needs neither Node nor WebCrypto. 64 bits as two halves. */
export type KeyedHash = (text: string) => { readonly high: number; readonly low: number }

const minSecretBytes = 16
const utf8 = new TextEncoder()

/** Throws a RangeError for a secret below 16 bytes: with a guessable one all pseudonyms can be undone by trying. */
export function createKeyedHash(secret: Uint8Array): KeyedHash {
  if (secret.length < minSecretBytes) throw new RangeError('the secret of a masker needs at least 16 bytes')
  // All of the secret counts, however long it is.
  const key = new Uint8Array(16)
  for (const half of [0, 1]) {
    const { high, low } = sipHash(new Uint8Array(16).fill(half), secret)
    putU32le(key, half * 8, low)
    putU32le(key, half * 8 + 4, high)
  }
  return (text) => sipHash(key, utf8.encode(text))
}

/** 16 hexadecimal digits. */
export function hashHex(hash: KeyedHash, text: string): string {
  const { high, low } = hash(text)
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}

/** SipHash-2-4 of the bytes under a key of 16. Four 64-bit words as low and high halves in locals: this runs dozens of times for each message. */
export function sipHash(key: Uint8Array, bytes: Uint8Array): { high: number; low: number } {
  const [k0, k1, k2, k3] = [u32le(key, 0), u32le(key, 4), u32le(key, 8), u32le(key, 12)]
  let [al, ah] = [k0 ^ 0x70736575, k1 ^ 0x736f6d65]
  let [bl, bh] = [k2 ^ 0x6e646f6d, k3 ^ 0x646f7261]
  let [cl, ch] = [k0 ^ 0x6e657261, k1 ^ 0x6c796765]
  let [dl, dh] = [k2 ^ 0x79746573, k3 ^ 0x74656462]
  const whole = bytes.length - (bytes.length % 8)
  for (let at = 0; at <= whole + 8; at += 8) {
    const isEnd = at > whole
    const low = isEnd ? 0 : u32le(bytes, at)
    // The last word is filled with zeros, which reads past the end are, and ends with the length.
    const lengthByte = at === whole ? (bytes.length & 255) << 24 : 0
    const high = isEnd ? 0 : u32le(bytes, at + 4) | lengthByte
    dl ^= low
    dh ^= high
    if (isEnd) cl ^= 0xff
    for (let round = isEnd ? 4 : 2; round > 0; round -= 1) {
      let sum = (al >>> 0) + (bl >>> 0)
      al = sum | 0
      ah = (ah + bh + (sum > 0xffffffff ? 1 : 0)) | 0
      let turned = (bl << 13) | (bh >>> 19)
      bh = ((bh << 13) | (bl >>> 19)) ^ ah
      bl = turned ^ al
      turned = al
      al = ah
      ah = turned
      sum = (cl >>> 0) + (dl >>> 0)
      cl = sum | 0
      ch = (ch + dh + (sum > 0xffffffff ? 1 : 0)) | 0
      turned = (dl << 16) | (dh >>> 16)
      dh = ((dh << 16) | (dl >>> 16)) ^ ch
      dl = turned ^ cl
      sum = (al >>> 0) + (dl >>> 0)
      al = sum | 0
      ah = (ah + dh + (sum > 0xffffffff ? 1 : 0)) | 0
      turned = (dl << 21) | (dh >>> 11)
      dh = ((dh << 21) | (dl >>> 11)) ^ ah
      dl = turned ^ al
      sum = (cl >>> 0) + (bl >>> 0)
      cl = sum | 0
      ch = (ch + bh + (sum > 0xffffffff ? 1 : 0)) | 0
      turned = (bl << 17) | (bh >>> 15)
      bh = ((bh << 17) | (bl >>> 15)) ^ ch
      bl = turned ^ cl
      turned = cl
      cl = ch
      ch = turned
    }
    al ^= low
    ah ^= high
  }
  return { high: (ah ^ bh ^ ch ^ dh) >>> 0, low: (al ^ bl ^ cl ^ dl) >>> 0 }
}
