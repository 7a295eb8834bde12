import { splitList, unquote } from '@sip-capture/sip/parameters.ts'
import type { Pseudonyms } from './pseudonyms.ts'
import { maskUri } from './uris.ts'

/**
 * Authorization, WWW-Authenticate and their like (RFC 3261 section 22). Whatever a password could be tried against goes
 * altogether: response, nonce, cnonce and everything that is not known to be harmless.
 */
export function maskAuthentication(names: Pseudonyms, value: string): string {
  const scheme = /^\s*(Digest|Basic|Bearer|NTLM|Kerberos)\s/i.exec(`${value} `)
  const isDigest = scheme?.[1]?.toLowerCase() === 'digest'
  // Authentication-Info has parameters alone.
  if (!isDigest && !/^\s*[a-z]+\s*=/i.test(value)) return `${scheme?.[1] ?? 'Digest'} masked="yes"`
  const kept = splitList(isDigest ? value.slice(scheme[0].length) : value)
    .map((parameter) => maskCredential(names, parameter))
    .filter((parameter) => parameter !== '')
  if (isDigest) return kept.length === 0 ? 'Digest masked="yes"' : `Digest ${kept.join(', ')}`
  return kept.length === 0 ? 'masked="yes"' : kept.join(', ')
}

/** `''` for one that goes. */
function maskCredential(names: Pseudonyms, parameter: string): string {
  const equals = parameter.indexOf('=')
  const name = parameter.slice(0, Math.max(equals, 0)).trim().toLowerCase()
  const value = unquote(parameter.slice(equals + 1))
  switch (name) {
    case 'username':
      return `username="${maskUserName(names, value)}"`
    case 'realm':
      return `realm="${maskRealm(names, value)}"`
    case 'uri':
      return `uri="${maskUri(names, value)}"`
    case 'algorithm':
      return /^(MD5|SHA-256|SHA-512-256|AKAv[12]-MD5)(-sess)?$/i.test(value) ? `algorithm=${value}` : ''
    case 'qop':
      return /^(auth(-int)?)(\s*,\s*auth(-int)?)?$/i.test(value)
        ? `qop=${parameter.includes('"') ? `"${value}"` : value}`
        : ''
    case 'nc':
      return /^0{4}[0-9a-f]{4}$/i.test(value) ? `nc=${value}` : ''
    case 'stale':
      return /^(true|false)$/i.test(value) ? `stale=${value}` : ''
    default:
      return ''
  }
}

function maskUserName(names: Pseudonyms, value: string): string {
  const at = value.indexOf('@')
  return at < 0 ? names.user(value) : `${names.user(value.slice(0, at))}@${names.host(value.slice(at + 1))}`
}

/** Many realms are the product's name: it says which server asks, and nobody's domain. */
function maskRealm(names: Pseudonyms, value: string): string {
  return value === '' || /^(asterisk|freeswitch|kamailio|opensips)$/i.test(value) ? value : names.host(value)
}
