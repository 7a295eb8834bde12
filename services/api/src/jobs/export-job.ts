import { randomBytes } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import { describeDiskFault, tooManyExportBytes } from '../history/files/disk-fault.ts'
import type { ExportStep } from '../history/files/export-session.ts'
import type { ExportRecord } from './export-record.ts'
import { describeLackOfRoom } from './disk-room.ts'
import { progressMillis, stepMillis, unlessStopping, type JobContext } from './job-context.ts'
import { prepareFolder } from './job-files.ts'
import { isFinished } from './job-records.ts'

/**
 * Makes the file of one export, from the start whatever earlier tries did: into a part file of its own, renamed when whole.
 * A try that is no longer the record's (cancelled, deleted, overtaken) ends without a file. @throws when trying again can help.
 */
export async function runExport(context: JobContext, id: string): Promise<void> {
  const { exports, files, history, stopping } = context
  const attempt = randomBytes(16).toString('hex')
  const record = await exports.change(id, (old) =>
    isFinished(old.state)
      ? undefined
      : { ...old, state: 'active', attempt, progress: null, messages: 0, sizeBytes: 0 },
  )
  if (!record) {
    // Cancelled while nobody worked on it: the try before this one may have died.
    await files.removeParts(id)
    return
  }
  const part = files.partOf(id, attempt)
  try {
    await files.removeParts(id)
    const step = await write(context, record, part)
    if (!step) return
    if (step.problem === undefined) await context.inTurn(() => publish(context, record, part, step))
    else await failExport(context, id, step.problem, attempt)
  } catch (error) {
    const problem = describeDiskFault(error, 'EXPORT_DIR')
    if (problem === undefined) throw error
    await failExport(context, id, problem, attempt)
  } finally {
    const closed = history.ask<'closeFile'>({ method: 'closeFile', session: attempt }).catch(() => {})
    // At a stop the history process ends too, and with it the file.
    if (!stopping.aborted) await closed
    await rm(part, { force: true })
  }
}

/** The last step, or undefined when the export is no longer wanted. */
async function write(
  context: JobContext,
  record: ExportRecord,
  part: string,
): Promise<ExportStep | undefined> {
  const { history, files, exports, config, stopping } = context
  const { id, attempt, filter, since, until, wholeCalls, format, mask } = record
  await prepareFolder(files.exportDir)
  await history.ask<'openExport'>({
    method: 'openExport',
    session: attempt,
    order: {
      filter,
      since,
      until,
      wholeCalls,
      format,
      mask,
      file: part,
      maxBytes: await readFreeBytes(context, id),
    },
  })
  let toldAt = 0
  for (;;) {
    const lack = await describeLackOfRoom(config, files.exportDir, 'EXPORT_DIR')
    if (lack !== undefined)
      return { rows: 0, total: 0, messages: 0, sizeBytes: 0, isDone: false, problem: lack }
    const step = await unlessStopping(stopping, () =>
      history.ask<'stepExport'>({ method: 'stepExport', session: attempt }, stepMillis),
    )
    if (step.isDone || step.problem !== undefined) return step
    if (Date.now() - toldAt < progressMillis) continue
    toldAt = Date.now()
    const { rows, total, messages, sizeBytes } = step
    const told = await exports.change(id, (old) =>
      old.state === 'active' && old.attempt === attempt
        ? { ...old, messages, sizeBytes, progress: total === 0 ? null : Math.min(1, rows / total) }
        : undefined,
    )
    if (!told) return undefined
  }
}

/** What EXPORT_MAX_BYTES leaves to this export; where the states of others are given, those alone count. */
async function readFreeBytes(
  { exports, config }: JobContext,
  id: string,
  isCounted: (other: ExportRecord) => boolean = () => true,
): Promise<number> {
  const others = (await exports.list()).filter((other) => other.id !== id && isCounted(other))
  return config.EXPORT_MAX_BYTES - others.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

async function publish(
  context: JobContext,
  { id, attempt }: ExportRecord,
  part: string,
  { messages, sizeBytes }: ExportStep,
): Promise<void> {
  const { exports, files, config, logger } = context
  const current = await exports.find(id)
  if (current?.state !== 'active' || current.attempt !== attempt) return
  // Two that grew side by side may fit one by one only: the first to be whole stays.
  if (sizeBytes > (await readFreeBytes(context, id, ({ state }) => state === 'completed')))
    return await failExport(context, id, tooManyExportBytes, attempt)
  const file = files.exportFile(current.file)
  await prepareFolder(path.dirname(file))
  await rename(part, file)
  const finishedAt = nowMicros()
  const done = await exports.change(id, (old) =>
    old.state === 'active' && old.attempt === attempt
      ? {
          ...old,
          state: 'completed',
          progress: 1,
          messages,
          sizeBytes,
          finishedAt: toRfc3339(finishedAt),
          expiresAt: old.scheduleId === null ? expiry(finishedAt, config.EXPORT_TTL_HOURS) : null,
        }
      : undefined,
  )
  // Cancelled or deleted in between: nothing may stay. Overtaken: the other try renames its own over it.
  if (!done && (await exports.find(id))?.state !== 'active') await files.removeExport(current.file)
  if (done?.scheduleId) await pruneSchedule(context, done.scheduleId)
  if (done) logger.info({ exportId: id, messages, sizeBytes }, 'an export is done')
}

/** `attempt`: only if that try still is the record's. */
export async function failExport(
  { exports, config, logger }: JobContext,
  id: string,
  error: string,
  attempt?: string,
): Promise<void> {
  const finishedAt = nowMicros()
  const failed = await exports.change(id, (old) =>
    isFinished(old.state) || (attempt !== undefined && old.attempt !== attempt)
      ? undefined
      : {
          ...old,
          state: 'failed',
          error,
          sizeBytes: 0,
          finishedAt: toRfc3339(finishedAt),
          expiresAt: expiry(finishedAt, config.EXPORT_TTL_HOURS),
        },
  )
  if (failed) logger.warn({ exportId: id, reason: error }, 'an export failed')
}

export function expiry(fromMicros: number, hours: number): string {
  return toRfc3339(fromMicros + hours * 3_600_000_000)
}

/** Keeps the newest files of a schedule. */
async function pruneSchedule({ exports, schedules, files }: JobContext, scheduleId: string): Promise<void> {
  const schedule = await schedules.find(scheduleId)
  if (!schedule) return
  const made = (await exports.list()).filter(
    (record) => record.scheduleId === scheduleId && record.state === 'completed',
  )
  for (const { id, file } of made.slice(schedule.keep)) {
    await files.removeExport(file)
    await exports.remove(id)
  }
}
