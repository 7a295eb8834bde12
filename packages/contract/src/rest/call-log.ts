import { z } from 'zod'
import { callStates } from '../search/fields.ts'
import { parseDuration } from '../search/values.ts'
import { callDetail, severity } from './call.ts'
import { list, needle, searchText, statusFilter } from './message.ts'
import { timeParam } from './page.ts'

/** Where a call of the log stands. `diverted`: the caller was sent elsewhere by a 3xx. */
export const loggedCallState = z.enum(callStates)
export type LoggedCallState = z.infer<typeof loggedCallState>

/** What statistics count as a failure: the far side or the network did not take the call. */
export const failedStates = ['failed', 'rejected', 'busy'] as const satisfies readonly LoggedCallState[]

const callParty = z.object({
  /** User of the URI, else its host. */
  number: z.string(),
  /** Display name; `''` where there is none. */
  name: z.string(),
})

/** One call of the log. Registrations and what has no INVITE are not in it. Times RFC 3339, lengths in milliseconds. */
export const callRow = z.object({
  /** Of the capture and the Call-ID that came first: 32 hex digits, the same however often the call is judged. A leg that
   *  is linked later joins the earlier call, and its own row goes. */
  id: z.string(),
  capture: z.string().nullable(),
  node: z.string(),
  linkedid: z.string().nullable(),
  /** Of all legs, the first leg first. */
  callIds: z.array(z.string()),
  startedAt: z.string(),
  answeredAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  from: callParty,
  to: callParty,
  trunks: z.array(z.string()),
  /** All endpoints of all legs, trunks included. */
  endpoints: z.array(z.string()),
  state: loggedCallState,
  /** Final status code of the caller's INVITE. */
  code: z.number().nullable(),
  reason: z.string(),
  /** Q.850 cause: Asterisk's, else of a Reason header (RFC 3326). */
  cause: z.number().nullable(),
  causeText: z.string(),
  /** The channel technology's own cause, as Asterisk writes it. */
  techCause: z.string(),
  /** First INVITE to first 18x. */
  pddMillis: z.number().nullable(),
  /** First 18x to the final answer. */
  ringMillis: z.number().nullable(),
  /** 2xx to the caller until the last leg hung up; null while it goes on. */
  talkMillis: z.number().nullable(),
  /** First INVITE to the end. */
  durationMillis: z.number().nullable(),
  legs: z.number(),
  /** Real messages: what two sources saw counts once. */
  messages: z.number(),
  /** The first finding. */
  verdict: z.object({ ruleId: z.string(), severity, title: z.string(), sentence: z.string() }).nullable(),
  /** Rules of all findings. */
  ruleIds: z.array(z.string()),
})
export type CallRow = z.infer<typeof callRow>

/** `GET /calls/{id}`: what the log says of it beside; null for what is no call, or not in the log yet. */
export const loggedCallDetail = callDetail.extend({ summary: callRow.nullable() })
export type LoggedCallDetail = z.infer<typeof loggedCallDetail>

const duration = z.string().transform((text, context) => {
  const millis = parseDuration(text)
  if (millis === undefined) {
    context.addIssue({
      code: 'custom',
      message: 'a time such as 500ms, 30s, 5m or 1h; a bare number is seconds',
    })
    return z.NEVER
  }
  return millis
})

/** Which calls: the same words for `GET /calls`, `/stats` and live subscriptions. All given words must match; within a list
 *  any may. */
export const callFilter = z.strictObject({
  state: list(loggedCallState),
  /** Part of number or name. */
  from: list(needle),
  to: list(needle),
  /** Part of any number of any leg. */
  number: list(needle),
  /** Exact. */
  trunk: list(needle),
  endpoint: list(needle),
  /** Part of a rule's id or of the title. */
  verdict: list(needle),
  code: list(statusFilter),
  cause: list(
    z.union([
      z.int().min(0).max(255),
      z
        .string()
        .regex(/^\d{1,3}$/)
        .transform(Number),
    ]),
  ),
  /** Milliseconds inside; of calls that ended. */
  minDuration: z.union([z.int().min(0), duration]).optional(),
  maxDuration: z.union([z.int().min(0), duration]).optional(),
  capture: list(needle),
  q: searchText,
})
export type CallFilter = z.output<typeof callFilter>

/** Of all calls that began in a stretch of time. Shares are 0..1, null without any call to count. */
const rates = z.object({
  calls: z.number(),
  answered: z.number(),
  /** Answer-seizure ratio (ITU-T E.411): answered calls of those that are past set-up. */
  asr: z.number().nullable(),
  /** Network effectiveness ratio (ITU-T E.425): answered, busy, not answered by the user or refused by him (480, 486, 487,
   *  600, 603) of those that are past set-up. */
  ner: z.number().nullable(),
  /** Average call duration: mean talk time of answered calls that ended. */
  acdMillis: z.number().nullable(),
  pddMedianMillis: z.number().nullable(),
  pddP95Millis: z.number().nullable(),
})

const group = z.object({
  key: z.string(),
  ...rates.shape,
  /** Calls in each bucket. */
  buckets: z.array(z.number()),
})

export const callStats = z.object({
  since: z.string(),
  until: z.string(),
  bucketSeconds: z.number(),
  total: rates,
  buckets: z.array(rates.extend({ at: z.string() })),
  byState: z.array(group),
  /** Key: a status code. */
  byCode: z.array(group),
  /** Key: a rule's id. A call counts for each of its findings. */
  byVerdict: z.array(group),
  byTrunk: z.array(group),
  /** Calls in `failedStates`, by trunk (`''`: none was involved) and final code (null: none came). */
  failures: z.array(
    z.object({
      trunk: z.string(),
      code: z.number().nullable(),
      calls: z.number(),
      buckets: z.array(z.number()),
    }),
  ),
})
export type CallStats = z.infer<typeof callStats>
export type CallRates = z.infer<typeof rates>

export const statsQuery = z.strictObject({
  ...callFilter.shape,
  since: timeParam.optional(),
  until: timeParam.optional(),
  /** Seconds; absent: about sixty buckets. */
  bucket: z
    .string()
    .regex(/^\d{1,7}$/, 'a whole number of seconds')
    .transform(Number)
    .pipe(z.int().min(1).max(2_678_400))
    .optional(),
})

export const resolveQuery = z.strictObject({
  /** Call-ID, Uniqueid, Linkedid, channel or our own id; else a number of either side. */
  id: z.string().min(1).max(65_535).optional(),
  at: timeParam.optional(),
  from: needle.optional(),
  to: needle.optional(),
})

export const resolution = z.object({
  /** `exact`: the id is a Call-ID or our own. `linked`: Asterisk's id of one of its legs. `proximity`: near in time, to be
   *  chosen by a person, also when there is only one. `none`. */
  match: z.enum(['exact', 'linked', 'proximity', 'none']),
  /** What to open: only for `exact` and `linked`. */
  callId: z.string().nullable(),
  /** The nearest first. */
  candidates: z.array(
    z.object({
      call: callRow,
      /** 0: the call was going on at that time. Null: no time was asked for. */
      distanceSeconds: z.number().nullable(),
      why: z.array(z.string()),
    }),
  ),
})
export type Resolution = z.infer<typeof resolution>
