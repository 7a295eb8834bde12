import { z } from 'zod'
import { callDetail } from './call.ts'
import { messageSight } from './message.ts'
import { errorBody } from './page.ts'

/**
 * `GET /calls/{id}/stream`: a call as lines of JSON, so that the begin of a long one is there while the rest is read: one
 * `begin`, then `messages` in order of time, last `end` or `failed`. Without one of these two the answer was cut off.
 */
export const callStreamType = 'application/x-ndjson'

export const callBegin = z.object({
  type: z.literal('begin'),
  legs: callDetail.shape.legs,
  /** How many messages will follow. */
  total: z.number(),
})

export const callPiece = z.object({ type: z.literal('messages'), items: z.array(messageSight) })

/** What can only be said when all messages are read. */
export const judgedCall = callDetail.omit({ messages: true, legs: true })
export type JudgedCall = z.infer<typeof judgedCall>

export const callEnd = z.object({ type: z.literal('end'), call: judgedCall })

/** The history went away while it was read. */
export const callFailed = errorBody.extend({ type: z.literal('failed') })

export type CallLine = z.infer<typeof callBegin | typeof callPiece | typeof callEnd | typeof callFailed>
