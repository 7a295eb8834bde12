import { scanHead, toBinaryText, type MessageHead } from './message-head.ts'
import { findProblems, parseLength } from './message-problems.ts'
import {
  nameAddressParameter,
  noNameAddress,
  parseNameAddress,
  parseUsualNameAddress,
  type NameAddress,
} from './name-address.ts'
import { findParameter, isSpace, splitList, trimEnd, trimSpace } from './parameters.ts'
import { soughtNames, type SoughtName } from './sought-name.ts'
import { parseStartLine } from './start-line.ts'
import { parseSentBy, parseVia, type Via } from './via.ts'

export interface SipHeader {
  /** As written. `''` for a line without a colon, which then is all value. */
  readonly name: string
  /** Long form, lower case (`v` → `via`). */
  readonly canonical: string
  /** Unfolded, trimmed. */
  readonly value: string
  /** As received, folds included, without the last line end. */
  readonly raw: string
  /** Where the header is in the message's bytes, its last line end included. */
  readonly start: number
  readonly end: number
}

export type ParseResult =
  | { readonly ok: true; readonly message: SipMessage }
  | { readonly ok: false; readonly problem: string }

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const bodyDecoder = new TextDecoder()

const isSdpType = /^application\/sdp/i

/** One SIP message, RFC 3261 7. Made by `parseMessage`; every field is worked out when it is first asked for. */
export class SipMessage {
  readonly kind: 'request' | 'response'
  readonly bytes: Uint8Array
  /** Status code; null for a request, and for a response whose code is not a number from 100 to 999. */
  readonly status: number | null
  readonly #head: MessageHead
  #headers: readonly SipHeader[] | undefined
  #callId: string | undefined
  #from: NameAddress | undefined
  #to: NameAddress | undefined
  #fromTag: string | undefined
  #toTag: string | undefined
  #cseq: { readonly number: number; readonly method: string } | null | undefined
  #topVia: Via | null | undefined
  #via: readonly Via[] | undefined
  #branch: string | undefined
  #sentBy: string | undefined
  #bodyEnd: number | undefined
  #problems: readonly string[] | undefined
  #recalled: unknown[] | undefined

  constructor(head: MessageHead) {
    this.#head = head
    this.bytes = head.bytes
    this.kind = head.startLine.kind
    this.status = head.startLine.status
  }

  get startLine(): string {
    const { startLineStart, startLineEnd } = this.#head
    return this.#decode(startLineStart, startLineEnd)
  }

  /** The request's method, or the CSeq method of a response (`''` without a CSeq). Case-sensitive, as written. */
  get method(): string {
    return this.kind === 'request' ? this.#head.startLine.method : (this.cseq?.method ?? '')
  }

  /** `''` for a response. */
  get requestUri(): string {
    return this.#utf8(this.#head.startLine.requestUri)
  }

  /** Reason phrase as sent; `''` for a request. */
  get reason(): string {
    return this.#utf8(this.#head.startLine.reason)
  }

  /** In the order of the message; a repeated header is there as often as it was sent. */
  get headers(): readonly SipHeader[] {
    const head = this.#head
    this.#headers ??= head.starts.map((start, index) => {
      const colon = head.colon(index)
      return {
        name: colon < 0 ? '' : this.#utf8(trimEnd(head.text, start, colon)),
        canonical: head.canonicals[index] ?? '',
        value: this.#value(index),
        raw: this.#decode(start, head.textEnd(index)),
        start,
        end: head.starts[index + 1] ?? head.headersEnd,
      }
    })
    return this.#headers
  }

  /** True where `word` stands behind the first `mark` of the bytes, in ASCII, and ends with the head or one of `ends`: what a search
   *  that knows nothing of SIP finds. */
  isFirstBehind(mark: string, word: string, ends: string): boolean {
    const { text } = this.#head
    const at = text.indexOf(mark)
    const start = at + mark.length
    const end = start + word.length
    return at >= 0 && text.startsWith(word, start) && (end === text.length || ends.includes(text.charAt(end)))
  }

  /** The value of the first header of that name (long form, lower case), or `undefined`. */
  header(canonical: string): string | undefined {
    const index = this.#head.canonicals.indexOf(canonical)
    return index < 0 ? undefined : this.#value(index)
  }

  /** The values of all headers of that name in order; comma lists are not split. */
  headerValues(canonical: string): string[] {
    const values: string[] = []
    const { canonicals } = this.#head
    for (
      let index = canonicals.indexOf(canonical);
      index >= 0;
      index = canonicals.indexOf(canonical, index + 1)
    )
      values.push(this.#value(index))
    return values
  }

  /** `''` when there is none. Opaque and case-sensitive (RFC 3261 8.1.1.4). */
  get callId(): string {
    return (this.#callId ??= this.#first(soughtNames.callId) ?? '')
  }

  /** Null when missing or not `number method`. A number above 2^31-1 is kept and is a problem. */
  get cseq(): { readonly number: number; readonly method: string } | null {
    if (this.#cseq === undefined) this.#cseq = parseCseq(this.#first(soughtNames.cseq))
    return this.#cseq
  }

  get from(): NameAddress {
    this.#from ??= this.#nameAddress(soughtNames.from)
    return this.#from
  }

  get to(): NameAddress {
    this.#to ??= this.#nameAddress(soughtNames.to)
    return this.#to
  }

  /** The same as `from.tag`, without reading the rest where that is not read yet. */
  get fromTag(): string {
    return (this.#fromTag ??= this.#from ? this.#from.tag : this.#tag(soughtNames.from))
  }

  /** The same as `to.tag`, likewise. */
  get toTag(): string {
    return (this.#toTag ??= this.#to ? this.#to.tag : this.#tag(soughtNames.to))
  }

  /** The first Via entry, without reading the others. */
  get topVia(): Via | null {
    if (this.#topVia === undefined) {
      const first = splitList(this.#first(soughtNames.via) ?? '', 1)[0]
      this.#topVia = first === undefined ? null : parseVia(first)
    }
    return this.#topVia
  }

  /** All Via entries, top first, of all Via headers. */
  get via(): readonly Via[] {
    this.#via ??= this.headerValues('via').flatMap((value) =>
      splitList(value).map((entry) => parseVia(entry)),
    )
    return this.#via
  }

  /** Branch of the top Via, `''` when there is none. */
  get branch(): string {
    if (this.#branch === undefined) {
      const value = this.#first(soughtNames.via) ?? ''
      const first = value.includes(',') ? (splitList(value, 1)[0] ?? '') : value
      this.#branch = findParameter(first, 0, 'branch') ?? ''
    }
    return this.#branch
  }

  /** Sent-by of the top Via as a key: `host:port` in lower case, without a port `host:`; `''` when there is none. */
  get sentBy(): string {
    if (this.#sentBy === undefined) {
      const value = this.#first(soughtNames.via) ?? ''
      const first = value.includes(',') ? splitList(value, 1)[0] : value
      this.#sentBy = first === undefined || first === '' ? '' : parseSentBy(first)
    }
    return this.#sentBy
  }

  /** User-Agent, else Server, else `''`. */
  get userAgent(): string {
    return this.header('user-agent') ?? this.header('server') ?? ''
  }

  /** As Content-Length cuts it, never beyond the bytes that came; all that came where it is missing or unusable. */
  get body(): Uint8Array {
    return this.bytes.subarray(this.#head.bodyStart, this.#bodyEndOffset())
  }

  /** The body as UTF-8 text. */
  get bodyText(): string {
    const end = this.#bodyEndOffset()
    const { bodyStart, text, isAscii } = this.#head
    return isAscii && end <= text.length ? text.slice(bodyStart, end) : bodyDecoder.decode(this.body)
  }

  /** What came behind the body: junk, or the next message in the same datagram. */
  get trailing(): Uint8Array {
    return this.bytes.subarray(this.#bodyEndOffset())
  }

  /** Where the body begins in `bytes`: headers and the empty line are before it. */
  get bodyStart(): number {
    return this.#head.bodyStart
  }

  get hasSdp(): boolean {
    const type = this.header('content-type')
    return type !== undefined && isSdpType.test(type) && this.#bodyEndOffset() > this.#head.bodyStart
  }

  /** Everything that is wrong with the message, one sentence each. */
  get problems(): readonly string[] {
    this.#problems ??= findProblems(this, this.#head)
    return this.#problems
  }

  /** What `work` makes of the message, worked out once: see `rememberOfMessage`, which gives each work a slot of its own. */
  recall<V>(slot: number, work: (message: SipMessage) => V): V {
    const recalled = (this.#recalled ??= [])
    if (recalled[slot] === undefined) recalled[slot] = work(this)
    return recalled[slot] as V
  }

  #first(name: SoughtName): string | undefined {
    const index = this.#head.indexOf(name)
    return index < 0 ? undefined : this.#value(index)
  }

  #nameAddress(name: SoughtName): NameAddress {
    const index = this.#head.indexOf(name)
    if (index < 0) return noNameAddress
    const { bytes, text, isAscii, folded } = this.#head
    const textEnd = this.#head.textEnd(index)
    const start = this.#valueStart(index, textEnd)
    const usual =
      isAscii && !folded
        ? parseUsualNameAddress(bytes, text, start, this.#valueEnd(start, textEnd))
        : undefined
    return usual ?? parseNameAddress(this.#value(index))
  }

  #tag(name: SoughtName): string {
    const value = this.#first(name)
    return value === undefined ? '' : (nameAddressParameter(value, 'tag') ?? '')
  }

  #decode(start: number, end: number): string {
    return this.#head.isAscii
      ? this.#head.text.slice(start, end)
      : decoder.decode(this.bytes.subarray(start, end))
  }

  /** Text cut from the one-character-a-byte view → real text. */
  #utf8(text: string): string {
    if (this.#head.isAscii) return text
    return decoder.decode(Uint8Array.from(text, (character) => character.charCodeAt(0)))
  }

  #valueStart(index: number, textEnd: number): number {
    const { bytes, starts } = this.#head
    const colon = this.#head.colon(index)
    let start = colon < 0 ? (starts[index] ?? 0) : colon + 1
    while (start < textEnd && isSpace(bytes[start] ?? 0)) start++
    return start
  }

  #valueEnd(start: number, textEnd: number): number {
    const { bytes } = this.#head
    let end = textEnd
    while (end > start && isSpace(bytes[end - 1] ?? 0)) end--
    return end
  }

  #value(index: number): string {
    const { folded } = this.#head
    const textEnd = this.#head.textEnd(index)
    const start = this.#valueStart(index, textEnd)
    const end = this.#valueEnd(start, textEnd)
    const value = this.#decode(start, end)
    if (!folded || !value.includes('\n')) return value
    return value
      .split('\n')
      .map((line) => trimSpace(line))
      .filter((line) => line !== '')
      .join(' ')
  }

  #bodyEndOffset(): number {
    if (this.#bodyEnd !== undefined) return this.#bodyEnd
    const { bodyStart } = this.#head
    const lengths = this.headerValues('content-length').map(parseLength)
    const [length] = lengths
    const usable = length !== undefined && length !== null && lengths.every((other) => other === length)
    this.#bodyEnd = usable ? Math.min(this.bytes.length, bodyStart + length) : this.bytes.length
    return this.#bodyEnd
  }
}

function parseCseq(text: string | undefined): { number: number; method: string } | null {
  if (text === undefined) return null
  let end = 0
  let number = 0
  for (; end < text.length; end++) {
    const digit = text.charCodeAt(end) - 0x30
    if (digit < 0 || digit > 9) break
    number = number * 10 + digit
  }
  // Fifteen digits are a safe integer.
  if (end === 0 || end > 15 || !isSpace(text.charCodeAt(end))) return null
  const method = trimSpace(text, end)
  return method === '' ? null : { number, method }
}

/** Reads one SIP message from a datagram or a framed stream. Shape: see `SipMessage`. Never throws, never copies the
 *  bytes, linear in their length. `problem` is one sentence saying why the bytes are no SIP message at all; what is
 *  merely wrong with a message is in its `problems`. Source: RFC 3261 7 and 25, RFC 4475 for what to put up with. */
export function parseMessage(bytes: Uint8Array): ParseResult {
  const head = scanHead(bytes)
  return typeof head === 'string' ? { ok: false, problem: head } : { ok: true, message: new SipMessage(head) }
}

/** Cheap: is it worth parsing? True when the first line starts or ends as a SIP start line does. */
export function looksLikeSip(bytes: Uint8Array): boolean {
  let start = 0
  while (start < bytes.length && (bytes[start] === 0x0d || bytes[start] === 0x0a)) start++
  const end = Math.min(bytes.length, start + 4096)
  let lineEnd = start
  for (; lineEnd < end; lineEnd++) {
    const byte = bytes[lineEnd] ?? 0
    if (byte === 0x0a || byte === 0x0d) break
    // A start line is text: binary payloads (STUN, RTP, TLS) are turned away at their first bytes.
    if (byte < 0x20 && byte !== 0x09) return false
  }
  return (
    parseStartLine(toBinaryText(bytes.subarray(start, lineEnd)), lineEnd === end && end < bytes.length) !==
    undefined
  )
}
