import { z } from 'zod'
import { maxMicros } from '../time.ts'

const micros = z.int().min(0).max(maxMicros)
const sentence = z.string().max(2000)

/** A stretch of time in which a source may have missed messages. */
export const sourceGap = z.object({ fromMicros: micros, toMicros: micros, reason: sentence })
export type SourceGap = z.infer<typeof sourceGap>

export const amiTaps = ['events', 'hep', 'history'] as const
export const amiTap = z.enum(amiTaps)
export type AmiTap = z.infer<typeof amiTap>

/** Heartbeat of a bridge or a sidecar. */
export const sourceStatus = z.object({
  v: z.literal(1),
  kind: z.enum(['ami', 'wire']),
  node: z.string().max(256),
  atMicros: micros,
  startedAtMicros: micros,
  /** `off`: switched off by its setting. `starting`: not yet receiving. `up`. `degraded`: works, but something is
   *  missing and `detail` says what. `failed`: receives nothing; `detail` says why and names the setting. */
  state: z.enum(['off', 'starting', 'up', 'degraded', 'failed']),
  detail: sentence,
  /** AMI only: the tap in use, and why that one. */
  tap: amiTap.optional(),
  tapReason: sentence.optional(),
  /** What is on the other end: `Asterisk 22.10.1 at 127.0.0.1:5038`, `libpcap 1.10.3 on any`. */
  subject: z.string().max(512).default(''),
  lastMessageAtMicros: micros.nullable(),
  /** Named counters since start: received, published, dropped, malformed, duplicates, … */
  counters: z.record(z.string().max(64), z.number()),
  warnings: z.array(sentence).max(32).default([]),
  gaps: z.array(sourceGap).max(32).default([]),
})
export type SourceStatus = z.infer<typeof sourceStatus>
