import { z } from 'zod'
import { callFilter } from './rest/call-log.ts'

/** Following the call log on `/ws`, beside or without the messages: changed rows then come in `call:updated`. A later one
 *  replaces the filter; `filter: null` ends it. */
export const followCalls = z.strictObject({
  type: z.literal('follow-calls'),
  filter: callFilter.nullable(),
})
export type FollowCalls = z.input<typeof followCalls>
