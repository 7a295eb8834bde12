import { createHash } from 'node:crypto'
import type { RecordIds } from '@sip-capture/contract/bus/record-id.ts'
import type { Direction, SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import type { ExtractedMessage } from '@sip-capture/pcap/extract.ts'

/** What Node reads is never shared memory, which the schema's type excludes. */
type OwnBytes = Uint8Array<ArrayBuffer>

/** Of all that tells one message that was seen from another. Texts have their length before them, so that no two make the same bytes. */
function digestOf(message: ExtractedMessage, node: string): string {
  const { src, dst, atMicros, nanos, transport, index, payload } = message
  const seen = [node, transport, src.address, src.port, dst.address, dst.port, atMicros, nanos, index]
  return createHash('sha256').update(JSON.stringify(seen)).update(payload).digest('hex')
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
  { node, direction, ids }: { node: string; direction: Direction; ids: RecordIds },
): SipRecord {
  return {
    v: 1,
    id: ids.next(message.atMicros, () => digestOf(message, node)),
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
