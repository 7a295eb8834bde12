import { memoryOf } from '../byte-order.ts'

const carriageReturn = 13
const lineFeed = 10
const space = 32
const tab = 9
const slash = 47
const fourSlashes = 0x2f2f2f2f
/** `!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~` and alphanumerics: what RFC 3261 section 25.1 calls a token. */
const tokenCharacters = new Uint8Array(256)
for (const character of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") {
  tokenCharacters[character.codePointAt(0) ?? 0] = 1
}
const maxMethodBytes = 128
const maxStartLineBytes = 65_536

/** Whether a SIP message starts at a place: `more` where the bytes so far do not tell. */
export type SipStart = 'yes' | 'no' | 'more'

/** Looks for a status line or a request line of any method and any version digits. */
export function sipStart(bytes: Uint8Array, from: number, end: number): SipStart {
  if (isVersion(bytes, from, end)) return 'yes'
  let at = from
  const methodLimit = Math.min(end, from + maxMethodBytes)
  while (at < methodLimit && tokenCharacters[bytes[at] ?? 0] === 1) at += 1
  if (at === end) return end - from < maxMethodBytes ? 'more' : 'no'
  // `SIP/` cut off after the token characters it starts with reads as a method: the `/` tells.
  if (at === from || bytes[at] !== space)
    return bytes[at] === 47 && end - at < 4 && at - from === 3 ? 'more' : 'no'
  // A loop: the call of `indexOf` costs more than it saves on a line.
  let lineEnd = at + 1
  while (lineEnd < end && bytes[lineEnd] !== lineFeed) lineEnd += 1
  if (lineEnd >= end) return end - from < maxStartLineBytes ? 'more' : 'no'
  while (lineEnd > at && isBlank(bytes[lineEnd - 1] ?? 0)) lineEnd -= 1
  return isVersion(bytes, lineEnd - 7, lineEnd) && isBlank(bytes[lineEnd - 8] ?? 0) ? 'yes' : 'no'
}

function isBlank(byte: number): boolean {
  return byte === space || byte === tab || byte === carriageReturn
}

/** `SIP/` (any case), digit, dot, digit. */
function isVersion(bytes: Uint8Array, at: number, end: number): boolean {
  return (
    at >= 0 &&
    at + 7 <= end &&
    ((bytes[at] ?? 0) | 32) === 115 &&
    ((bytes[at + 1] ?? 0) | 32) === 105 &&
    ((bytes[at + 2] ?? 0) | 32) === 112 &&
    bytes[at + 3] === 47 &&
    isDigit(bytes[at + 4] ?? 0) &&
    bytes[at + 5] === 46 &&
    isDigit(bytes[at + 6] ?? 0)
  )
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57
}

const knownStart =
  /(?:INVITE|ACK|BYE|CANCEL|OPTIONS|REGISTER|PRACK|SUBSCRIBE|NOTIFY|PUBLISH|INFO|REFER|MESSAGE|UPDATE) [^ ]{1,2048} +SIP\/\d\.\d\s*$|SIP\/\d\.\d \d{3}(?: [^\n]*)?$/
const maxSearchedLineBytes = 4096
const latin1 = new TextDecoder('latin1')

/**
 * The nearest start after a place where bytes are missing, or -1. What is left of a body may run into the next start line
 * without a line end and read as part of its method: so only known methods and status lines count here.
 */
export function findKnownStart(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end) {
    const feed = bytes.indexOf(lineFeed, at)
    const lineEnd = feed < 0 || feed >= end ? end : feed
    const lineStart = Math.max(at, lineEnd - maxSearchedLineBytes)
    const match = knownStart.exec(latin1.decode(bytes.subarray(lineStart, lineEnd)))
    if (match && feed >= 0) return lineStart + match.index
    at = lineEnd + 1
  }
  return -1
}

/** Index after the empty line that ends the headers, or -1. Tolerates bare line feeds. */
export function headersEnd(bytes: Uint8Array, from: number, end: number): number {
  // Two line ends in a row are two or three bytes of CR and LF: every second byte is enough to meet one. A loop beats a
  // search from line to line, and looking at four of them at once beats one branch for each.
  let at = from + 1
  while (at < end) {
    while (at + 6 < end && areAllText(bytes, at)) at += 8
    const stop = Math.min(at + 8, end)
    for (; at < stop; at += 2) {
      if ((bytes[at] ?? 0) > carriageReturn) continue
      const found = emptyLineEnd(bytes, at - 1, end)
      if (found >= 0) return found
    }
  }
  return -1
}

/** Whether none of four bytes, each the second from the one before, can be part of a line end. */
function areAllText(bytes: Uint8Array, at: number): boolean {
  const sign =
    ((bytes[at] ?? 0) - 14) |
    ((bytes[at + 2] ?? 0) - 14) |
    ((bytes[at + 4] ?? 0) - 14) |
    ((bytes[at + 6] ?? 0) - 14)
  return sign >= 0
}

/** Index after the empty line if its first line feed is at `at` or the byte behind, else -1. */
function emptyLineEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let line = at; line <= at + 1; line += 1) {
    if (bytes[line] !== lineFeed) continue
    if (line + 1 < end && bytes[line + 1] === lineFeed) return line + 2
    if (line + 2 < end && bytes[line + 1] === carriageReturn && bytes[line + 2] === lineFeed) return line + 3
  }
  return -1
}

/** The body's length by the first Content-Length (or `l`) between `from` and the headers' end; -1 without a usable one. */
export function contentLength(bytes: Uint8Array, from: number, headerEnd: number): number {
  for (let line = from; line + 3 < headerEnd; line += 1) {
    if (bytes[line] !== lineFeed) continue
    const at = line + 1
    const first = (bytes[at] ?? 0) | 32
    if (first === 108 || first === 99) {
      const colon = contentLengthColon(bytes, at, first)
      if (colon > 0) return parseDigits(bytes, colon + 1, headerEnd)
    }
  }
  return -1
}

const longName = 'content-length'

/** Index of the colon if the header at `at` is Content-Length, else -1. */
function contentLengthColon(bytes: Uint8Array, at: number, first: number): number {
  let colon = at + 1
  if (first === 99) {
    for (let index = 1; index < longName.length; index += 1) {
      if (((bytes[at + index] ?? 0) | 32) !== (longName.charCodeAt(index) | 32)) return -1
    }
    colon = at + longName.length
  }
  while (bytes[colon] === space || bytes[colon] === tab) colon += 1
  return bytes[colon] === 58 ? colon : -1
}

function parseDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end && isBlankOrFold(bytes, at)) at += 1
  if (!isDigit(bytes[at] ?? 0)) return -1
  let value = 0
  while (at < end && isDigit(bytes[at] ?? 0)) {
    value = value * 10 + (bytes[at] ?? 0) - 48
    if (value > 1e12) return 1e12
    at += 1
  }
  return value
}

function isBlankOrFold(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at] ?? 0
  if (byte === space || byte === tab || byte === carriageReturn) return true
  return byte === lineFeed && (bytes[at + 1] === space || bytes[at + 1] === tab)
}

/** Index of the first byte that is not part of a CRLF keep-alive (RFC 5626 section 3.5.1). */
export function skipLineEnds(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end && (bytes[at] === carriageReturn || bytes[at] === lineFeed)) at += 1
  return at
}

export interface FramedPiece {
  readonly bytes: Uint8Array
  readonly isSip: boolean
  /** Bytes of line ends before it, which are no part of it (RFC 3261 section 7.5). */
  readonly lineEnds: number
}

/** No sane sender puts more into one datagram; what follows stays with the last piece. */
const maxMessagesInDatagram = 64

/**
 * The messages of one datagram. RFC 3261 section 18.3: Content-Length ends a message, and what follows is discarded;
 * here it is a message of its own if it starts like one, else it stays with the message before, so no byte is lost.
 */
export function splitDatagram(payload: Uint8Array): FramedPiece[] {
  const end = payload.length
  let from = skipLineEnds(payload, 0, end)
  if (sipStart(payload, from, end) !== 'yes') return [{ bytes: payload, isSip: false, lineEnds: 0 }]
  let next = nextStart(payload, from, end)
  if (next < 0) return [lastPiece(payload, from, from)]
  const pieces: FramedPiece[] = []
  let lineEnds = from
  while (next >= 0) {
    pieces.push({ bytes: payload.subarray(from, next), isSip: true, lineEnds })
    from = skipLineEnds(payload, next, end)
    lineEnds = from - next
    next = pieces.length < maxMessagesInDatagram - 1 ? nextStart(payload, from, end) : -1
  }
  pieces.push(lastPiece(payload, from, lineEnds))
  return pieces
}

function lastPiece(payload: Uint8Array, from: number, lineEnds: number): FramedPiece {
  return { bytes: from === 0 ? payload : payload.subarray(from), isSip: true, lineEnds }
}

/** Where the next message's bytes begin, or -1 if this one is the last. */
function nextStart(payload: Uint8Array, from: number, end: number): number {
  // Nearly every datagram is one message, whose last version is in a Via: its headers end behind that.
  const bodyStart = headersEnd(payload, from, lastVersion(payload, from, end))
  if (bodyStart < 0) return -1
  const length = contentLength(payload, from, bodyStart)
  if (length < 0 || bodyStart + length >= end) return -1
  const next = skipLineEnds(payload, bodyStart + length, end)
  if (next === end || sipStart(payload, next, end) !== 'yes') return -1
  return bodyStart + length
}

/** Where the last version (`SIP/2.0`) begins, or -1. */
function lastVersion(bytes: Uint8Array, from: number, end: number): number {
  const memory = memoryOf(bytes)
  const { byteOffset } = bytes
  let at = end
  while (at > from) {
    // Few bytes are slashes: sixteen without one are passed over at once.
    while (at - 16 >= from && !hasSlash(memory, byteOffset + at - 16)) at -= 16
    const stop = Math.max(at - 16, from)
    for (at -= 1; at >= stop; at -= 1)
      if (bytes[at] === slash && at - 3 >= from && isVersion(bytes, at - 3, end)) return at - 3
    at = stop
  }
  return -1
}

/** Whether one of the sixteen bytes from `at` on is one. */
function hasSlash(memory: DataView, at: number): boolean {
  const first = zeroBits(memory.getInt32(at, true) ^ fourSlashes)
  const second = zeroBits(memory.getInt32(at + 4, true) ^ fourSlashes)
  const third = zeroBits(memory.getInt32(at + 8, true) ^ fourSlashes)
  const fourth = zeroBits(memory.getInt32(at + 12, true) ^ fourSlashes)
  return ((first | second | third | fourth) & 0x80808080) !== 0
}

/** Has the highest bit of one of its bytes when one of the word's is zero: only below a zero the subtraction borrows. */
function zeroBits(word: number): number {
  return (word - 0x01010101) & ~word
}

/** What phones and NAT helpers send on a SIP port to keep a binding open: nothing but line ends, zeros and blanks,
 *  or a STUN message (RFC 8489: magic cookie). */
export function keepAliveKind(payload: Uint8Array): 'keep-alive' | 'stun' | null {
  if (payload.length >= 20 && (payload[0] ?? 255) < 64 && payload[4] === 0x21 && payload[5] === 0x12) {
    if (payload[6] === 0xa4 && payload[7] === 0x42) return 'stun'
  }
  if (payload.length > 64) return null
  for (const byte of payload) {
    if (byte !== 0 && byte !== space && byte !== carriageReturn && byte !== lineFeed) return null
  }
  return 'keep-alive'
}
