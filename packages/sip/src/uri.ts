import { parseParameters } from './parameters.ts'

/** A SIP, SIPS or tel URI, RFC 3261 19.1 and RFC 3966. Nothing is unescaped: what is shown is what was written. */
export interface SipUri {
  /** Lower case, without the colon; `''` when there is none. */
  readonly scheme: string
  /** Without password; the number of a tel URI. */
  readonly user: string
  /** An IPv6 literal comes without its brackets. */
  readonly host: string
  readonly port: number | null
  readonly parameters: ReadonlyMap<string, string>
}

/** The parts people look at: `{ user, host }`. Never fails: what is not there is `''`. Searches instead of walking: a
 *  character of a cut-out string costs as much as a whole search. */
export function parseUserHost(uri: string): { user: string; host: string } {
  const colon = uri.startsWith('sip:') ? 3 : uri.indexOf(':')
  const scheme = schemeOf(uri, colon)
  const user = userOf(uri, scheme, colon)
  if (scheme !== 'sip' && scheme !== 'sips') return { user, host: '' }
  return { user, host: parseHost(uri, Math.max(colon, uri.indexOf('@', colon + 1)) + 1) }
}

/** The user alone. */
export function parseUser(uri: string): string {
  const colon = uri.startsWith('sip:') ? 3 : uri.indexOf(':')
  return userOf(uri, schemeOf(uri, colon), colon)
}

function schemeOf(uri: string, colon: number): string {
  return colon === 3 && uri.startsWith('sip:') ? 'sip' : uri.slice(0, Math.max(colon, 0)).toLowerCase()
}

function userOf(uri: string, scheme: string, colon: number): string {
  if (scheme === 'tel') return cutAt(uri, colon + 1, ';?')
  if (scheme !== 'sip' && scheme !== 'sips') return ''
  const at = uri.indexOf('@', colon + 1)
  if (at < 0) return ''
  const password = uri.indexOf(':', colon + 1)
  return uri.slice(colon + 1, password >= 0 && password < at ? password : at)
}

/** The host alone: what `parseHostPort` gives, without the port. */
function parseHost(text: string, start: number): string {
  const colon = text.indexOf(':', start)
  const semicolon = text.indexOf(';', start)
  const end = colon < 0 || (semicolon >= 0 && semicolon < colon) ? semicolon : colon
  const host = end < 0 ? text.slice(start) : text.slice(start, end)
  const isPlain = /^[\w.-]+$/.test(host) && (end !== colon || text.indexOf(':', end + 1) < 0)
  return isPlain ? host : parseHostPort(text, start).host
}

function isHostEnd(code: number): boolean {
  return code === 0x3b || code === 0x3f || code === 0x3e || code === 0x2c || code === 0x20 || code === 0x09
}

/** Reads `host`, `host:port`, `[v6]:port` or a bare IPv6 address from `start` to the next `;`, `?`, `>`, comma or
 *  space. */
export function parseHostPort(text: string, start = 0): { host: string; port: number | null } {
  let end = start
  if (text.charCodeAt(start) === 0x5b) {
    const close = text.indexOf(']', start)
    if (close < 0) return { host: cutAt(text, start + 1, ';?>, \t'), port: null }
    const after = close + 1
    return {
      host: text.slice(start + 1, close),
      port: text.charCodeAt(after) === 0x3a ? parsePort(cutAt(text, after + 1, ';?>, \t')) : null,
    }
  }
  let colon = -1
  let colons = 0
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code === 0x3a) {
      colon = end
      colons++
    } else if (isHostEnd(code)) break
  }
  // Two colons without brackets: an IPv6 address that forgot them (RFC 5118 4.1 to 4.3 shows how it happens).
  if (colons !== 1) return { host: text.slice(start, end), port: null }
  return { host: text.slice(start, colon), port: parsePort(text.slice(colon + 1, end)) }
}

/** A port in text → 1..65535, else null. */
export function parsePort(text: string): number | null {
  const trimmed = text.trim()
  if (trimmed.length === 0 || trimmed.length > 5) return null
  const port = Number(trimmed)
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : null
}

/** A whole URI. Never fails. */
export function parseUri(uri: string): SipUri {
  const colon = uri.indexOf(':')
  const scheme = colon < 0 ? '' : uri.slice(0, colon).toLowerCase()
  const at = uri.indexOf('@')
  const question = uri.indexOf('?', Math.max(at, 0))
  const semicolon = uri.indexOf(';', Math.max(at, 0))
  return {
    scheme,
    ...parseUserHost(uri),
    port: scheme === 'sip' || scheme === 'sips' ? parseHostPort(uri, (at < 0 ? colon : at) + 1).port : null,
    parameters:
      semicolon < 0
        ? new Map<string, string>()
        : parseParameters(question < 0 ? uri : uri.slice(0, question), semicolon),
  }
}

function cutAt(text: string, start: number, stops: string): string {
  let end = start
  while (end < text.length && !stops.includes(text[end] ?? '')) end++
  return text.slice(start, end)
}
