import { z } from 'zod'
import { messageFilter, messageRow } from './rest/message.ts'
import { apiHealth, sourceView } from './rest/source.ts'

/** The WebSocket `/ws`: JSON text frames both ways. A client subscribes once; a later `subscribe` replaces the filter. */
export const maxClientFrameBytes = 64 * 1024

/** Where a client has read to: one Redis stream id a stream. Opaque to the page; any API replica understands it. */
export const livePosition = z.string().max(2048)

export const clientFrame = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('subscribe'),
    filter: messageFilter.default({}),
    /** Resume behind this position: what came since is sent first, or a `gap` says what could not be. */
    since: livePosition.optional(),
  }),
  z.strictObject({ type: z.literal('pause') }),
  z.strictObject({ type: z.literal('resume') }),
  z.strictObject({ type: z.literal('ping'), id: z.string().max(64).optional() }),
])
export type ClientFrame = z.input<typeof clientFrame>

const rows = {
  items: z.array(messageRow).max(1000),
  /** The stream position behind these rows: what to send as `since`. */
  position: livePosition,
}

export const serverFrame = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    version: z.string(),
    position: livePosition,
    serverTime: z.string(),
  }),
  /** Seen by Asterisk. */
  z.object({ type: z.literal('sip:traffic'), ...rows }),
  /** Seen on the wire. */
  z.object({ type: z.literal('sip:capture-packet'), ...rows }),
  /** Calls that have news. */
  z.object({
    type: z.literal('call:updated'),
    callIds: z.array(z.string()).max(1000),
    /** For who follows the call log (`live-calls.ts`): `callRow`s that match the filter. Checked by the view that shows
     *  them, so that the first page load need not carry their schema. */
    items: z.array(z.unknown()).max(250).optional(),
    /** Ids of rows that are gone (joined another call) or do not match the filter now. */
    removed: z.array(z.string()).max(1000).optional(),
    /** Updates this browser did not get since the last frame: read `GET /calls` again. */
    missed: z.number().optional(),
  }),
  /** Calls that matched a watch: `watchMatch`es, checked by the part of the page that shows them. */
  z.object({
    type: z.literal('watch:matched'),
    items: z.array(z.unknown()).max(50),
    /** Matches that are not told here: read `GET /watches/matches`. */
    missed: z.number(),
  }),
  z.object({ type: z.literal('source:status'), items: z.array(sourceView), api: apiHealth }),
  /** Rows that this client did not get; fill over `GET /messages?since&until` with the same filter. */
  z.object({
    type: z.literal('gap'),
    from: z.string(),
    to: z.string(),
    missed: z.number(),
    reason: z.string(),
  }),
  z.object({ type: z.literal('pong'), id: z.string().optional() }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string() }),
])
export type ServerFrame = z.infer<typeof serverFrame>
