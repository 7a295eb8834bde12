import { createHash } from 'node:crypto'
import { callRow } from '@sip-capture/contract/rest/call-log.ts'
import { z } from 'zod'

/** A row of the call log with what is searched and not shown. Crosses from history to the API processes as JSON. */
export const callRecord = z.object({
  row: callRow,
  /** Users of From, To, Request-URI and P-Asserted-Identity of all legs, as `foldNumber` makes them. */
  numbers: z.array(z.string()),
})
export type CallRecord = z.infer<typeof callRecord>

/** The same for the same first Call-ID in the same capture: 32 hex digits. */
export function toCallKey(capture: string, callId: string): string {
  return createHash('sha256').update(`${capture}\0${callId}`).digest('hex').slice(0, 32)
}

/** News of the call log, on Redis, for the browsers of every API process. */
export const callNews = z.object({
  records: z.array(callRecord),
  /** Ids of rows that are gone. */
  removed: z.array(z.string()),
})
export type CallNews = z.infer<typeof callNews>
