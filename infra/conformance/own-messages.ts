import { createReadStream } from 'node:fs'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { SipExtractor, type ExtractedMessage } from '@sip-capture/pcap/extract.ts'

/** One message as our own reader gives it. */
export interface OwnMessage {
  /** One character a byte. */
  readonly payload: string
  readonly isSip: boolean
  readonly transport: string
  readonly ports: readonly [number, number]
  readonly notes: readonly string[]
  /** n-th message of its datagram, from 0. */
  readonly index: number
  /** Line ends stand before it, or before an earlier message that shares a frame with it. */
  readonly isBehindLineEnds: boolean
  /** TCP: the piece before it in its direction of the connection is no SIP. */
  readonly isBehindRest: boolean
}

export interface OwnReading {
  /** Frames read so far. */
  readonly frames: number
  readonly messages: readonly OwnMessage[]
  /** Why reading stopped before the end, once it has. */
  readonly problem: string | null
}

const usualSipPorts: ReadonlySet<number> = new Set([5060, 5061, 5080])
const chunkBytes = 256 * 1024

/** The messages of a capture file, a piece a time: SIP on any port; payloads that are none only from the usual ports. */
export async function* readOwnMessages(
  file: string,
  options: { dropCopies: boolean },
): AsyncGenerator<OwnReading, void, undefined> {
  const reader = createCaptureReader()
  const extractor = new SipExtractor({
    isSipPort: (port) => usualSipPorts.has(port),
    dropCopies: options.dropCopies,
    openHep: true,
  })
  const framesBehindLineEnds = new WeakSet<CapturedPacket>()
  const isBehindRest = createRestMemory()
  const toReading = (found: readonly ExtractedMessage[]): OwnReading => ({
    frames: extractor.counters['received'] ?? 0,
    messages: found.map((message) => toOwn(message, framesBehindLineEnds, isBehindRest(message))),
    problem: reader.problem,
  })
  for await (const chunk of createReadStream(file, { highWaterMark: chunkBytes })) {
    if (chunk instanceof Uint8Array) yield toReading(extractor.push(reader.push(chunk)))
    if (reader.problem !== null) break
  }
  reader.end()
  yield toReading(extractor.expire())
}

/** Enough for any file that is looked at. */
const maxConnections = 65_536

/** Tells of each message, in the order of its connection, whether what came before it there was no SIP. */
function createRestMemory(): (message: ExtractedMessage) => boolean {
  const wasRest = new Map<string, boolean>()
  return ({ transport, src, dst, isSip }) => {
    if (transport !== 'TCP') return false
    const key = `${src.address} ${src.port} ${dst.address} ${dst.port}`
    const before = wasRest.get(key) ?? false
    if (wasRest.size >= maxConnections) wasRest.clear()
    wasRest.set(key, !isSip)
    return before
  }
}

function toOwn(
  message: ExtractedMessage,
  framesBehindLineEnds: WeakSet<CapturedPacket>,
  isBehindRest: boolean,
): OwnMessage {
  const { payload, frames, isSip, transport, src, dst, notes, index, lineEnds } = message
  const isBehindLineEnds = lineEnds > 0 || frames.some((frame) => framesBehindLineEnds.has(frame))
  if (isBehindLineEnds) for (const frame of frames) framesBehindLineEnds.add(frame)
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('latin1')
  const ports = [src.port, dst.port] as const
  return { payload: text, isSip, transport, ports, notes, index, isBehindLineEnds, isBehindRest }
}
