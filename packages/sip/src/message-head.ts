import { canonicalHeaderName, hashHeaderName, knownHeaderName } from './headers.ts'
import { trimEnd } from './parameters.ts'
import { findName, type SoughtName } from './sought-name.ts'
import { parseStartLine, type StartLine } from './start-line.ts'

const tab = 0x09
const lineFeedByte = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const colon = 0x3a

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Start line and headers of a message, found but not yet read. Offsets are byte offsets, which are also offsets into `text`.
 * Names are read when they are asked for: most askers want a few headers and none of the others.
 */
export class MessageHead {
  readonly bytes: Uint8Array
  /** One character a byte, so that offsets agree. Plain text when the head is ASCII. */
  readonly text: string
  readonly isAscii: boolean
  readonly startLine: StartLine
  readonly startLineStart: number
  readonly startLineEnd: number
  /** Where each header starts. It ends where the next one starts, folds included. */
  readonly starts: readonly number[]
  /** Where the last header ends. */
  readonly headersEnd: number
  readonly folded: boolean
  readonly bareLf: boolean
  /** Behind the empty line; the length of the bytes when there is none. */
  readonly bodyStart: number
  #canonicals: readonly string[] | undefined
  #colons: readonly number[] | undefined

  /** `firstLineFeed`: the one that ends the start line, or the text's length. */
  constructor(
    bytes: Uint8Array,
    { text, isAscii }: TextView,
    startLine: StartLine,
    startLineStart: number,
    firstLineFeed: number,
  ) {
    const { length } = bytes
    const starts: number[] = []
    let bareLf = false
    let folded = false
    let bodyStart = length
    let headersEnd = length
    for (let lineFeed = firstLineFeed; lineFeed < length;) {
      if (bytes[lineFeed - 1] !== carriageReturn) bareLf = true
      const start = lineFeed + 1
      if (start >= length) break
      const first = bytes[start] ?? 0
      lineFeed = indexFrom(text, '\n', start)
      if (first === lineFeedByte || (first === carriageReturn && bytes[start + 1] === lineFeedByte)) {
        if (first === lineFeedByte) bareLf = true
        headersEnd = start
        bodyStart = Math.min(lineFeed + 1, length)
        break
      }
      // A colon on a folded line belongs to the value.
      if ((first === space || first === tab) && starts.length > 0) folded = true
      else starts.push(start)
    }
    this.bytes = bytes
    this.text = text
    this.isAscii = isAscii
    this.startLine = startLine
    this.startLineStart = startLineStart
    this.startLineEnd = endOfLine(text, startLineStart, firstLineFeed)
    this.starts = starts
    this.headersEnd = headersEnd
    this.folded = folded
    this.bareLf = bareLf
    this.bodyStart = bodyStart
  }

  /** Long lower-case name of each header; `''` for a line without a colon. */
  get canonicals(): readonly string[] {
    if (this.#canonicals) return this.#canonicals
    const { bytes, text, starts } = this
    const canonicals: string[] = []
    const colons: number[] = []
    for (const start of starts) {
      // Names are read from the bytes: a character of a string costs more.
      let at = start
      let hash = 0
      let byte = bytes[at] ?? 0
      for (; byte > space && byte !== colon; byte = bytes[++at] ?? 0) hash = hashHeaderName(hash, byte)
      if (byte === colon) {
        colons.push(at)
        canonicals.push(knownHeaderName(bytes, start, at, hash) ?? canonicalHeaderName(text.slice(start, at)))
      } else {
        const end = findColon(bytes, at)
        colons.push(end)
        canonicals.push(end < 0 ? '' : canonicalHeaderName(trimEnd(text, start, end)))
      }
    }
    this.#colons = colons
    this.#canonicals = canonicals
    return canonicals
  }

  /** Index of the first header of that name, or -1. Reads no name but the sought one, if not all are known yet. */
  indexOf(name: SoughtName): number {
    return this.#canonicals
      ? this.#canonicals.indexOf(name.canonical)
      : findName(this.bytes, this.starts, name)
  }

  /** Where the header's colon is, or -1. */
  colon(index: number): number {
    return this.#colons?.[index] ?? findColon(this.bytes, this.starts[index] ?? 0)
  }

  /** Where the header's text ends: before the line end of its last line. */
  textEnd(index: number): number {
    const { bytes, starts, headersEnd } = this
    const end = starts[index + 1] ?? headersEnd
    if (bytes[end - 1] !== lineFeedByte) return end
    return bytes[end - 2] === carriageReturn && end - 2 >= (starts[index] ?? 0) ? end - 2 : end - 1
  }
}

/** The first colon of the line from `start` on, or -1. */
function findColon(bytes: Uint8Array, start: number): number {
  for (let at = start; at < bytes.length && bytes[at] !== lineFeedByte; at++)
    if (bytes[at] === colon) return at
  return -1
}

interface TextView {
  readonly text: string
  readonly isAscii: boolean
}

/** The head of a message; a sentence when the bytes are no SIP message at all. Linear, copies nothing. */
export function scanHead(bytes: Uint8Array): MessageHead | string {
  const { length } = bytes
  let start = 0
  // RFC 3261 7.5: empty lines before the start line are ignored.
  while (start < length && (bytes[start] === carriageReturn || bytes[start] === lineFeedByte)) start++
  if (start === length) return 'nothing but line ends'

  const view = toTextView(bytes, start)
  const lineFeed = indexFrom(view.text, '\n', start)
  const startLine = parseStartLine(view.text.slice(start, endOfLine(view.text, start, lineFeed)))
  if (startLine === undefined) return 'the first line is no SIP request or status line'
  return new MessageHead(bytes, view, startLine, start, lineFeed)
}

/** The text's length when there is none. */
function indexFrom(text: string, wanted: string, start: number): number {
  const at = text.indexOf(wanted, start)
  return at < 0 ? text.length : at
}

/** Where the line's text ends: before its CR LF, its LF, or the end of the bytes. */
function endOfLine(text: string, start: number, lineFeed: number): number {
  return lineFeed < text.length && lineFeed > start && text.charCodeAt(lineFeed - 1) === 0x0d
    ? lineFeed - 1
    : lineFeed
}

/** The bytes as text of one character a byte, as far as the end of the headers. */
function toTextView(bytes: Uint8Array, start: number): TextView {
  const whole = bytes.length <= 4096 ? bytes : bytes.subarray(0, endOfHead(bytes, start))
  const text = decoder.decode(whole)
  if (isOneToOne(text, whole)) return { text, isAscii: true }
  // The body may be what is not ASCII.
  const head = bytes.subarray(0, endOfHead(bytes, start))
  const headText = decoder.decode(head)
  if (isOneToOne(headText, head)) return { text: headText, isAscii: true }
  return { text: toBinaryText(head), isAscii: false }
}

/** Every byte outside ASCII makes the text shorter than the bytes, or is replaced by U+FFFD. */
function isOneToOne(text: string, bytes: Uint8Array): boolean {
  return text.length === bytes.length && !text.includes('\ufffd')
}

/** Behind the empty line that ends the headers; the length of the bytes when there is none. */
function endOfHead(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(0x0a, start); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at + 1] === 0x0a) return at + 2
    if (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a) return at + 3
  }
  return bytes.length
}

/** One character a byte. */
export function toBinaryText(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4096)
    text += String.fromCharCode(...bytes.subarray(at, Math.min(bytes.length, at + 4096)))
  return text
}
