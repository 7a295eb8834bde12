import { z } from 'zod'
import { channelHead } from './channel.ts'

/** One RTCP report of a leg (RFC 3550 6.4), at most one a second, channel and direction. */
export const rtcpReported = z.object({
  ...channelHead,
  kind: z.literal('rtcp-reported'),
  from: z.enum(['ami', 'hep']),
  /** `sent`: Asterisk tells what it receives; `received`: the far end tells what it receives. */
  direction: z.enum(['sent', 'received']),
  /** Of who reports. */
  ssrc: z.int().min(0).max(0xffff_ffff),
  /** Whose stream the report block is about; absent where the report has no block. */
  aboutSsrc: z.int().min(0).max(0xffff_ffff).optional(),
  /** Interarrival jitter in units of the RTP clock (8,000 a second for G.711). */
  jitter: z.int().min(0).max(0xffff_ffff).optional(),
  /** Share of packets lost since the report before, in 1/256. */
  fractionLost: z.int().min(0).max(255).optional(),
  /** Packets lost since the beginning; negative with duplicates (24 bits, signed). */
  cumulativeLost: z.int().min(-0x80_0000).max(0xffff_ffff).optional(),
  roundTripMicros: z.int().min(0).max(4_294_967_295).optional(),
  /** Of the sender's own stream, from a sender report. */
  sentPackets: z.int().min(0).max(0xffff_ffff).optional(),
  sentOctets: z.int().min(0).max(0xffff_ffff).optional(),
})
