import { z } from 'zod'

/** One report, or the worst of those that fall on one place of a long call. Null: not told. */
const qualityPoint = z.object({
  at: z.string(),
  jitterMillis: z.number().nullable(),
  /** Since the report before. */
  lossPercent: z.number().nullable(),
  /** Of the leg, as last measured. */
  roundTripMillis: z.number().nullable(),
  mos: z.number().nullable(),
})
export type QualityPoint = z.infer<typeof qualityPoint>

const meanAndMax = z.object({ mean: z.number(), max: z.number() }).nullable()

/** One RTP stream of one leg (one SSRC), as its receiver reported it by RTCP (RFC 3550 6.4). */
const mediaQuality = z.object({
  channel: z.string(),
  uniqueid: z.string(),
  /** Of the leg; null where its link is not known. */
  callId: z.string().nullable(),
  /** `received`: what Asterisk received from the far end; `sent`: what the far end received from Asterisk. */
  direction: z.enum(['received', 'sent']),
  ssrc: z.number(),
  from: z.enum(['ami', 'hep']),
  /** First codec of the answer; null where it is not known or the leg has several media. */
  codec: z.string().nullable(),
  clockRate: z.number().nullable(),
  reports: z.number(),
  startedAt: z.string(),
  endedAt: z.string(),
  lostPackets: z.number().nullable(),
  jitterMillis: meanAndMax,
  lossPercent: meanAndMax,
  roundTripMillis: meanAndMax,
  /** Of the whole stream, from its means; null with the reason in `noMos`. */
  mos: z.number().nullable(),
  r: z.number().nullable(),
  noMos: z.string(),
  points: z.array(qualityPoint),
})
export type MediaQuality = z.infer<typeof mediaQuality>

/** `GET /calls/{id}/quality`. Without any report: no streams. */
export const callQuality = z.object({
  streams: z.array(mediaQuality),
  /** True when there were more reports or streams than are looked at. */
  truncated: z.boolean(),
})
export type CallQuality = z.infer<typeof callQuality>
