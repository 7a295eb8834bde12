import { z } from 'zod'
import { callerText, channelHead, eventHead, uniqueid } from './channel.ts'

/** Asterisk confirmed a new channel by an answer; numbers and names are what its event said. */
export const legStarted = z.object({
  ...channelHead,
  kind: z.literal('leg-started'),
  /** `PJSIP`, `Local`. */
  technology: z.string().max(64),
  /** Of `PJSIP/<endpoint>-<hex>`; `''` where the technology has none. */
  endpoint: z.string().max(256).default(''),
  callerNumber: callerText.default(''),
  callerName: callerText.default(''),
  exten: callerText.default(''),
  context: callerText.default(''),
})

/** How a Call-ID is known to belong to a channel, the surest first: asked of Asterisk, named by HEP's correlation id, or
 *  inferred from addresses, numbers and time. */
export const linkSources = ['getvar', 'hep', 'guess'] as const
export const linkSource = z.enum(linkSources)
export type LinkSource = z.infer<typeof linkSource>

/** A channel belongs to a SIP Call-ID. A later link of the same channel and Call-ID from a surer source replaces it. */
export const legLinked = z.object({
  ...channelHead,
  kind: z.literal('leg-linked'),
  callId: z.string().max(65_535),
  from: linkSource,
  /** Why, where it is less than an answer of Asterisk's; `''` where it is one. */
  reason: z.string().max(512).default(''),
})

/** The channel is up. */
export const legAnswered = z.object({ ...channelHead, kind: z.literal('leg-answered') })

/** A channel ended, with Asterisk's hangup cause (Q.850) and the technology's own. */
export const legEnded = z.object({
  ...channelHead,
  kind: z.literal('leg-ended'),
  cause: z.int().min(0).max(255),
  causeText: z.string().max(256).default(''),
  techCause: z.string().max(256).default(''),
})

/** Two Linkedids are one call from now on, as Asterisk answered: a channel has changed from one to the other, or channels of
 *  both are in one bridge. */
export const callsJoined = z.object({
  ...eventHead,
  kind: z.literal('calls-joined'),
  linkedid: uniqueid,
  otherLinkedid: uniqueid,
  by: z.enum(['linkedid', 'bridge', 'local']),
  /** The bridge, the channel or the pair of Local channels that joins them. */
  through: z.string().max(512).default(''),
})
