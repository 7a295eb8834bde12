import { scheduleRequest } from '@sip-capture/contract/rest/export.ts'
import { z } from 'zod'

/** An export schedule as kept in Redis; when it is due the queue knows. */
export const scheduleRecord = scheduleRequest.extend({ id: z.string(), createdAt: z.string() })
export type ScheduleRecord = z.output<typeof scheduleRecord>
