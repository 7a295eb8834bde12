import { isSpace } from './parameters.ts'

/** A header name to be looked for in the bytes of a message. */
export interface SoughtName {
  /** Long form, lower case. */
  readonly canonical: string
  readonly letters: Uint8Array
  /** The letter that is its compact form; 0 when it has none. */
  readonly compact: number
}

const lineFeed = 0x0a
const space = 0x20
const colon = 0x3a

function toSoughtName(canonical: string, compact = ''): SoughtName {
  const letters = Uint8Array.from(canonical, (letter) => letter.charCodeAt(0))
  return { canonical, letters, compact: compact === '' ? 0 : compact.charCodeAt(0) }
}

/** What every message has and nearly everyone asks for. */
export const soughtNames = {
  via: toSoughtName('via', 'v'),
  from: toSoughtName('from', 'f'),
  to: toSoughtName('to', 't'),
  callId: toSoughtName('call-id', 'i'),
  cseq: toSoughtName('cseq'),
}

/** Index of the first of the headers beginning at `starts` that has the name in any case, long or compact; -1 without one. */
export function findName(bytes: Uint8Array, starts: readonly number[], name: SoughtName): number {
  const { letters, compact } = name
  const first = letters[0]
  for (let index = 0; index < starts.length; index++) {
    const start = starts[index] ?? 0
    const letter = (bytes[start] ?? 0) | 0x20
    if (letter === first && startsWith(bytes, start, letters) && isColonNext(bytes, start + letters.length))
      return index
    if (letter === compact && isColonNext(bytes, start + 1)) return index
  }
  return -1
}

function startsWith(bytes: Uint8Array, start: number, letters: Uint8Array): boolean {
  for (let index = 1; index < letters.length; index++) {
    const byte = bytes[start + index] ?? 0
    // The bit that makes a capital small is set in a hyphen, and would make one of a CR.
    if (byte <= space || (byte | 0x20) !== letters[index]) return false
  }
  return true
}

function isColonNext(bytes: Uint8Array, start: number): boolean {
  let at = start
  while (bytes[at] !== lineFeed && isSpace(bytes[at] ?? 0)) at++
  return bytes[at] === colon
}
