import { hash } from 'node:crypto'
import type { Direction, SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import type { ExtractedMessage } from '@sip-capture/pcap/extract.ts'

const idDigits = 32

/** What Node reads is never shared memory, which the schema's type excludes. */
type OwnBytes = Uint8Array<ArrayBuffer>

/** The same message seen at the same time and place gives the same id, so a file read twice makes no second row. */
function recordId(message: ExtractedMessage, node: string): string {
  const { src, dst, atMicros, nanos, transport, index, payload } = message
  const seen = `wire ${node} ${atMicros} ${nanos} ${transport} ${src.address} ${src.port} ${dst.address} ${dst.port} ${index}\n`
  const size = seen.length * 3 + payload.length
  const bytes = size <= scratch.length ? scratch : Buffer.allocUnsafe(size)
  const written = bytes.write(seen)
  bytes.set(payload, written)
  return hash('sha256', bytes.subarray(0, written + payload.length), 'hex').slice(0, idDigits)
}

/** For the bytes of one id at a time: nearly every message fits. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024)

function toFrame(packet: ExtractedMessage['frames'][number]): SipRecord['frames'][number] {
  const { linkType, atMicros, nanos, originalLength, interfaceName } = packet
  const frame = { linkType, atMicros, nanos, bytes: packet.bytes as OwnBytes, originalLength }
  return interfaceName === '' ? frame : { ...frame, interfaceName }
}

export function toRecord(message: ExtractedMessage, node: string, direction: Direction): SipRecord {
  return {
    v: 1,
    id: recordId(message, node),
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
