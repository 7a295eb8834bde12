import { z } from 'zod'
import { callRow } from './call-log.ts'

/** One thing that is not the same in the call and in a good one. Text is foreign: plain, never markup. */
export const callDifference = z.object({
  aspect: z.enum(['outcome', 'codecs', 'headers', 'route', 'addresses', 'numbers', 'timing']),
  /** Leg of the call, from 1; null for a leg that only the good one has. */
  leg: z.int().min(1).nullable(),
  what: z.string(),
  /** `''`: it has none. */
  bad: z.string(),
  good: z.string(),
})
export type CallDifference = z.infer<typeof callDifference>

/** How the good call was found: the same caller and called number, else the same called number, else the same trunk or
 *  endpoint. */
export const goodCallChoice = z.enum(['pair', 'called', 'trunk', 'endpoint'])
export type GoodCallChoice = z.infer<typeof goodCallChoice>

/** `GET /calls/{id}/good`. */
export const goodCallComparison = z.object({
  call: callRow,
  /** The last good one before it; null: there is none. */
  good: callRow.nullable(),
  chosenBy: goodCallChoice.nullable(),
  /** How it was chosen, or where none was found. */
  sentence: z.string(),
  differences: z.array(callDifference),
})
export type GoodCallComparison = z.infer<typeof goodCallComparison>
