import type { BusKeys } from '@sip-capture/contract/keys.ts'
import { matchedCall, watchMatch, watchView, type WatchView } from '@sip-capture/contract/rest/watch.ts'
import { z } from 'zod'

/** A watch as kept in Redis. */
export const watchRecord = watchView
export type WatchRecord = WatchView

/** A match as kept in Redis. */
export const matchRecord = watchMatch.extend({
  /** For `JobRecords`, which sort by it. */
  createdAt: z.string(),
  /** Keeping the call, telling browsers and queueing the webhook are done. */
  isTold: z.boolean(),
})
export type MatchRecord = z.infer<typeof matchRecord>

export const watchKeys = (keys: BusKeys) => ({
  watches: keys.own('api', 'watches'),
  matches: keys.own('api', 'watch-matches'),
  /** Sorted set: what matched this watch, by `toCallKey` of each of its Call-IDs; score: epoch milliseconds. */
  seen: (watchId: string) => keys.own('api', `watch-seen:${watchId}`),
  /** Pub/sub channel: one JSON `WatchMatch` a publish, for the browsers of every API process. */
  news: keys.own('api', 'watch-news'),
})
export type WatchKeys = ReturnType<typeof watchKeys>

export const matchQueue = 'watch-matches'
export const webhookQueue = 'webhooks'

/** What the history process puts on the queue: a call that matches a watch, if no earlier look has said so. */
export const matchJob = z.object({
  watchId: z.string(),
  call: matchedCall,
  /** `toCallKey` of its Call-IDs. */
  keys: z.array(z.string()).min(1).max(500),
})
export type MatchJob = z.infer<typeof matchJob>
