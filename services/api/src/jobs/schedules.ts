import { randomBytes } from 'node:crypto'
import type { ScheduleRequest, ScheduleView } from '@sip-capture/contract/rest/export.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import { ApiError } from '../errors.ts'
import { expiry } from './export-job.ts'
import { toExportView } from './export-record.ts'
import { notFound } from './exports.ts'
import { isTimeZone, nextRun } from './export-window.ts'
import type { JobContext } from './job-context.ts'
import { answered, type JobQueue } from './job-queue.ts'
import type { ScheduleRecord } from './schedule-record.ts'
import { addScheduledExport } from './scheduled-export-job.ts'

/** What the routes may do with export schedules. All throw ApiError: 400, 404, 429, 503. */
export interface Schedules {
  create(request: ScheduleRequest): Promise<ScheduleView>
  list(): Promise<ScheduleView[]>
  find(id: string): Promise<ScheduleView>
  replace(id: string, request: ScheduleRequest): Promise<ScheduleView>
  remove(id: string): Promise<void>
  /** Now, also when paused; the id of the export. */
  run(id: string): Promise<string>
  /** Each schedule that is not paused has a next run, and nothing else has: a crash may have come between the two. */
  keepPlanned(): Promise<void>
}

const maxSchedules = 200

export function createSchedules(context: JobContext, queue: JobQueue): Schedules {
  const { schedules, exports, config } = context

  async function toView(record: ScheduleRecord): Promise<ScheduleView> {
    const { createdAt: _createdAt, ...rest } = record
    const last = (await answered(exports.list())).find(({ scheduleId }) => scheduleId === record.id)
    const scheduler = record.paused ? undefined : await answered(queue.queue.getJobScheduler(record.id))
    return {
      ...rest,
      nextRunAt: scheduler?.next === undefined ? null : toRfc3339(scheduler.next * 1000),
      lastRun: last ? toExportView(last) : null,
    }
  }

  async function plan({ id, cron, timeZone, paused }: ScheduleRecord): Promise<void> {
    if (paused) await answered(queue.queue.removeJobScheduler(id))
    else
      await answered(
        queue.queue.upsertJobScheduler(
          id,
          { pattern: cron, tz: timeZone },
          {
            name: 'scheduled-export',
            data: { scheduleId: id },
            opts: {
              attempts: 8,
              backoff: { type: 'exponential', delay: 2_000 },
              removeOnComplete: true,
              removeOnFail: true,
            },
          },
        ),
      )
  }

  async function findRecord(id: string): Promise<ScheduleRecord> {
    const record = await answered(schedules.find(id))
    if (!record) throw notFound('schedule')
    return record
  }

  return {
    async create(request) {
      check(request)
      if ((await answered(schedules.list())).length >= maxSchedules)
        throw new ApiError(429, 'too-many-schedules', `there are ${maxSchedules} schedules already`)
      const record = { ...request, id: randomBytes(16).toString('hex'), createdAt: toRfc3339(nowMicros()) }
      await answered(schedules.add(record))
      await plan(record)
      return await toView(record)
    },
    async list() {
      return await Promise.all((await answered(schedules.list())).map(toView))
    },
    async find(id) {
      return await toView(await findRecord(id))
    },
    async replace(id, request) {
      check(request)
      await findRecord(id)
      const record = await answered(schedules.change(id, (old) => ({ ...old, ...request })))
      if (!record) throw notFound('schedule')
      await plan(record)
      return await toView(record)
    },
    async remove(id) {
      await findRecord(id)
      await answered(queue.queue.removeJobScheduler(id))
      await answered(schedules.remove(id))
      // Its files are no longer kept by it: they go as others do.
      const expiresAt = expiry(nowMicros(), config.EXPORT_TTL_HOURS)
      for (const record of await answered(exports.list()))
        if (record.scheduleId === id && record.expiresAt === null)
          await answered(exports.change(record.id, (old) => ({ ...old, expiresAt })))
    },
    async run(id) {
      const record = await answered(addScheduledExport(context, id, Date.now()))
      if (!record) throw notFound('schedule')
      await queue.add('export', record.id)
      return record.id
    },
    async keepPlanned() {
      const planned = await queue.queue.getJobSchedulers(0, -1)
      const active = (await schedules.list()).filter(({ paused }) => !paused)
      for (const { key } of planned)
        if (!active.some(({ id }) => id === key)) await queue.queue.removeJobScheduler(key)
      for (const record of active) {
        const next = (await queue.queue.getJobScheduler(record.id))?.next
        if (next !== undefined && (await queue.queue.getJob(`repeat:${record.id}:${next}`))) continue
        context.logger.warn({ scheduleId: record.id }, 'a schedule had no next run; it is planned anew')
        await plan(record)
      }
    },
  }
}

/** What the contract cannot say. @throws ApiError 400 that names the field. */
function check({ cron, timeZone }: ScheduleRequest): void {
  if (!isTimeZone(timeZone))
    throw new ApiError(400, 'bad-request', 'timeZone: an IANA name such as Europe/Berlin')
  if (!isCron(cron, timeZone))
    throw new ApiError(400, 'bad-request', 'cron: five fields such as "30 2 * * 1-5", with a time to come')
}

function isCron(cron: string, timeZone: string): boolean {
  if (!/^[\d*/,A-Za-z#L?-]+(?: +[\d*/,A-Za-z#L?-]+){4}$/.test(cron.trim())) return false
  return nextRun(cron, timeZone, Date.now()) !== undefined
}
