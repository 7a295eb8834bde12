import type { CapturedPacket } from '../captured-packet.ts'
import { u16be, u32be } from '../byte-order.ts'
import { headersEnd } from './sip-framing.ts'

const maxHandshakeBytes = 16_384
const latin1 = new TextDecoder('latin1')

/**
 * Whether an HTTP upgrade to WebSocket (RFC 6455 section 4) stands at `from`: the end of its head, -1 if not, `more`
 * where the bytes so far do not tell.
 */
export function webSocketUpgradeEnd(bytes: Uint8Array, from: number, end: number): number | 'more' {
  const first = bytes[from]
  // `GET ` of the client, `HTTP` of the server: all else is told by one byte or two.
  if (first !== 71 && first !== 72) return -1
  const start = latin1.decode(bytes.subarray(from, Math.min(end, from + 4)))
  if (start !== 'GET ' && start !== 'HTTP') return -1
  const headEnd = headersEnd(bytes, from, end)
  if (headEnd < 0) return end - from < maxHandshakeBytes ? 'more' : -1
  if (headEnd - from > maxHandshakeBytes) return -1
  const head = latin1.decode(bytes.subarray(from, headEnd))
  return /^(?:GET |HTTP\/1\.\d 101)/.test(head) && /\nupgrade[ \t]*:[ \t]*websocket/i.test(head)
    ? headEnd
    : -1
}

const continuation = 0
const text = 1
const binary = 2
const firstControl = 8

interface FrameHead {
  readonly opcode: number
  readonly isFinal: boolean
  readonly isCompressed: boolean
  /** Index of the masking key, or -1. */
  readonly maskAt: number
  readonly payloadAt: number
  readonly length: number
}

/** The head of the frame at the start of `bytes` (RFC 6455 section 5.2), or null if it is not all there. */
function readFrameHead(bytes: Uint8Array): FrameHead | null {
  if (bytes.length < 2) return null
  const first = bytes[0] ?? 0
  const second = bytes[1] ?? 0
  let length = second & 127
  let at = 2
  if (length === 126) {
    length = u16be(bytes, 2)
    at = 4
  } else if (length === 127) {
    length = u32be(bytes, 2) * 4_294_967_296 + u32be(bytes, 6)
    at = 10
  }
  const isMasked = (second & 128) !== 0
  const payloadAt = isMasked ? at + 4 : at
  if (bytes.length < payloadAt) return null
  return {
    opcode: first & 15,
    isFinal: (first & 128) !== 0,
    isCompressed: (first & 64) !== 0,
    maskAt: isMasked ? at : -1,
    payloadAt,
    length,
  }
}

export interface WebSocketMessage {
  readonly payload: Uint8Array
  readonly packets: readonly CapturedPacket[]
  /** permessage-deflate (RFC 7692), which is not undone here. */
  readonly isCompressed: boolean
}

/** One direction of a WebSocket: cuts frames, takes the mask off, puts pieces of a message together. */
export class WebSocketFraming {
  readonly #maxBytes: number
  #parts: Uint8Array[] = []
  #packets: CapturedPacket[] = []
  #sizeBytes = 0
  #isCompressed = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Length of the whole frame at the start of `bytes`; 0 if more is needed; -1 if no sound frame starts here. */
  frameBytes(bytes: Uint8Array): number {
    const head = readFrameHead(bytes)
    if (!head) return 0
    const isKnown = head.opcode <= binary || (head.opcode >= firstControl && head.opcode <= 10)
    const total = head.payloadAt + head.length
    if (!isKnown || total > this.#maxBytes) return -1
    return total <= bytes.length ? total : 0
  }

  /** Takes one whole frame; gives the message it completes. */
  take(frame: Uint8Array, packets: readonly CapturedPacket[]): WebSocketMessage | null {
    const head = readFrameHead(frame)
    if (!head || head.opcode >= firstControl) return null
    if (head.opcode === text || head.opcode === binary) this.forget()
    else if (head.opcode === continuation && this.#parts.length === 0) return null
    if (head.opcode !== continuation) this.#isCompressed = head.isCompressed
    this.#parts.push(unmasked(frame, head))
    this.#sizeBytes += head.length
    for (const packet of packets) if (!this.#packets.includes(packet)) this.#packets.push(packet)
    if (this.#sizeBytes > this.#maxBytes) {
      this.forget()
      return null
    }
    if (!head.isFinal) return null
    const payload = new Uint8Array(this.#sizeBytes)
    let at = 0
    for (const part of this.#parts) {
      payload.set(part, at)
      at += part.length
    }
    const message = { payload, packets: this.#packets, isCompressed: this.#isCompressed }
    this.forget()
    return message
  }

  /** What came before is lost: pieces that wait will not be completed. */
  forget(): void {
    this.#parts = []
    this.#packets = []
    this.#sizeBytes = 0
  }
}

function unmasked(frame: Uint8Array, head: FrameHead): Uint8Array {
  const payload = frame.slice(head.payloadAt, head.payloadAt + head.length)
  if (head.maskAt < 0) return payload
  for (let at = 0; at < payload.length; at += 1) {
    payload[at] = (payload[at] ?? 0) ^ (frame[head.maskAt + (at & 3)] ?? 0)
  }
  return payload
}
