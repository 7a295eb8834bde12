import { parsePort } from './uri.ts'

/** What an SDP body says, RFC 8866, as far as one debugs calls with it. */
export interface Sdp {
  /** `o=`: who made it, and which version of it this is. */
  readonly origin: SdpOrigin | null
  readonly name: string
  /** Session-level `c=` address, `''` when there is none. */
  readonly address: string
  readonly direction: SdpDirection
  readonly media: readonly SdpMedia[]
  readonly problems: readonly string[]
}

export interface SdpOrigin {
  readonly user: string
  readonly sessionId: string
  readonly version: string
  readonly address: string
}

export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

export interface SdpMedia {
  /** `audio`, `video`, `image`, … */
  readonly kind: string
  /** 0: the stream is refused or switched off. */
  readonly port: number
  readonly protocol: string
  /** The media's own `c=` address, else the session's. */
  readonly address: string
  readonly direction: SdpDirection
  /** In the order offered: the first is preferred. */
  readonly codecs: readonly SdpCodec[]
  /** All `a=` lines of the media, in order, without `a=`. */
  readonly attributes: readonly string[]
}

export interface SdpCodec {
  /** The payload type as written in `m=`; not a number for T.38 and the like. */
  readonly format: string
  /** `PCMA`, `telephone-event`, …; the format itself when nothing names it. */
  readonly name: string
  readonly clockRate: number | null
  readonly parameters: string
}

/** Static payload types, RFC 3551 table 4 and 5: they need no rtpmap. */
const staticPayloads: ReadonlyMap<string, readonly [string, number]> = new Map([
  ['0', ['PCMU', 8000]],
  ['3', ['GSM', 8000]],
  ['4', ['G723', 8000]],
  ['5', ['DVI4', 8000]],
  ['7', ['LPC', 8000]],
  ['8', ['PCMA', 8000]],
  ['9', ['G722', 8000]],
  ['10', ['L16', 44_100]],
  ['11', ['L16', 44_100]],
  ['12', ['QCELP', 8000]],
  ['13', ['CN', 8000]],
  ['15', ['G728', 8000]],
  ['18', ['G729', 8000]],
  ['26', ['JPEG', 90_000]],
  ['31', ['H261', 90_000]],
  ['32', ['MPV', 90_000]],
  ['34', ['H263', 90_000]],
])

/** More media or formats than these are counted as a problem and not listed. */
const maxMedia = 64
const maxFormats = 256

interface Section {
  kind: string
  port: number
  protocol: string
  formats: string[]
  address: string
  attributes: string[]
}

const directions: ReadonlySet<string> = new Set(['sendrecv', 'sendonly', 'recvonly', 'inactive'])

const decoder = new TextDecoder()

/** Bytes, or the text, of an `application/sdp` body → what they say. Never throws, linear, tolerant: LF line ends, unknown lines, any
 *  order. What is odd is in `problems`, one sentence each. */
export function parseSdp(body: Uint8Array | string): Sdp {
  const problems: string[] = []
  const session: Section = emptySection()
  let section = session
  const media: Section[] = []
  let origin: SdpOrigin | null = null
  let name = ''
  let sawVersion = false
  const text = typeof body === 'string' ? body : decoder.decode(body)
  for (let at = 0; at < text.length;) {
    const lineStart = at
    const lineFeed = text.indexOf('\n', at)
    let end = lineFeed < 0 ? text.length : lineFeed
    at = end + 1
    if (end > lineStart && text.charCodeAt(end - 1) === 0x0d) end--
    if (end === lineStart) continue
    if (end < lineStart + 2 || text.charCodeAt(lineStart + 1) !== 0x3d) {
      problems.push('a line that is not letter=value')
      break
    }
    const value = text.slice(lineStart + 2, end)
    switch (text[lineStart]) {
      case 'v':
        sawVersion = true
        break
      case 'o':
        origin = parseOrigin(value)
        break
      case 's':
        name = value
        break
      case 'c':
        section.address = parseConnection(value)
        break
      case 'a':
        section.attributes.push(value)
        break
      case 'm':
        section = parseMedia(value)
        if (media.length < maxMedia) media.push(section)
        else problems.push(`more than ${maxMedia} media lines`)
        break
      default:
        break
    }
  }
  if (!sawVersion) problems.push('v= is missing')
  if (origin === null) problems.push('o= is missing')
  const sessionDirection = directionOf(session.attributes, 'sendrecv')
  const described = media.map((one) => toMedia(one, session.address, sessionDirection))
  if (described.some((one) => one.address === '' && one.port !== 0)) problems.push('c= is missing')
  return {
    origin,
    name,
    address: session.address,
    direction: sessionDirection,
    media: described,
    problems: problems.length < 2 ? problems : [...new Set(problems)],
  }
}

function emptySection(): Section {
  return { kind: '', port: 0, protocol: '', formats: [], address: '', attributes: [] }
}

function words(value: string): string[] {
  const found = value.split(' ')
  return found.includes('') ? found.filter((word) => word !== '') : found
}

function parseOrigin(value: string): SdpOrigin {
  const [user = '', sessionId = '', version = '', , , address = ''] = words(value)
  return { user, sessionId, version, address }
}

/** `IN IP4 192.0.2.1/127` → `192.0.2.1`. */
function parseConnection(value: string): string {
  return (words(value)[2] ?? '').split('/')[0] ?? ''
}

function parseMedia(value: string): Section {
  const [kind = '', port = '', protocol = '', ...formats] = words(value)
  return {
    ...emptySection(),
    kind,
    port: parsePort(port.split('/')[0] ?? '') ?? 0,
    protocol,
    formats: formats.slice(0, maxFormats),
  }
}

function isDirection(text: string): text is SdpDirection {
  return directions.has(text)
}

function directionOf(attributes: readonly string[], otherwise: SdpDirection): SdpDirection {
  for (const attribute of attributes) {
    const trimmed = attribute.trim()
    if (isDirection(trimmed)) return trimmed
  }
  return otherwise
}

function toMedia(section: Section, sessionAddress: string, sessionDirection: SdpDirection): SdpMedia {
  const maps = new Map<string, string>()
  const parameters = new Map<string, string>()
  const isRtp = section.protocol.toUpperCase().includes('RTP')
  for (const attribute of section.attributes) {
    const space = attribute.indexOf(' ')
    if (space < 0) continue
    if (attribute.startsWith('rtpmap:'))
      maps.set(attribute.slice(7, space), attribute.slice(space + 1).trim())
    else if (attribute.startsWith('fmtp:'))
      parameters.set(attribute.slice(5, space), attribute.slice(space + 1).trim())
  }
  return {
    kind: section.kind,
    port: section.port,
    protocol: section.protocol,
    address: section.address === '' ? sessionAddress : section.address,
    direction: directionOf(section.attributes, sessionDirection),
    codecs: section.formats.map((format) => {
      const [name, rate] = maps.get(format)?.split('/') ?? []
      const known = isRtp ? staticPayloads.get(format) : undefined
      const clockRate = rate === undefined ? known?.[1] : Number(rate)
      return {
        format,
        name: name ?? known?.[0] ?? format,
        clockRate: clockRate !== undefined && Number.isInteger(clockRate) ? clockRate : null,
        parameters: parameters.get(format) ?? '',
      }
    }),
    attributes: section.attributes,
  }
}
