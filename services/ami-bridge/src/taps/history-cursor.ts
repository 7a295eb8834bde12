import { z } from 'zod'

/**
 * How far the history was read, kept in Redis. `pending` are entries whose dates were decided and that may or may not be
 * on the bus: a bridge that was killed reads them again and gives them the same dates and ids.
 */
const historyCursor = z.object({
  v: z.literal(1),
  /** When Asterisk started, as it says: another start means another, empty history. */
  asteriskStart: z.string().max(64),
  /** Counts the times the numbering began anew. */
  generation: z.int().min(0),
  /** The first position not known to be on the bus. */
  next: z.int().min(0),
  /** Record id of position `next - 1`, by which a cleared history is told from a growing one; '' at 0. */
  lastId: z.string().max(64),
  /** Asterisk's clock when nothing was there beyond what was read. */
  absentAtMicros: z.number().min(0),
  pending: z
    .array(
      z.object({
        position: z.int().min(0),
        atMicros: z.number().min(0),
        precisionMicros: z.number().min(0),
      }),
    )
    .max(8_192),
})
export type HistoryCursor = z.infer<typeof historyCursor>

export const noCursor: HistoryCursor = Object.freeze({
  v: 1 as const,
  asteriskStart: '',
  generation: 0,
  next: 0,
  lastId: '',
  absentAtMicros: 0,
  pending: [],
})

export function parseHistoryCursor(text: string | null): HistoryCursor {
  if (text === null) return noCursor
  try {
    const parsed = historyCursor.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : noCursor
  } catch {
    return noCursor
  }
}

/** Where the cursor lives. Both may reject while Redis is away. */
export interface CursorStore {
  load(): Promise<HistoryCursor>
  save(cursor: HistoryCursor): Promise<void>
  /** Ids among the newest messages on the bus: what a killed bridge had brought there. */
  recentIds(): Promise<ReadonlySet<string>>
}
