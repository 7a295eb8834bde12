import { headerSpelling } from './headers.ts'
import type { MessageHead } from './message-head.ts'
import type { SipMessage } from './message.ts'
import { isSpace } from './parameters.ts'

/** More than these is legal and kept, but worth a remark: nobody sends it in earnest. */
const remarkableHeaders = 200
const remarkableVias = 70

/** RFC 3261 8.1.1, without Max-Forwards, which responses have not. */
const mandatory = ['via', 'from', 'to', 'call-id', 'cseq'] as const
const placeOfMandatory: ReadonlyMap<string, number> = new Map(mandatory.map((name, place) => [name, place]))

/** Everything that is wrong with a message that is one, a sentence each. */
export function findProblems(message: SipMessage, head: MessageHead): string[] {
  const problems = [...head.startLine.problems]
  findByteProblems(head, problems)
  const counts = [0, 0, 0, 0, 0]
  for (const canonical of head.canonicals) {
    const place = placeOfMandatory.get(canonical)
    if (place !== undefined) counts[place] = (counts[place] ?? 0) + 1
  }
  for (let place = 0; place < mandatory.length; place++) {
    const name = mandatory[place] as (typeof mandatory)[number]
    const count = counts[place] ?? 0
    if (count === 0) problems.push(`${headerSpelling(name)} is missing`)
    else if (count > 1 && name !== 'via') problems.push(`${headerSpelling(name)} is there ${count} times`)
  }
  findCseqProblems(message, head, problems)
  findLengthProblems(message, problems)
  if (head.canonicals.length > remarkableHeaders) problems.push(`${head.canonicals.length} headers`)
  if (mostVias(message) > remarkableVias && message.via.length > remarkableVias)
    problems.push(`${message.via.length} Via entries`)
  return problems
}

/** No fewer than there are, without reading any: each begins a header or is behind a comma. */
function mostVias(message: SipMessage): number {
  let most = 0
  for (const value of message.headerValues('via')) {
    most += 1
    for (let at = value.indexOf(','); at >= 0; at = value.indexOf(',', at + 1)) most += 1
  }
  return most
}

function findByteProblems(message: MessageHead, problems: string[]): void {
  const { bytes, text, bodyStart, canonicals, startLineStart, startLineEnd, isAscii, bareLf } = message
  if (startLineStart > 0) problems.push('line ends before the start line')
  if (bodyStart === bytes.length && !endsWithEmptyLine(bytes))
    problems.push('the headers do not end: no empty line')
  if (bareLf) problems.push('line ends are LF, not CR LF')
  const { hasBareCr, hasNul, hasControl } = findControls(bytes, bodyStart)
  if (hasBareCr) problems.push('a CR without LF')
  if (hasNul) problems.push('a NUL byte in the headers')
  if (hasControl) problems.push('a control character in the headers')
  if (!isAscii && !isUtf8(bytes.subarray(0, bodyStart))) problems.push('the headers are not valid UTF-8')
  const firstHeader = text.indexOf('\n', startLineEnd) + 1
  // Only then there is one of these: a line behind the first header that begins with a space belongs to that header.
  if (hasBareCr || isSpace(bytes[firstHeader] ?? 0) || canonicals.includes(''))
    findLineProblems(message, problems)
}

function findLineProblems(head: MessageHead, problems: string[]): void {
  const lines = { withoutColon: false, withoutName: false, blank: false }
  for (const [index, start] of head.starts.entries()) {
    const colon = head.colon(index)
    if (colon < 0) lines.withoutColon = true
    if (colon === start) lines.withoutName = true
    if (isSpace(head.text.charCodeAt(start))) lines.blank = true
  }
  if (lines.withoutColon) problems.push('a header line without a colon')
  if (lines.withoutName) problems.push('a header without a name')
  if (lines.blank) problems.push('a folded line before the first header')
}

/** Among the bytes before `end`; a tab and line ends are none. */
function findControls(
  bytes: Uint8Array,
  end: number,
): { hasBareCr: boolean; hasNul: boolean; hasControl: boolean } {
  let hasBareCr = false
  let hasNul = false
  let hasControl = false
  for (let at = 0; at < end; at++) {
    while (at + 4 <= end && areAllPrintable(bytes, at)) at += 4
    const byte = bytes[at] ?? 0
    if (at === end || byte >= 0x20 || byte === 0x0a || byte === 0x09) continue
    if (byte === 0x0d) hasBareCr ||= at + 1 < end && bytes[at + 1] !== 0x0a
    else if (byte === 0) hasNul = true
    else hasControl = true
  }
  return { hasBareCr, hasNul, hasControl }
}

/** Whether none of four bytes is below a space: one branch for all of them. */
function areAllPrintable(bytes: Uint8Array, at: number): boolean {
  const sign =
    ((bytes[at] ?? 0) - 0x20) |
    ((bytes[at + 1] ?? 0) - 0x20) |
    ((bytes[at + 2] ?? 0) - 0x20) |
    ((bytes[at + 3] ?? 0) - 0x20)
  return sign >= 0
}

function findCseqProblems(message: SipMessage, head: MessageHead, problems: string[]): void {
  if (!head.canonicals.includes('cseq')) return
  const { cseq } = message
  if (cseq === null) problems.push('CSeq is not a number and a method')
  else if (cseq.number > 0x7fff_ffff) problems.push('CSeq number is above 2147483647')
  else if (message.kind === 'request' && cseq.method !== message.method)
    problems.push('CSeq method is not the method of the request')
}

function findLengthProblems(message: SipMessage, problems: string[]): void {
  const values = message.headerValues('content-length')
  if (values.length > 1) problems.push(`Content-Length is there ${values.length} times`)
  const came = message.bytes.length - message.bodyStart
  for (const value of values.length > 1 ? new Set(values) : values) {
    const length = parseLength(value)
    if (length === null) problems.push('Content-Length is not a number')
    else if (length > came) problems.push(`Content-Length says ${length} bytes, ${came} came`)
    else if (length < came)
      problems.push(`Content-Length says ${length} bytes, ${came} came: the rest is not body`)
  }
}

/** Digits only, at most fifteen (a safe integer); anything else, a minus sign too, is null. */
export function parseLength(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null
}

function endsWithEmptyLine(bytes: Uint8Array): boolean {
  const { length } = bytes
  if (length < 2 || bytes[length - 1] !== 0x0a) return false
  return bytes[length - 2] === 0x0a || (bytes[length - 2] === 0x0d && bytes[length - 3] === 0x0a)
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
