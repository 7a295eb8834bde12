import { unquote } from '@sip-capture/sip/parameters.ts'
import { parseHostPort } from '@sip-capture/sip/uri.ts'
import type { Pseudonyms } from './pseudonyms.ts'
import { percentDecode, splitOutside } from './splitting.ts'
import { isHarmlessName, isHarmlessText } from './vocabulary.ts'

/** Small numbers: seconds, counters, q values. Seven digits or more would be a telephone number. */
const smallNumber = /^\d{1,6}(?:\.\d{1,3}){0,2}$/

/** A SIP, SIPS, tel, HTTP or other URI without brackets. What has no known form becomes opaque. */
export function maskUri(names: Pseudonyms, uri: string): string {
  const colon = uri.indexOf(':')
  const scheme = uri.slice(0, Math.max(colon, 0)).trim().toLowerCase()
  const rest = uri.slice(colon + 1)
  switch (scheme) {
    case 'sip':
    case 'sips':
    case 'pres':
    case 'im':
    case 'mailto':
      return `${scheme}:${maskUserHost(names, rest)}`
    case 'tel':
    case 'fax': {
      const [number = '', ...parameters] = splitOutside(rest, ';')
      return `${scheme}:${names.user(percentDecode(number))}${maskParameters(names, parameters)}`
    }
    case 'http':
    case 'https':
    case 'ws':
    case 'wss':
    case 'msrp':
    case 'msrps': {
      const authority = rest.replace(/^\/\//, '').split(/[/?#;]/)[0] ?? ''
      return `${scheme}://${maskHostPort(names, authority.slice(authority.lastIndexOf('@') + 1))}/`
    }
    case 'urn':
      return /^service:[a-z.]{1,40}$/i.test(rest) ? uri : `urn:${maskUrn(names, rest)}`
    default:
      return uri === '*' || uri === '' ? uri : names.opaque(uri)
  }
}

function maskUrn(names: Pseudonyms, rest: string): string {
  return `uuid:${maskUuid(names, rest)}`
}

/** A UUID in form; a device's instance id holds its MAC address. */
function maskUuid(names: Pseudonyms, text: string): string {
  // The letters are b to t; a UUID has hexadecimal digits: each letter gives one of ten.
  const hex = Array.from(names.word('uuid', text) + names.word('uuid+', text), (letter) =>
    'abcdef'.charAt(letter.charCodeAt(0) % 6),
  ).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** `host`, `host:port`, `[v6]:port`. An impossible port goes. */
export function maskHostPort(names: Pseudonyms, text: string): string {
  const { host, port } = parseHostPort(text)
  return (host === '' ? '' : names.host(host)) + (port === null ? '' : `:${port}`)
}

function maskUserHost(names: Pseudonyms, rest: string): string {
  const at = rest.indexOf('@')
  const hostText = rest.slice(at + 1)
  const tail = hostText.search(/[;?]/)
  const host = maskHostPort(names, tail < 0 ? hostText : hostText.slice(0, tail))
  return (
    maskUserInfo(names, rest.slice(0, Math.max(at, 0)), at >= 0) +
    host +
    maskTail(names, tail < 0 ? '' : hostText.slice(tail))
  )
}

function maskUserInfo(names: Pseudonyms, userInfo: string, isThere: boolean): string {
  if (!isThere) return ''
  const [user = '', ...parameters] = splitOutside(userInfo, ';')
  // A password is never kept.
  const bare = user.split(':')[0] ?? ''
  return `${names.user(percentDecode(bare)).replaceAll('#', '%23')}${maskParameters(names, parameters)}@`
}

/** `;parameters?headers` behind the host. */
function maskTail(names: Pseudonyms, tail: string): string {
  const question = tail.indexOf('?')
  const parameters = splitOutside(question < 0 ? tail : tail.slice(0, question), ';').slice(1)
  if (question < 0) return maskParameters(names, parameters)
  const headers = tail
    .slice(question + 1)
    .split('&')
    .map((header) => maskUriHeader(names, header))
  return `${maskParameters(names, question === 0 ? [] : parameters)}?${headers.join('&')}`
}

function maskUriHeader(names: Pseudonyms, header: string): string {
  const equals = header.indexOf('=')
  const name = equals < 0 ? header : header.slice(0, equals)
  const value = percentDecode(equals < 0 ? '' : header.slice(equals + 1))
  if (!isHarmlessName(name)) return 'x-masked=masked'
  if (/^replaces$/i.test(name)) return `${name}=${encodeURIComponent(maskCallIdWithTags(names, value))}`
  return `${name}=${isHarmlessText(value) ? encodeURIComponent(value) : names.opaque(value)}`
}

/** `call-id;to-tag=…;from-tag=…` of Replaces, Join and Target-Dialog. */
export function maskCallIdWithTags(names: Pseudonyms, value: string): string {
  const [callId = '', ...parameters] = splitOutside(value, ';')
  return names.callId(callId) + maskParameters(names, parameters)
}

/** Each `name=value` or `name`, with a semicolon before it. */
export function maskParameters(names: Pseudonyms, parameters: readonly string[]): string {
  return parameters
    .filter((parameter) => parameter !== '')
    .map((parameter) => `;${maskParameter(names, parameter)}`)
    .join('')
}

function maskParameter(names: Pseudonyms, parameter: string): string {
  const equals = parameter.indexOf('=')
  const name = (equals < 0 ? parameter : parameter.slice(0, equals)).trim()
  if (!isHarmlessName(name)) return equals < 0 ? 'x-masked' : 'x-masked=masked'
  if (equals < 0) return name
  const written = parameter.slice(equals + 1).trim()
  const value = unquote(written)
  const masked = maskParameterValue(names, name.toLowerCase(), value)
  return `${name}=${written.startsWith('"') ? `"${masked}"` : masked}`
}

function maskParameterValue(names: Pseudonyms, name: string, value: string): string {
  switch (name) {
    case 'tag':
    case 'to-tag':
    case 'from-tag':
    case 'local-tag':
    case 'remote-tag':
      return /^0$/.test(value) ? value : names.tag(value)
    case 'branch':
      return names.branch(value)
    case 'call-id':
      return names.callId(value)
    case 'received':
    case 'maddr':
    case 'alias':
      if (value.includes(':') && /^sips?:/i.test(value)) return maskUri(names, value)
      if (name === 'alias') return names.opaque(value)
      return name === 'maddr' ? names.host(value) : names.address(value)
    case 'rport':
      return /^\d{1,5}$/.test(value) ? value : ''
    case 'phone-context':
      return value.startsWith('+') ? names.user(value) : names.host(value)
    case 'isub':
    case 'ext':
    case 'rn':
    case 'cic':
    case 'otg':
    case 'tgrp':
      return names.user(percentDecode(value))
    case '+sip.instance':
      return `<urn:uuid:${maskUuid(names, value.replace(/^<urn:uuid:|>$/gi, ''))}>`
    case 'pub-gruu':
    case 'temp-gruu':
      return maskUri(names, value)
    case 'gr':
      return value === '' ? '' : `urn:uuid:${maskUuid(names, value.replace(/^urn:uuid:/i, ''))}`
    case 'expires':
    case 'q':
    case 'ttl':
    case 'counter':
    case 'reg-id':
    case 'cause':
    case 'limit':
      return smallNumber.test(value) ? value : '0'
    case 'index':
      // History-Info: 1.2.1
      return /^\d{1,2}(?:\.\d{1,2}){0,9}$/.test(value) ? value : '1'
    case 'methods':
    case 'events':
      return isTokenList(value) ? value : 'masked'
    default:
      if (value === '' || isHarmlessText(value)) return value
      return name === 'text' || name === 'reason' ? 'masked' : names.opaque(value)
  }
}

function isTokenList(value: string): boolean {
  return value.split(/[ ,]+/).every((token) => isHarmlessName(token))
}
