import { headerSpelling } from '@sip-capture/sip/headers.ts'
import { parseMessage, type SipMessage } from '@sip-capture/sip/message.ts'
import { reasonPhrase } from '@sip-capture/sip/reason-phrases.ts'
import { keepAliveKind, splitDatagram } from '../reassembly/sip-framing.ts'
import { maskBody } from './body.ts'
import { maskHeader, maskMethod } from './headers.ts'
import type { Pseudonyms } from './pseudonyms.ts'
import { maskUri } from './uris.ts'
import { isHarmlessText } from './vocabulary.ts'

const utf8 = new TextEncoder()
const fill = 0x78

/**
 * One SIP message → the same one masked. Everything in it is rebuilt from what is known to be harmless: what cannot be
 * read is replaced, never passed. Bytes that are no SIP become filler of the same length. Never throws.
 */
export function maskSipMessage(names: Pseudonyms, bytes: Uint8Array, depth = 0): Uint8Array {
  const parsed = parseMessage(bytes)
  if (!parsed.ok) return new Uint8Array(bytes.length).fill(fill)
  const { message } = parsed
  const isEncoded = /[^\s]/.test((message.header('content-encoding') ?? '').replace(/^\s*identity\s*$/i, ''))
  const type = message.header('content-type') ?? null
  // Compressed content cannot be read, and filler under its type cannot either.
  const body = maskBody(
    names,
    message.body,
    isEncoded ? 'application/octet-stream' : type,
    (inner, innerDepth) => maskSipMessage(names, inner, innerDepth),
    depth,
  )
  const lines = [startLine(names, message)]
  for (const header of message.headers) {
    switch (header.canonical) {
      case 'content-length':
        lines.push(`${header.name}: ${body.bytes.length}`)
        break
      case 'content-type':
        lines.push(`${header.name}: ${body.contentType ?? 'application/octet-stream'}`)
        break
      case 'content-encoding':
        lines.push(`${headerSpelling('content-encoding')}: identity`)
        break
      default:
        lines.push(maskHeader(names, header))
    }
  }
  const head = utf8.encode(`${lines.join('\r\n')}\r\n\r\n`)
  const whole = new Uint8Array(head.length + body.bytes.length)
  whole.set(head)
  whole.set(body.bytes, head.length)
  return whole
}

function startLine(names: Pseudonyms, message: SipMessage): string {
  if (message.kind === 'request') return `${maskMethod(message.method)} ${requestUri(names, message)} SIP/2.0`
  const phrase = isHarmlessText(message.reason)
    ? message.reason
    : reasonPhrase(message.status ?? 0) || 'masked'
  return `SIP/2.0 ${message.status ?? 999} ${phrase}`
}

function requestUri(names: Pseudonyms, message: SipMessage): string {
  return maskUri(names, message.requestUri.replace(/^<|>$/g, '').trim()).replaceAll(' ', '') || 'sip:masked'
}

/** All of one UDP payload: several messages, keep-alives, or what is no SIP at all. */
export function maskDatagram(names: Pseudonyms, payload: Uint8Array): Uint8Array {
  if (keepAliveKind(payload) === 'keep-alive') return payload
  const pieces = splitDatagram(payload).map((piece) =>
    piece.isSip ? maskSipMessage(names, piece.bytes) : new Uint8Array(piece.bytes.length).fill(fill),
  )
  if (pieces.length === 1 && pieces[0]) return pieces[0]
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
