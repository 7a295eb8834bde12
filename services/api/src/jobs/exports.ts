import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import type { ExportRequest, ExportView } from '@sip-capture/contract/rest/export.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import { ApiError } from '../errors.ts'
import { expiry } from './export-job.ts'
import { toExportView, toSafeName, toStamp, type ExportRecord } from './export-record.ts'
import type { JobContext } from './job-context.ts'
import { answered, type JobQueue } from './job-queue.ts'
import { isFinished } from './job-records.ts'

export interface ExportFile {
  readonly handle: FileHandle
  readonly sizeBytes: number
  readonly record: ExportRecord
}

/** What the routes may do with exports. All throw ApiError: 404, 429, 503. */
export interface Exports {
  create(request: ExportRequest): Promise<string>
  list(): Promise<ExportView[]>
  find(id: string): Promise<ExportView>
  /** The caller closes the handle. */
  openFile(id: string): Promise<ExportFile>
  /** Cancels one that is not finished, deletes one that is. */
  remove(id: string): Promise<void>
}

const maxUnfinished = 100
const maxRecords = 5_000

export function notFound(what: string): ApiError {
  return new ApiError(404, 'not-found', `there is no such ${what}`)
}

export function createExports(context: JobContext, queue: JobQueue): Exports {
  const { exports, files, config } = context

  async function findRecord(id: string): Promise<ExportRecord> {
    const record = await answered(exports.find(id))
    if (!record) throw notFound('export')
    return record
  }

  return {
    async create(request) {
      const all = await answered(exports.list())
      if (all.length >= maxRecords || all.filter(({ state }) => !isFinished(state)).length >= maxUnfinished)
        throw new ApiError(
          429,
          'too-many-exports',
          'there are too many exports; wait for some or delete them',
        )
      const record = toRecord(request)
      await answered(exports.add(record))
      try {
        await queue.add('export', record.id)
      } catch (error) {
        await exports.remove(record.id).catch(() => {})
        throw error
      }
      return record.id
    },
    async list() {
      return (await answered(exports.list())).map(toExportView)
    },
    async find(id) {
      return toExportView(await findRecord(id))
    },
    async openFile(id) {
      const record = await findRecord(id)
      if (record.state !== 'completed')
        throw new ApiError(404, 'not-ready', `this export has no file: it is ${record.state}`)
      try {
        const handle = await open(files.exportFile(record.file), constants.O_RDONLY | constants.O_NOFOLLOW)
        const stats = await handle.stat()
        if (stats.isFile()) return { handle, sizeBytes: stats.size, record }
        await handle.close()
      } catch {
        // Somebody took it away: the same as if it were not there.
      }
      throw new ApiError(404, 'file-gone', 'the file of this export is gone')
    },
    async remove(id) {
      const record = await findRecord(id)
      if (!isFinished(record.state)) {
        const now = nowMicros()
        const cancelled = await answered(
          exports.change(id, (old) =>
            isFinished(old.state)
              ? undefined
              : {
                  ...old,
                  state: 'cancelled',
                  sizeBytes: 0,
                  finishedAt: toRfc3339(now),
                  expiresAt: expiry(now, config.EXPORT_TTL_HOURS),
                },
          ),
        )
        await queue.discard(id)
        // One that died between naming its file and saying so may have left it.
        if (cancelled) return await files.removeExport(record.file)
      }
      await files.removeExport(record.file)
      await answered(exports.remove(id))
    },
  }
}

function toRecord({ name, filter, format, mask, wholeCalls, since, until }: ExportRequest): ExportRecord {
  const id = randomBytes(16).toString('hex')
  const createdAt = toRfc3339(nowMicros())
  return {
    id,
    name,
    state: 'waiting',
    progress: null,
    messages: 0,
    sizeBytes: 0,
    format,
    mask,
    scheduleId: null,
    createdAt,
    finishedAt: null,
    expiresAt: null,
    request: {
      name,
      filter,
      format,
      mask,
      wholeCalls,
      ...(since === undefined ? {} : { since: toRfc3339(since) }),
      ...(until === undefined ? {} : { until: toRfc3339(until) }),
    },
    filter,
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    wholeCalls,
    file: `${id}.${format}`,
    downloadName: `${toSafeName(name)}-${toStamp(createdAt)}.${format}`,
    attempt: '',
  }
}
