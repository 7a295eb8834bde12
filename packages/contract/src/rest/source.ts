import { z } from 'zod'
import { sourceStatus } from '../bus/source-status.ts'

/** A heartbeat as REST and the live feed show it: times in RFC 3339, and whether it is overdue. */
export const sourceView = sourceStatus
  .omit({ v: true, atMicros: true, startedAtMicros: true, lastMessageAtMicros: true, gaps: true })
  .extend({
    at: z.string(),
    startedAt: z.string(),
    lastMessageAt: z.string().nullable(),
    gaps: z.array(z.object({ from: z.string(), to: z.string(), reason: z.string() })),
    /** No heartbeat for 15 s: the service is gone or cannot reach Redis. */
    stale: z.boolean(),
  })
export type SourceView = z.infer<typeof sourceView>

/** The API's own part of the chain. */
export const apiHealth = z.object({
  redis: z.object({ ok: z.boolean(), detail: z.string() }),
  history: z.object({ ok: z.boolean(), detail: z.string() }),
  /** Stored, duplicates dropped, dead-lettered, skipped as newer, lost to trimming, … */
  counters: z.record(z.string(), z.number()),
  /** Entries on the bus that history has not acknowledged. */
  backlog: z.number(),
})

export const sourcesAnswer = z.object({ items: z.array(sourceView), api: apiHealth })
export type SourcesAnswer = z.infer<typeof sourcesAnswer>
