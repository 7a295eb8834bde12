import { hash } from 'node:crypto'
import { createRecordId } from '@sip-capture/contract/bus/record-id.ts'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import type { ExtractedMessage } from '@sip-capture/pcap/extract.ts'

/** What Node reads is never shared memory, which the schema's type excludes. */
type OwnBytes = Uint8Array<ArrayBuffer>

/**
 * The same message seen at the same time and place gives the same id, so a file read twice makes no second row. Everything
 * before the payload has a fixed size or its length before it, so that no two sightings make the same bytes.
 */
export function idOfContent(message: ExtractedMessage, node: string): string {
  const { src, dst, atMicros, nanos, transport, index, payload } = message
  const texts = (node.length + transport.length + src.address.length + dst.address.length) * 3
  const size = texts + fixedIdBytes + payload.length
  const isUsual = size <= scratch.length
  const bytes = isUsual ? scratch : new Uint8Array(size)
  const view = isUsual ? scratchView : new DataView(bytes.buffer)
  view.setFloat64(0, atMicros)
  view.setUint16(8, nanos)
  view.setUint16(10, index)
  view.setUint16(12, src.port)
  view.setUint16(14, dst.port)
  let at = putText(bytes, 16, node)
  at = putText(bytes, at, transport)
  at = putText(bytes, at, src.address)
  at = putText(bytes, at, dst.address)
  bytes.set(payload, at)
  return createRecordId(atMicros, hash('sha256', startOf(bytes, at + payload.length), 'hex'))
}

/** A view of the first bytes; those of the scratch are kept, as the same lengths come again and again. */
function startOf(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array {
  // A plain view: one of a Node Buffer is several times as dear.
  if (bytes !== scratch) return new Uint8Array(bytes.buffer, 0, length)
  return (scratchStarts[length] ??= new Uint8Array(bytes.buffer, 0, length))
}

const fixedIdBytes = 16 + 4 * 2
/** For the bytes of one id at a time: nearly every message fits. */
const scratch = new Uint8Array(16 * 1024)
const scratchView = new DataView(scratch.buffer)
const scratchStarts: (Uint8Array | undefined)[] = Array.from({ length: scratch.length + 1 }, () => undefined)
const encoder = new TextEncoder()

/** The length in two bytes, then the text in UTF-8; answers the offset behind. */
function putText(bytes: Uint8Array, at: number, text: string): number {
  const from = at + 2
  let length = text.length
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) {
      length = encoder.encodeInto(text, bytes.subarray(from)).written
      break
    }
    bytes[from + index] = code
  }
  bytes[at] = length >>> 8
  bytes[at + 1] = length
  return from + length
}

function toFrame(packet: ExtractedMessage['frames'][number]): SipRecord['frames'][number] {
  const { linkType, atMicros, nanos, originalLength, interfaceName } = packet
  const bytes = packet.bytes as OwnBytes
  return interfaceName === ''
    ? { linkType, atMicros, nanos, bytes, originalLength }
    : { linkType, atMicros, nanos, bytes, originalLength, interfaceName }
}

export function toRecord(
  message: ExtractedMessage,
  { id, node, direction }: Pick<SipRecord, 'id' | 'node' | 'direction'>,
): SipRecord {
  return {
    v: 1,
    id,
    atMicros: message.atMicros,
    nanos: message.nanos,
    precisionMicros: 1,
    source: 'wire',
    node,
    transport: message.transport,
    src: message.src,
    dst: message.dst,
    direction,
    payload: message.payload as OwnBytes,
    frames: message.frames.map(toFrame),
    copies: message.copies,
    notes: message.notes,
  }
}

/** Roughly what a record holds in memory. */
export function recordBytes(record: SipRecord): number {
  let size = 512 + record.payload.length
  for (const frame of record.frames) size += 128 + frame.bytes.length
  return size
}
