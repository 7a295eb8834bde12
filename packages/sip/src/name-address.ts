import { findParameter, isSpace, skipQuoted, trimSpace, unquote } from './parameters.ts'
import { parseUserHost } from './uri.ts'

const quote = 0x22
const colon = 0x3a
const semicolon = 0x3b
const lessThan = 0x3c
const greaterThan = 0x3e
const atSign = 0x40
const backslash = 0x5c
const space = 0x20

/** What each byte can be a part of, as bits: to look it up takes less than to compare it several times. */
const userByte = 1
const passwordByte = 2
const hostByte = 4
const portByte = 8
const uriByte = 16
const tagByte = 32
const bitsOfByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte <= space) return 0
  const has = (excluded: string, bit: number): number =>
    excluded.includes(String.fromCharCode(byte)) ? 0 : bit
  const isHost = /[\w.-]/.test(String.fromCharCode(byte))
  return (
    has(':@>', userByte) |
    has('@>', passwordByte) |
    (isHost ? hostByte : 0) |
    has(':>', portByte) |
    has('>', uriByte) |
    has(';"', tagByte)
  )
})

/** Index of the first byte from `start` on that has not that bit: no further than the first white space. */
function skip(bytes: Uint8Array, start: number, bit: number): number {
  let at = start
  while (((bitsOfByte[bytes[at] ?? 0] ?? 0) & bit) !== 0) at++
  return at
}

/** The value of From, To, Contact and the like, RFC 3261 20.10. */
export interface NameAddress {
  /** Without quotes and escapes. */
  readonly displayName: string
  /** Without angle brackets. */
  readonly uri: string
  readonly user: string
  /** An IPv6 literal comes without its brackets. */
  readonly host: string
  readonly tag: string
}

export const noNameAddress: NameAddress = Object.freeze({
  displayName: '',
  uri: '',
  user: '',
  host: '',
  tag: '',
})

export interface NameAddressParts {
  displayName: string
  uri: string
  /** Where the header parameters begin. */
  parametersAt: number
}

/** Where the parts of a name-addr or addr-spec are; never fails. */
export function splitNameAddress(value: string): NameAddressParts {
  let at = 0
  let quoted = ''
  if (value.startsWith('"') || value.startsWith(' ') || value.startsWith('\t')) {
    while (isSpace(value.charCodeAt(at))) at++
    if (value.charCodeAt(at) === 0x22) {
      const end = skipQuoted(value, at)
      // A quote that never closes would swallow the URI; then the quote is read as part of a plain name.
      if (value.charCodeAt(end - 1) === 0x22 && end - 1 > at) {
        const content = value.slice(at + 1, end - 1)
        quoted = content.includes('\\') ? unquote(value.slice(at, end)) : content
        at = end
      }
    }
  }
  const open = value.indexOf('<', at)
  const semicolon = value.indexOf(';', at)
  const colon = value.indexOf(':', at)
  // RFC 3261 20.10: without brackets a semicolon starts header parameters; a `<` behind it is inside one of them.
  const isPlain = open < 0 || (semicolon >= 0 && semicolon < open && colon >= 0 && colon < semicolon)
  if (isPlain) {
    const end = semicolon < 0 ? value.length : semicolon
    return { displayName: quoted, uri: trimSpace(value, at, end), parametersAt: end }
  }
  const close = value.indexOf('>', open + 1)
  const end = close < 0 ? value.length : close
  return {
    displayName: quoted === '' ? trimSpace(value, at, open) : quoted,
    uri: trimSpace(value, open + 1, end),
    parametersAt: end,
  }
}

/** name-addr or addr-spec with header parameters. Never fails: what is not there is `''`. */
export function parseNameAddress(value: string): NameAddress {
  const { displayName, uri, parametersAt } = splitNameAddress(value)
  const { user, host } = parseUserHost(uri)
  return { displayName, uri, user, host, tag: findParameter(value, parametersAt, 'tag') ?? '' }
}

/** One header parameter of a name-addr value, for example `expires` of a Contact. `name` in lower case. */
export function nameAddressParameter(value: string, name: string): string | undefined {
  return findParameter(value, splitNameAddress(value).parametersAt, name)
}

/** The URI of a name-addr value, without brackets; cheaper than all of it. */
export function nameAddressUri(value: string): string {
  return splitNameAddress(value).uri
}

/**
 * `parseNameAddress(text.slice(start, end))` of ASCII text without folds, whose bytes have the same offsets, for the form that
 * nearly every message has: `"name" <sip:user@host:port;parameters>;tag=…`. Anything else is `undefined`: then the long way.
 */
export function parseUsualNameAddress(
  bytes: Uint8Array,
  text: string,
  start: number,
  end: number,
): NameAddress | undefined {
  let nameStart = start
  let at = start
  if (bytes[start] === quote) {
    nameStart += 1
    for (at = nameStart; at < end && bytes[at] !== quote; at++) if (bytes[at] === backslash) return undefined
  } else {
    for (; at < end && bytes[at] !== lessThan; at++)
      if (bytes[at] === semicolon || bytes[at] === quote) return undefined
  }
  let nameEnd = at
  if (bytes[at] === quote) {
    at += 1
    while (at < end && isSpace(bytes[at] ?? 0)) at++
  } else while (nameEnd > nameStart && isSpace(bytes[nameEnd - 1] ?? 0)) nameEnd--
  if (at >= end || bytes[at] !== lessThan || !text.startsWith('sip:', at + 1)) return undefined

  // What is behind the value, a line end or nothing, ends each of these searches.
  const uriStart = at + 1
  const userStart = at + 5
  let userEnd = skip(bytes, userStart, userByte)
  let hostStart = bytes[userEnd] === colon ? skip(bytes, userEnd, passwordByte) : userEnd
  if (bytes[hostStart] === atSign) hostStart += 1
  else hostStart = userEnd = userStart
  const hostEnd = skip(bytes, hostStart, hostByte)
  if (hostEnd === hostStart) return undefined
  const uriEnd = usualUriEnd(bytes, hostEnd)
  if (bytes[uriEnd] !== greaterThan) return undefined
  return {
    displayName: text.slice(nameStart, nameEnd),
    uri: text.slice(uriStart, uriEnd),
    user: text.slice(userStart, userEnd),
    host: text.slice(hostStart, hostEnd),
    tag: tagAt(bytes, text, uriEnd + 1, end),
  }
}

/** Where a URI ends whose host is a name or an IPv4 address that a port, parameters or nothing follows; else not at a `>`. */
function usualUriEnd(bytes: Uint8Array, hostEnd: number): number {
  if (bytes[hostEnd] === semicolon) return skip(bytes, hostEnd, uriByte)
  // A second colon is none of a port.
  return bytes[hostEnd] === colon ? skip(bytes, hostEnd + 1, portByte) : hostEnd
}

function tagAt(bytes: Uint8Array, text: string, start: number, end: number): string {
  if (start === end) return ''
  if (text.startsWith(';tag=', start)) {
    const from = start + 5
    const at = skip(bytes, from, tagByte)
    if (at === end || bytes[at] === semicolon) return text.slice(from, at)
  }
  return findParameter(text.slice(start, end), 0, 'tag') ?? ''
}
