import type { Pseudonyms } from './pseudonyms.ts'
import { maskSessionDescription } from './session-description.ts'

export interface MaskedBody {
  readonly bytes: Uint8Array
  /** What to write instead of the Content-Type that was there; null without one. */
  readonly contentType: string | null
}

const utf8 = new TextEncoder()
const decoder = new TextDecoder()
const maxDepth = 4
const maxParts = 32
/** Types whose name says nothing of a person, and for which filler is still valid. */
const textTypes = /^(text\/(plain|html)|application\/simple-message-summary|message\/cpim)$/

/**
 * A body → one with the same type where it can be kept. SDP and parts of a multipart keep their meaning, a piece of a SIP
 * message is masked as a message, digits become 0, all other content becomes filler of the same length.
 * `maskMessage` masks a SIP message inside the body.
 */
export function maskBody(
  names: Pseudonyms,
  body: Uint8Array,
  contentType: string | null,
  maskMessage: (bytes: Uint8Array, depth: number) => Uint8Array,
  depth = 0,
): MaskedBody {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (body.length === 0) return { bytes: body, contentType: contentType === null ? null : knownType(type) }
  if (type === 'application/sdp' || (type === '' && startsAsSdp(body))) {
    return {
      bytes: utf8.encode(maskSessionDescription(names, decoder.decode(body))),
      contentType: contentType === null ? null : 'application/sdp',
    }
  }
  if (type.startsWith('multipart/') && depth < maxDepth) {
    const multipart = maskMultipart(names, decoder.decode(body), contentType ?? '', maskMessage, depth)
    if (multipart) return multipart
  }
  if ((type === 'message/sipfrag' || type === 'message/sip') && depth < maxDepth) {
    return {
      bytes: maskMessage(body, depth + 1),
      contentType: type === 'message/sip' ? type : 'message/sipfrag;version=2.0',
    }
  }
  if (type === 'application/dtmf-relay') {
    return { bytes: utf8.encode('Signal=0\r\nDuration=160\r\n'), contentType: type }
  }
  if (type === 'application/dtmf') return { bytes: utf8.encode('0'), contentType: type }
  if (isXml(type)) return { bytes: filler(body.length, '<masked>', '</masked>'), contentType: type }
  if (type === 'application/json') return { bytes: filler(body.length, '"', '"'), contentType: type }
  return { bytes: filler(body.length, '', ''), contentType: contentType === null ? null : knownType(type) }
}

function startsAsSdp(body: Uint8Array): boolean {
  return body[0] === 0x76 && body[1] === 0x3d
}

function isXml(type: string): boolean {
  return /^(application|text)\/([a-z-]{1,40}\+)?xml$/.test(type)
}

function knownType(type: string): string {
  if (type === 'application/sdp' || isXml(type) || textTypes.test(type)) return type
  return 'application/octet-stream'
}

/** Of the same length, unless what has to be around it is longer. */
function filler(length: number, before: string, after: string): Uint8Array {
  return utf8.encode(before + 'x'.repeat(Math.max(0, length - before.length - after.length)) + after)
}

function maskMultipart(
  names: Pseudonyms,
  text: string,
  contentType: string,
  maskMessage: (bytes: Uint8Array, depth: number) => Uint8Array,
  depth: number,
): MaskedBody | null {
  const boundary = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType)
  const mark = boundary?.[1] ?? boundary?.[2]
  if (mark === undefined) return null
  // The first piece is what precedes all parts, the last what follows the closing mark: nobody reads them.
  const pieces = `\r\n${text}`.split(`\n--${mark}`).slice(1, maxParts + 1)
  const parts = pieces
    .filter((piece) => !piece.startsWith('--'))
    .map((piece) => maskPart(names, piece, maskMessage, depth))
  if (parts.length === 0) return null
  const maskedMark = `masked-${names.word('boundary', mark)}`
  const bytes = [
    ...parts.flatMap((part) => [utf8.encode(`--${maskedMark}\r\n`), part]),
    utf8.encode(`--${maskedMark}--\r\n`),
  ]
  const subtype =
    /^multipart\/(mixed|alternative|related|signed)/i.exec(contentType.trim())?.[0] ?? 'multipart/mixed'
  return { bytes: join(bytes), contentType: `${subtype};boundary="${maskedMark}"` }
}

/** Headers, an empty line, content, a line end. */
function maskPart(
  names: Pseudonyms,
  piece: string,
  maskMessage: (bytes: Uint8Array, depth: number) => Uint8Array,
  depth: number,
): Uint8Array {
  const start = piece.indexOf('\n') + 1
  const empty = /(?:^|\n)\r?\n/.exec(piece.slice(start))
  const contentAt = empty ? start + empty.index + empty[0].length : piece.length
  const type = /^content-type\s*:\s*(.*)$/im.exec(piece.slice(start, contentAt))?.[1]?.trim()
  const content = utf8.encode(piece.slice(contentAt).replace(/\r$/, ''))
  const masked = maskBody(names, content, type ?? 'text/plain', maskMessage, depth + 1)
  return join([
    utf8.encode(`Content-Type: ${masked.contentType ?? 'text/plain'}\r\n\r\n`),
    masked.bytes,
    utf8.encode('\r\n'),
  ])
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
