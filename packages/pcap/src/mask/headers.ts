import { headerSpelling } from '@sip-capture/sip/headers.ts'
import type { SipHeader } from '@sip-capture/sip/message.ts'
import { splitNameAddress } from '@sip-capture/sip/name-address.ts'
import { splitList } from '@sip-capture/sip/parameters.ts'
import { parseVia } from '@sip-capture/sip/via.ts'
import { maskAuthentication } from './authentication.ts'
import type { Pseudonyms } from './pseudonyms.ts'
import { splitOutside } from './splitting.ts'
import { maskCallIdWithTags, maskHostPort, maskParameters, maskUri } from './uris.ts'
import { isHarmlessName, isHarmlessText, isKnownMethod } from './vocabulary.ts'

type Mask = (names: Pseudonyms, value: string) => string

const masks = new Map<string, Mask>()
const use = (mask: Mask, headers: string): void => {
  for (const header of headers.split(' ')) masks.set(header, mask)
}
use(
  maskNameAddressList,
  'from to contact route record-route path service-route p-asserted-identity p-preferred-identity remote-party-id ' +
    'diversion history-info refer-to referred-by reply-to call-info alert-info error-info p-called-party-id ' +
    'p-associated-uri p-served-user',
)
use(maskViaList, 'via')
use(maskCallIds, 'call-id in-reply-to')
use(maskCallIdWithTags, 'replaces join target-dialog')
use(
  maskAuthentication,
  'authorization proxy-authorization www-authenticate proxy-authenticate authentication-info proxy-authentication-info',
)
use(
  maskTokens,
  'accept accept-encoding accept-language allow allow-events supported unsupported require proxy-require event ' +
    'content-disposition content-language privacy priority subscription-state session-expires min-se expires min-expires ' +
    'max-forwards rseq mime-version refer-sub request-disposition recv-info info-package',
)
use((_, value) => /^\d{1,6}/.exec(value)?.[0] ?? '0', 'retry-after')
use(maskSequence, 'cseq rack')
use(maskReason, 'reason')
use(maskWarning, 'warning')
use(maskProduct, 'user-agent server')
use(
  (_, value) =>
    /^[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(value) ? value : 'masked',
  'date',
)

/** What these say of an address depends on which were seen before. */
const changing: ReadonlySet<string> = new Set(['user-agent', 'server'])

/** The whole line without its end. A header nobody knows keeps its name, not its value; a line that is no header goes. */
export function maskHeader(names: Pseudonyms, header: SipHeader): string {
  if (changing.has(header.canonical)) return newLine(names, header)
  return names.lines.get(`${header.name}:${header.value}`, () => newLine(names, header))
}

function newLine(names: Pseudonyms, header: SipHeader): string {
  const mask = masks.get(header.canonical) ?? maskUnknown
  const isKnown = headerSpelling(header.canonical) !== header.canonical || masks.has(header.canonical)
  const name = isKnown || isHarmlessName(header.name) ? header.name : 'X-Masked'
  return `${name}: ${header.name === '' ? 'masked' : mask(names, header.value)}`
}

function maskUnknown(names: Pseudonyms, value: string): string {
  return isHarmlessText(value) ? value : names.opaque(value)
}

function maskNameAddressList(names: Pseudonyms, value: string): string {
  return splitList(value)
    .map((entry) => maskNameAddress(names, entry))
    .join(', ')
}

function maskNameAddress(names: Pseudonyms, entry: string): string {
  if (entry === '*') return entry
  const { displayName, uri, parametersAt } = splitNameAddress(entry)
  const parameters = maskParameters(names, splitOutside(entry.slice(parametersAt), ';').slice(1))
  if (entry[parametersAt] !== '>') return maskUri(names, uri) + parameters
  const name = names.name(displayName)
  const shown = entry.startsWith('"') ? `"${name}" ` : name === '' ? '' : `${name} `
  return `${shown}<${maskUri(names, uri)}>${parameters}`
}

function maskViaList(names: Pseudonyms, value: string): string {
  return splitList(value)
    .map((entry) => {
      const via = parseVia(entry)
      const transport = /^(UDP|TCP|TLS|SCTP|WS|WSS|TLS-SCTP|DTLS-UDP)$/.test(via.transport)
        ? via.transport
        : 'UDP'
      const port = via.port === null ? '' : `:${via.port}`
      const sentBy = via.host === '' ? '' : names.host(via.host) + port
      return `SIP/2.0/${transport} ${sentBy}${maskParameters(names, splitOutside(entry, ';').slice(1))}`
    })
    .join(', ')
}

function maskCallIds(names: Pseudonyms, value: string): string {
  return value
    .split(',')
    .map((callId) => names.callId(callId.trim()))
    .join(', ')
}

/** Tokens, small numbers and `;name=value`. */
function maskTokens(names: Pseudonyms, value: string): string {
  return splitList(value)
    .map((entry) => {
      const [token = '', ...parameters] = splitOutside(entry, ';')
      const isHarmless =
        /^\d{1,6}$/.test(token) || token.split('/').every((part) => part === '*' || isHarmlessToken(part))
      return (isHarmless ? token : names.opaque(token)) + maskParameters(names, parameters)
    })
    .join(', ')
}

function isHarmlessToken(token: string): boolean {
  // Option tags such as `100rel` begin with digits.
  return isHarmlessName(token) || token === '100rel' || token === '199' || token === '1.0'
}

/** CSeq and RAck: numbers and a method. They order the ladder, so they stay as they are. */
function maskSequence(_: Pseudonyms, value: string): string {
  const match = /^((?:\d{1,10}\s+){1,2})([^\s]+)$/.exec(value)
  if (!match) return '0 MASKED'
  const [, numbers = '', method = ''] = match
  return numbers + maskMethod(method)
}

export function maskMethod(method: string): string {
  return isKnownMethod(method) ? method : 'MASKED'
}

function maskReason(names: Pseudonyms, value: string): string {
  return splitList(value)
    .map((entry) => {
      const [protocol = '', ...parameters] = splitOutside(entry, ';')
      return (
        (/^(SIP|Q\.850|Q850|FreeSWITCH|STIR|X\.int)$/i.test(protocol) ? protocol : names.opaque(protocol)) +
        maskParameters(names, parameters)
      )
    })
    .join(', ')
}

function maskWarning(names: Pseudonyms, value: string): string {
  return splitList(value)
    .map((entry) => {
      const match = /^(\d{3})\s+([^\s"]+)\s*"(.*)"$/.exec(entry)
      if (!match) return '399 masked "masked"'
      const [, code = '', agent = '', text = ''] = match
      return `${code} ${maskHostPort(names, agent)} "${isHarmlessText(text) ? text : 'masked'}"`
    })
    .join(', ')
}

/**
 * User-Agent and Server name a product and its version, which faults depend on; serial numbers, MAC addresses, telephone
 * numbers and mail addresses go. A version may look like an IPv4 address: it goes if it is known to be one.
 */
export function maskProduct(names: Pseudonyms, value: string): string {
  return value
    .replace(/[^\x20-\x7e]/g, '')
    .split(' ')
    .map((word) => maskProductWord(names, word))
    .join(' ')
}

function maskProductWord(names: Pseudonyms, word: string): string {
  // Digits with dots are a version.
  if (/[@%"<>=&]|sips?:|tel:|[a-z]{2}\.[a-z]{2}|\d(?:[()-]?\d){6}/i.test(word) || word.length > 60)
    return names.opaque(word)
  const isAddress = (word.match(/\d{1,3}(?:\.\d{1,3}){3}/g) ?? []).some((text) => names.isKnownAddress(text))
  if (isAddress || /(?:[0-9a-f]{1,4}:){3}/i.test(word)) return names.opaque(word)
  // A MAC address or serial number: twelve or more digits of base 16, with a digit among them.
  const serial = /[0-9a-f]{12,}|(?:[0-9a-f]{2}[-:.]){5}[0-9a-f]{2}/i.exec(word)?.[0]
  return serial !== undefined && /\d/.test(serial) ? names.opaque(word) : word
}
