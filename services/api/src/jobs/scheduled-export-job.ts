import { createHash } from 'node:crypto'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import { toSafeName, toStamp, type ExportRecord } from './export-record.ts'
import { resolveWindow, toLocalDay } from './export-window.ts'
import type { JobContext } from './job-context.ts'
import type { ScheduleRecord } from './schedule-record.ts'

/**
 * The export of one run of a schedule, as of the time it was due. The same run twice is the same export: its id is made of
 * the schedule's, which is random, and the time. Undefined when the schedule is gone.
 */
export async function addScheduledExport(
  { schedules, exports }: Pick<JobContext, 'schedules' | 'exports'>,
  scheduleId: string,
  dueMillis: number,
): Promise<ExportRecord | undefined> {
  const schedule = await schedules.find(scheduleId)
  if (!schedule) return undefined
  const record = toRecord(schedule, dueMillis)
  await exports.add(record)
  return await exports.find(record.id)
}

function toRecord(schedule: ScheduleRecord, dueMillis: number): ExportRecord {
  const { id: scheduleId, name, filter, format, mask, wholeCalls, window, timeZone } = schedule
  const range = resolveWindow(window, timeZone, dueMillis)
  const [since, until] = [range.since * 1000, range.until * 1000]
  const day = new Date(toLocalDay(dueMillis, timeZone)).toISOString().slice(0, 10).replaceAll('-', '/')
  const fileName = `${toSafeName(name)}-${toDueStamp(dueMillis)}.${format}`
  return {
    id: createHash('sha256').update(`${scheduleId} ${dueMillis}`).digest('hex').slice(0, 32),
    name,
    state: 'waiting',
    progress: null,
    messages: 0,
    sizeBytes: 0,
    format,
    mask,
    scheduleId,
    createdAt: toRfc3339(nowMicros()),
    finishedAt: null,
    expiresAt: null,
    request: { name, filter, format, mask, wholeCalls, since: toRfc3339(since), until: toRfc3339(until) },
    filter,
    since,
    until,
    wholeCalls,
    file: `schedules/${scheduleId}/${day}/${fileName}`,
    downloadName: fileName,
    attempt: '',
  }
}

/** Two runs by hand in one second are two files. */
function toDueStamp(dueMillis: number): string {
  const stamp = toStamp(toRfc3339(dueMillis * 1000))
  const millis = dueMillis % 1000
  return millis === 0 ? stamp : stamp.replace('Z', `.${String(millis).padStart(3, '0')}Z`)
}
