import { z } from 'zod'
import { type CallField, callTable } from '../search/fields.ts'
import { parseSearch } from '../search/parser.ts'
import type { Query } from '../search/query.ts'
import { callRow, type LoggedCallState } from './call-log.ts'

/** Where a webhook goes. Which hosts are refused is the API's to say, after their names are resolved. */
const webhookUrl = z
  .string()
  .max(2_000)
  .refine((text) => isWebhookUrl(text), 'a URL such as https://hooks.example.org/sip')

function isWebhookUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

/** Body of `POST /watches` and `PUT /watches/{id}`. */
export const watchRequest = z.strictObject({
  /** Name for people. */
  name: z.string().min(1).max(200),
  /** In the language of `GET /calls?q=`; `''`: every call. */
  search: z.string().max(2_000),
  /** Gets a POST for each match; null: the page alone tells. */
  url: webhookUrl.nullable().default(null),
  /** `once`: pauses after the first match. */
  repeat: z.enum(['once', 'every']).default('every'),
  /** Judges calls that still run too: told earlier, and maybe of what the rest of the call takes back. Absent: only where the
   *  search names a state of a running call. */
  whileRunning: z.boolean().optional(),
  /** Keeps the calls that match beyond retention. */
  pin: z.boolean().default(false),
  paused: z.boolean().default(false),
})
export type WatchRequest = z.output<typeof watchRequest>

/** How a webhook went. */
export const delivery = z.object({
  state: z.enum(['waiting', 'delivered', 'failed']),
  attempts: z.number(),
  /** HTTP status of the last answer; null: none came. */
  status: z.number().nullable(),
  /** Why the last attempt failed, in one sentence. */
  error: z.string().optional(),
  at: z.string(),
})
export type Delivery = z.infer<typeof delivery>

/** What a match tells of its call, as the call was then. */
export const matchedCall = callRow
  .pick({
    id: true,
    from: true,
    to: true,
    state: true,
    code: true,
    reason: true,
    startedAt: true,
    trunks: true,
  })
  .extend({
    /** Of its first leg. */
    callId: z.string(),
    verdict: callRow.shape.verdict.unwrap().omit({ sentence: true }).nullable(),
  })
export type MatchedCall = z.infer<typeof matchedCall>

/** A watch and a call that matched it: once, however often the call is judged. */
export const watchMatch = z.object({
  id: z.string(),
  watchId: z.string(),
  watchName: z.string(),
  at: z.string(),
  call: matchedCall,
  pinned: z.boolean(),
  /** Why a call that was to be kept is not, in one sentence. */
  pinProblem: z.string().optional(),
  /** Null: the watch had no webhook. */
  delivery: delivery.nullable(),
})
export type WatchMatch = z.infer<typeof watchMatch>

export const watchView = watchRequest.extend({
  id: z.string(),
  whileRunning: z.boolean(),
  createdAt: z.string(),
  /** Calls that were over before are no news: when it was made, last resumed, or given another search. */
  activeSince: z.string(),
  matches: z.number(),
  lastMatch: z.object({ at: z.string(), call: matchedCall }).nullable(),
  /** The last webhook, tests included. */
  delivery: delivery.nullable(),
  /** Webhooks that were given up, and those that found no room in the queue. */
  undelivered: z.number(),
})
export type WatchView = z.infer<typeof watchView>

/** `GET /watches/matches`, newest first. */
export const watchMatches = z.object({ items: z.array(watchMatch) })

/** A call that is kept beyond retention. */
export const pinnedCall = z.object({
  id: z.string(),
  callId: z.string(),
  capture: z.string().nullable(),
  pinnedAt: z.string(),
  /** Name of the watch that kept it; `''`: a person. */
  pinnedBy: z.string(),
  /** Records that are kept. */
  messages: z.number(),
  /** Null: it is no call of the log, or not in it yet. */
  call: callRow.nullable(),
})
export type PinnedCall = z.infer<typeof pinnedCall>

/** `GET /pinned-calls`, newest first. */
export const pinnedCalls = z.object({
  items: z.array(pinnedCall),
  /** PINNED_CALLS_MAX */
  max: z.number(),
})
export type PinnedCalls = z.infer<typeof pinnedCalls>

const runningStates: ReadonlySet<string> = new Set([
  'setting-up',
  'ringing',
  'in-call',
] satisfies LoggedCallState[])

/** Whether a search asks for calls that go on: it names such a state, and not to leave it out. */
export function asksForRunning(search: string, { nowMicros }: { nowMicros: number }): boolean {
  if (search.trim() === '') return false
  const parsed = parseSearch(search, callTable, { nowMicros })
  return parsed.ok && namesRunning(parsed.value)
}

function namesRunning(query: Query<CallField>): boolean {
  switch (query.type) {
    case 'not':
      return false
    case 'test':
      return query.field === 'state' && 'text' in query.test && runningStates.has(query.test.text)
    case 'all':
    case 'any':
      return query.terms.some(namesRunning)
    default:
      return query satisfies never
  }
}

/** What a webhook gets as its JSON body. */
export const webhookBody = z.object({
  type: z.enum(['call.matched', 'test']),
  /** Of the match: the same when it is sent again. */
  id: z.string(),
  at: z.string(),
  watch: z.object({ id: z.string(), name: z.string(), search: z.string() }),
  /** Null in a test. */
  call: matchedCall.nullable(),
  /** Opens the call in the page; null: PUBLIC_URL is not set. */
  link: z.string().nullable(),
})
export type WebhookBody = z.infer<typeof webhookBody>
