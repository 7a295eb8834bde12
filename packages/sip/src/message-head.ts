import { canonicalHeaderNameAt } from './headers.ts'
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
  /** Four numbers a header: start, colon (-1: none), end without line end, end with it. */
  readonly spans: readonly number[]
  /** Long lower-case name of each header; `''` for a line without a colon. */
  readonly canonicals: readonly string[]
  readonly folded: boolean
  readonly bareLf: boolean
  /** Behind the empty line; the length of the bytes when there is none. */
  readonly bodyStart: number
}

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
  let lineStart = lineFeed + 1
  // Searched for only when the last one found is behind us, so that lines without a colon cost nothing extra.
  let colon = -1
  while (lineStart < length) {
    lineFeed = indexFrom(text, '\n', lineStart)
    const end = endOfLine(text, lineStart, lineFeed)
    const next = Math.min(lineFeed + 1, length)
    if (lineFeed < length && end === lineFeed) bareLf = true
    if (end === lineStart) {
      bodyStart = next
      break
    }
    const first = text.charCodeAt(lineStart)
    if ((first === 0x20 || first === 0x09) && spans.length > 0) {
      // A colon on a folded line belongs to the value.
      spans[spans.length - 2] = end
      spans[spans.length - 1] = next
      folded = true
    } else {
      if (colon < lineStart) colon = indexFrom(text, ':', lineStart)
      if (colon < end) {
        let nameEnd = colon
        while (nameEnd > lineStart && isSpace(text.charCodeAt(nameEnd - 1))) nameEnd--
        canonicals.push(canonicalHeaderNameAt(text, lineStart, nameEnd))
        spans.push(lineStart, colon, end, next)
      } else {
        canonicals.push('')
        spans.push(lineStart, -1, end, next)
      }
    }
    lineStart = next
  }
  return {
    bytes,
    text,
    isAscii,
    startLine,
    startLineStart: start,
    startLineEnd,
    spans,
    canonicals,
    folded,
    bareLf,
    bodyStart,
  }
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
