import { z } from 'zod'
import { messageFilter, type MessageFilter } from './message.ts'
import { timeParam } from './page.ts'

export const jobState = z.enum(['waiting', 'active', 'completed', 'failed', 'cancelled'])
export type JobState = z.infer<typeof jobState>

export const captureFormat = z.enum(['pcapng', 'pcap'])

/** What to export: the words of `GET /messages`, as a JSON body. */
const what = {
  filter: messageFilter.default({}),
  format: captureFormat.default('pcapng'),
  /** Consistent pseudonyms for numbers, names, addresses and Call-IDs; digests removed. */
  mask: z.boolean().default(false),
  /** Whole calls: every message of each Call-ID that has a match, not the matching messages alone. */
  wholeCalls: z.boolean().default(false),
}

export const exportRequest = z.strictObject({
  ...what,
  /** Name for people; the file name is made from it on the server. */
  name: z.string().max(200).default(''),
  since: timeParam.optional(),
  until: timeParam.optional(),
})
export type ExportRequest = z.output<typeof exportRequest>

export const exportView = z.object({
  /** 32 hex digits, random. */
  id: z.string(),
  name: z.string(),
  state: jobState,
  /** 0..1; null while it cannot be known. */
  progress: z.number().min(0).max(1).nullable(),
  messages: z.number(),
  sizeBytes: z.number(),
  format: captureFormat,
  mask: z.boolean(),
  /** Why it failed, in one sentence. */
  error: z.string().optional(),
  /** The schedule that made it. */
  scheduleId: z.string().nullable(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  /** When the file goes; null: kept by its schedule's `keep`. */
  expiresAt: z.string().nullable(),
  /** What was asked, for "again" and for people. */
  request: z.record(z.string(), z.unknown()),
})
export type ExportView = z.infer<typeof exportView>

/** `last 24 h`: a window that ends when the job is due. `previous day`: the calendar day before, in the time zone. */
export const exportWindow = z
  .string()
  .regex(
    /^(last [1-9]\d{0,3} (min|h|d)|previous day)$/,
    'such as "last 24 h", "last 15 min", "last 7 d" or "previous day"',
  )

export const scheduleRequest = z.strictObject({
  ...what,
  name: z.string().min(1).max(200),
  /** Five fields. */
  cron: z.string().min(9).max(100),
  /** IANA name. */
  timeZone: z.string().min(1).max(64).default('UTC'),
  window: exportWindow,
  /** Files kept; older ones of this schedule are deleted. */
  keep: z.int().min(1).max(1000).default(30),
  paused: z.boolean().default(false),
})
export type ScheduleRequest = z.output<typeof scheduleRequest>

export const scheduleView = scheduleRequest.extend({
  /** As it was read: an answer cannot undo what `messageFilter` does to its words. */
  filter: z.custom<MessageFilter>().meta({ type: 'object' }),
  id: z.string(),
  nextRunAt: z.string().nullable(),
  lastRun: exportView.nullable(),
})
export type ScheduleView = z.infer<typeof scheduleView>
