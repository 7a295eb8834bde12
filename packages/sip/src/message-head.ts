import { canonicalHeaderNameAt, hashHeaderName, knownHeaderName } from './headers.ts'
import { isSpace } from './parameters.ts'
import { parseStartLine, type StartLine } from './start-line.ts'

/** What the scan over the head found; offsets are byte offsets, which are also offsets into `text`. */
export interface MessageHead {
  readonly bytes: Uint8Array
  /** One character a byte, so that offsets agree. Plain text when the head is ASCII. */
  readonly text: string
  readonly isAscii: boolean
  readonly startLine: StartLine
  readonly startLineStart: number
  readonly startLineEnd: number
  /** Two numbers a header: its start and its colon (-1: none). It ends where the next one starts, folds included. */
  readonly spans: readonly number[]
  /** Where the last header ends. */
  readonly headersEnd: number
  /** Long lower-case name of each header; `''` for a line without a colon. */
  readonly canonicals: readonly string[]
  readonly folded: boolean
  readonly bareLf: boolean
  /** Behind the empty line; the length of the bytes when there is none. */
  readonly bodyStart: number
}

const carriageReturn = 0x0d
const space = 0x20
const colon = 0x3a

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Start line and headers of a message, not yet read but found; a sentence when the bytes are no SIP message at all.
 *  Linear, copies nothing. */
export function scanHead(bytes: Uint8Array): MessageHead | string {
  const { length } = bytes
  let start = 0
  // RFC 3261 7.5: empty lines before the start line are ignored.
  while (start < length && (bytes[start] === 0x0d || bytes[start] === 0x0a)) start++
  if (start === length) return 'nothing but line ends'

  const { text, isAscii } = toTextView(bytes, start)
  const spans: number[] = []
  const canonicals: string[] = []
  let lineFeed = indexFrom(text, '\n', start)
  const startLineEnd = endOfLine(text, start, lineFeed)
  const startLine = parseStartLine(text.slice(start, startLineEnd))
  if (startLine === undefined) return 'the first line is no SIP request or status line'

  let bareLf = lineFeed < length && startLineEnd === lineFeed
  let folded = false
  let bodyStart = length
  let headersEnd = length
  let lineStart = lineFeed + 1
  // Searched for only when the last one found is behind us, so that lines without a colon cost nothing extra.
  let nextColon = -1
  while (lineStart < length) {
    // Names are read from the bytes: a character of a string costs more.
    let at = lineStart
    let hash = 0
    let byte = bytes[at] ?? 0
    for (; byte > space && byte !== colon && at < length; byte = bytes[++at] ?? 0)
      hash = hashHeaderName(hash, byte)
    if (byte === colon && at > lineStart) {
      lineFeed = indexFrom(text, '\n', at)
      const name = knownHeaderName(bytes, lineStart, at, hash)
      canonicals.push(name ?? canonicalHeaderNameAt(text, lineStart, at))
      spans.push(lineStart, at)
      if (lineFeed < length && bytes[lineFeed - 1] !== carriageReturn) bareLf = true
    } else {
      lineFeed = indexFrom(text, '\n', at)
      const end = endOfLine(text, lineStart, lineFeed)
      if (lineFeed < length && end === lineFeed) bareLf = true
      if (end === lineStart) {
        headersEnd = lineStart
        bodyStart = Math.min(lineFeed + 1, length)
        break
      }
      const first = text.charCodeAt(lineStart)
      if ((first === 0x20 || first === 0x09) && spans.length > 0) {
        // A colon on a folded line belongs to the value.
        folded = true
      } else {
        if (nextColon < lineStart) nextColon = indexFrom(text, ':', lineStart)
        if (nextColon < end) {
          let nameEnd = nextColon
          while (nameEnd > lineStart && isSpace(text.charCodeAt(nameEnd - 1))) nameEnd--
          canonicals.push(canonicalHeaderNameAt(text, lineStart, nameEnd))
          spans.push(lineStart, nextColon)
        } else {
          canonicals.push('')
          spans.push(lineStart, -1)
        }
      }
    }
    lineStart = Math.min(lineFeed + 1, length)
  }
  return {
    bytes,
    text,
    isAscii,
    startLine,
    startLineStart: start,
    startLineEnd,
    spans,
    headersEnd,
    canonicals,
    folded,
    bareLf,
    bodyStart,
  }
}

/** Where the text of the header at `spans[at]` ends: before the line end of its last line. */
export function headerTextEnd({ text, spans, headersEnd }: MessageHead, at: number): number {
  const start = spans[at] ?? 0
  const end = spans[at + 2] ?? headersEnd
  return text.charCodeAt(end - 1) === 0x0a ? endOfLine(text, start, end - 1) : end
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
function toTextView(bytes: Uint8Array, start: number): { text: string; isAscii: boolean } {
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
