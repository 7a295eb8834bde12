import type { Pseudonyms } from './pseudonyms.ts'
import { maskHostPort, maskUri } from './uris.ts'
import { isHarmlessName, isHarmlessText } from './vocabulary.ts'

/** An SDP body (RFC 8866) line by line; a line of no known form goes, so do keys. */
export function maskSessionDescription(names: Pseudonyms, text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => names.lines.get(`\n${line}`, () => maskLine(names, line)))
    .filter((line) => line !== '')
    .map((line) => `${line}\r\n`)
    .join('')
}

/** `''` for a line that goes. */
function maskLine(names: Pseudonyms, line: string): string {
  const value = line.slice(2)
  switch (line.slice(0, 2)) {
    case 'v=':
      return /^\d$/.test(value) ? line : 'v=0'
    case 'o=':
      return `o=${maskOrigin(names, value)}`
    case 's=':
      return value.trim() === '' || value === '-' || isHarmlessText(value) ? line : 's=masked'
    case 'i=':
      return 'i=masked'
    case 'u=':
      return `u=${maskUri(names, value)}`
    case 'e=':
      return 'e=masked@host-masked.invalid'
    case 'p=':
      return `p=${names.number(value)}`
    case 'c=':
      return `c=${maskConnection(names, value)}`
    case 'b=':
      return /^[A-Za-z-]{1,10}:\d{1,6}$/.test(value) ? line : ''
    case 't=':
      return value === '0 0' ? line : 't=0 0'
    case 'm=':
      return /^[a-z]{1,12} \d{1,5}(?:\/\d{1,2})? [A-Za-z0-9/]{1,24}(?: (?:\d{1,3}|t38|\*|webrtc-datachannel))*\s*$/.test(
        value,
      )
        ? line
        : 'm=audio 0 RTP/AVP 0'
    case 'a=':
      return maskAttribute(names, value)
    default:
      return ''
  }
}

/** user, session id, version, `IN`, family, address. The version's last digits tell one offer from the next. */
function maskOrigin(names: Pseudonyms, value: string): string {
  const [user = '-', sessionId = '', version = '', , , address = ''] = value.split(' ')
  const id = sessionId === '' ? '0' : names.sessionNumber(sessionId)
  const masked = names.address(address)
  return `${user === '-' ? '-' : names.user(user)} ${id} ${maskVersion(version)} IN ${family(masked)} ${masked || '0.0.0.0'}`
}

function maskVersion(version: string): string {
  return String(Number(version.replace(/\D/g, '').slice(-5)))
}

/** `IN IP4 address/ttl/count`. */
function maskConnection(names: Pseudonyms, value: string): string {
  const [, , written = ''] = value.split(' ')
  const [address = '', ...counts] = written.split('/')
  const masked = names.address(address) || '0.0.0.0'
  const isCounted = counts.length > 0 && counts.every((count) => /^\d{1,3}$/.test(count))
  return `IN ${family(masked)} ${masked}${isCounted ? `/${counts.slice(0, 2).join('/')}` : ''}`
}

function family(address: string): string {
  return address.includes(':') ? 'IP6' : 'IP4'
}

/** Attributes that say how media is sent, and name nobody. */
const plainAttributes: ReadonlySet<string> = new Set(
  (
    'rtpmap fmtp ptime maxptime sendrecv sendonly recvonly inactive rtcp-mux rtcp-mux-only rtcp-rsize rtcp-fb rtcp-xr setup ' +
    'connection mid group bundle-only ice-lite ice-options silencesupp framerate quality curr des conf extmap-allow-mixed ' +
    'content direction end-of-candidates sctp-port max-message-size nortpproxy accept-types t38faxversion t38maxbitrate ' +
    't38faxratemanagement t38faxmaxbuffer t38faxmaxdatagram t38faxudpec t38faxfillbitremoval t38faxtranscodingmmr ' +
    't38faxtranscodingjbig t38vendorinfo t38faxmaxifp'
  ).split(' '),
)

function maskAttribute(names: Pseudonyms, attribute: string): string {
  const colon = attribute.indexOf(':')
  const name = (colon < 0 ? attribute : attribute.slice(0, colon)).trim()
  if (!isHarmlessName(name) && !/^T38[A-Za-z]+$/.test(name)) return ''
  if (colon < 0) return `a=${name}`
  const value = attribute.slice(colon + 1).trim()
  const masked = maskAttributeValue(names, name.toLowerCase(), value)
  return masked === null ? '' : `a=${name}:${masked}`
}

/** Null for one that goes. */
function maskAttributeValue(names: Pseudonyms, name: string, value: string): string | null {
  switch (name) {
    case 'rtcp': {
      const [port = '', ...connection] = value.split(' ')
      if (!/^\d{1,5}$/.test(port)) return null
      return connection.length === 3 ? `${port} ${maskConnection(names, connection.join(' '))}` : port
    }
    case 'candidate':
    case 'remote-candidates':
      return maskCandidate(names, value)
    case 'crypto':
      return maskCrypto(value)
    case 'ice-ufrag':
      return names.word('ufrag', value).slice(0, 8)
    case 'ice-pwd':
      return names.word('ice-pwd', value) + names.word('ice-pwd+', value).slice(0, 8)
    case 'fingerprint':
      return `${/^(sha-(?:1|224|256|384|512)) /i.exec(value)?.[1] ?? 'sha-256'} ${Array.from({ length: 32 }, () => '00').join(':')}`
    case 'key-mgmt':
      return null
    case 'ssrc':
      return `${names.sessionNumber(value.split(' ')[0] ?? '').slice(0, 9)} cname:masked`
    case 'path':
      return value
        .split(' ')
        .map((uri) => maskUri(names, uri))
        .join(' ')
    case 'alt':
    case 'nat':
      return maskHostPort(names, value)
    case 'extmap':
      return /^\d{1,3}(?:\/[a-z]{1,10})? urn:ietf:params:[a-z:-]{1,60}$/.test(value) ? value : null
    default:
      return plainAttributes.has(name) && isPlainValue(value) ? value : names.opaque(value)
  }
}

/** `fmtp` and `rtcp-fb` have numbers and codec names; no run of seven digits, no address. */
function isPlainValue(value: string): boolean {
  return (
    /^[A-Za-z0-9 /;:=,._+*-]{0,200}$/.test(value) &&
    !/\d(?:[. -]?\d){6}/.test(value) &&
    !/\d\.\d{1,3}\.\d|(?:[0-9a-f]{1,4}:){3}|[a-z]\.[a-z]/i.test(value)
  )
}

/** RFC 8839 section 5.1: foundation, component, transport, priority, address, port, then names and values. */
function maskCandidate(names: Pseudonyms, value: string): string | null {
  const [foundation = '', component = '', transport = '', priority = '', address = '', port = '', ...rest] =
    value.split(' ')
  if (!/^\d{1,3} (?:udp|tcp) \d{1,10} \d{1,5}$/i.test(`${component} ${transport} ${priority} ${port}`))
    return null
  const more: string[] = []
  for (let at = 0; at + 1 < rest.length; at += 2) {
    const [name = '', text = ''] = [rest[at], rest[at + 1]]
    if (name === 'typ' && /^(host|srflx|prflx|relay)$/.test(text)) more.push(`typ ${text}`)
    else if (name === 'raddr') more.push(`raddr ${names.address(text)}`)
    else if (name === 'rport' && /^\d{1,5}$/.test(text)) more.push(`rport ${text}`)
    else if (name === 'tcptype' && /^(active|passive|so)$/.test(text)) more.push(`tcptype ${text}`)
  }
  // Foundations are often made of the address: Asterisk's `H` with its hexadecimal digits.
  const head = `${names.word('foundation', foundation).slice(0, 8)} ${component} ${transport} ${priority}`
  return [`${head} ${names.address(address)} ${port}`, ...more].join(' ')
}

/** RFC 4568: the suite stays, the key becomes one of zeros, as long as it was so that it can still be read. */
function maskCrypto(value: string): string {
  const suite = /^\d{1,2} [A-Z0-9_]{1,40} /.exec(value)?.[0] ?? '1 AES_CM_128_HMAC_SHA1_80 '
  const key = /inline:([A-Za-z0-9+/]{16,128})(={0,2})/.exec(value)
  return `${suite}inline:${'A'.repeat(key?.[1]?.length ?? 40)}${key?.[2] ?? ''}`
}
