import { z } from 'zod'
import { maxMicros } from '../time.ts'

/** Where a message was seen. `wire` frames are what passed a network card; `ami-hep` bytes are exact; `ami-history`
 *  bytes were printed again by pjsip and are not what passed the wire; `import` came from an uploaded file. */
export const messageSources = ['wire', 'ami-event', 'ami-hep', 'ami-history', 'import'] as const
export const messageSource = z.enum(messageSources)
export type MessageSource = z.infer<typeof messageSource>

export const sipTransports = ['UDP', 'TCP', 'TLS', 'WS', 'WSS', 'SCTP', 'unknown'] as const
export const sipTransport = z.enum(sipTransports)
export type SipTransport = z.infer<typeof sipTransport>

/** Seen from the PBX. `unknown` when neither side is known to be the PBX (or both are). */
export const direction = z.enum(['in', 'out', 'unknown'])
export type Direction = z.infer<typeof direction>

/** An IP address in text (IPv6 compressed, RFC 5952, no brackets) and a port. `''` and 0 mean "not known". */
export const hostPort = z.object({ address: z.string().max(64), port: z.int().min(0).max(65535) })
export type HostPort = z.infer<typeof hostPort>

export const bytes = z.instanceof(Uint8Array)

/** A frame as captured, byte for byte. A message over IP fragments or several TCP segments has several. */
export const frame = z.object({
  /** LINKTYPE_ value, https://www.tcpdump.org/linktypes.html */
  linkType: z.int().min(0).max(65535),
  atMicros: z.int().min(0).max(maxMicros),
  /** The nanoseconds below the microsecond, 0..999. */
  nanos: z.int().min(0).max(999).default(0),
  bytes,
  /** Length on the wire; more than `bytes` where the capture cut the frame. */
  originalLength: z.int().min(0),
  interfaceName: z.string().max(256).optional(),
})
export type Frame = z.infer<typeof frame>

/**
 * One SIP message (or one payload on a SIP port that is not SIP) as one source saw it. On the bus `payloadAt: [offset, length]`
 * may stand in place of `payload`: then these bytes of the first frame are the payload, and `decodeBatch` puts a view of them
 * in its place.
 */
export const sipRecord = z.object({
  v: z.literal(1),
  /** Deterministic for what was seen where and when (32 hex digits), so that a redelivery makes no second row. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  atMicros: z.int().min(0).max(maxMicros),
  nanos: z.int().min(0).max(999).default(0),
  /** How exact `atMicros` is, in microseconds: 1_000_000 for the history tap's whole seconds. */
  precisionMicros: z.int().min(0).default(1),
  source: messageSource,
  /** NODE_NAME of the service that saw it. */
  node: z.string().max(256),
  transport: sipTransport,
  src: hostPort,
  dst: hostPort,
  direction,
  /** The bytes of the message, from its start line to the end of its body. */
  payload: bytes,
  frames: z.array(frame).max(256).default([]),
  /** Copies of the same packet that were recognised and left out (capture on `any`). */
  copies: z.int().min(1).default(1),
  /** Asterisk's channel, where the tap names it (HEP correlation id). */
  channel: z.string().max(512).optional(),
  /** Anything noteworthy about how it was seen: `truncated`, `reassembled`, … */
  notes: z.array(z.string().max(64)).max(16).default([]),
})
export type SipRecord = z.infer<typeof sipRecord>
