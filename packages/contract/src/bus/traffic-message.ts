import { z } from 'zod'
import { toRfc3339 } from '../time.ts'
import { direction, hostPort, messageSource, sipTransport, type SipRecord } from './sip-record.ts'

/** The JSON of one publish on `sip-traffic`: readable by any subscriber, complete for ours. */
export const trafficMessage = z.object({
  v: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  /** RFC 3339 with microseconds. */
  at: z.string(),
  atMicros: z.int().min(0),
  precisionMicros: z.int().min(0).default(1),
  source: messageSource,
  node: z.string().max(256),
  transport: sipTransport,
  src: hostPort,
  dst: hostPort,
  direction,
  channel: z.string().max(512).optional(),
  notes: z.array(z.string().max(64)).max(16).default([]),
  /** The message as UTF-8 text: what a subscriber reads. Bytes that are not UTF-8 show as U+FFFD here. */
  text: z.string(),
  /** The exact bytes, only where `text` cannot carry them. */
  base64: z.string().optional(),
})
export type TrafficMessage = z.infer<typeof trafficMessage>

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true })

export function toTrafficMessage(record: SipRecord): TrafficMessage {
  let text: string
  let base64: string | undefined
  try {
    text = strictUtf8.decode(record.payload)
  } catch {
    text = lenientUtf8.decode(record.payload)
    base64 = Buffer.from(record.payload).toString('base64')
  }
  return {
    v: 1,
    id: record.id,
    at: toRfc3339(record.atMicros),
    atMicros: record.atMicros,
    precisionMicros: record.precisionMicros,
    source: record.source,
    node: record.node,
    transport: record.transport,
    src: record.src,
    dst: record.dst,
    direction: record.direction,
    ...(record.channel === undefined ? {} : { channel: record.channel }),
    notes: record.notes,
    text,
    ...(base64 === undefined ? {} : { base64 }),
  }
}

export function toSipRecord(message: TrafficMessage): SipRecord {
  return {
    v: 1,
    id: message.id,
    atMicros: message.atMicros,
    nanos: 0,
    precisionMicros: message.precisionMicros,
    source: message.source,
    node: message.node,
    transport: message.transport,
    src: message.src,
    dst: message.dst,
    direction: message.direction,
    payload:
      message.base64 === undefined
        ? new TextEncoder().encode(message.text)
        : Uint8Array.from(Buffer.from(message.base64, 'base64')),
    frames: [],
    copies: 1,
    ...(message.channel === undefined ? {} : { channel: message.channel }),
    notes: message.notes,
  }
}
