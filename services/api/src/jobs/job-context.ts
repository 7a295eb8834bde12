import type { Logger } from '@sip-capture/service/logger.ts'
import type { ApiConfig } from '../config.ts'
import type { History } from '../history/history-process.ts'
import type { ExportRecord } from './export-record.ts'
import type { ImportRecord } from './import-record.ts'
import type { JobFiles } from './job-files.ts'
import type { JobRecords } from './job-records.ts'
import type { ScheduleRecord } from './schedule-record.ts'

/** What every job works with. */
export interface JobContext {
  readonly config: ApiConfig
  readonly logger: Logger
  readonly history: History
  readonly exports: JobRecords<ExportRecord>
  readonly imports: JobRecords<ImportRecord>
  readonly schedules: JobRecords<ScheduleRecord>
  readonly files: JobFiles
  /** Files get their names one after the other: what EXPORT_MAX_BYTES leaves is asked and taken in one turn. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>
  /** Aborts when the service stops: the job goes back to the queue. */
  readonly stopping: AbortSignal
}

/** The service stops: the job is not done and starts afresh after the next start. */
export class JobInterrupted extends Error {
  override readonly name = 'JobInterrupted'

  constructor() {
    super('the service is stopping')
  }
}

/** Runs works one after the other, whatever becomes of each. */
export function createTurns(): JobContext['inTurn'] {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work)
    last = next.catch(() => {})
    return next
  }
}

/** The answer, unless the service stops first: no step is short enough to wait for at a stop. @throws JobInterrupted */
export async function unlessStopping<T>(stopping: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (stopping.aborted) throw new JobInterrupted()
  return await new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(new JobInterrupted())
    stopping.addEventListener('abort', onAbort)
    void work()
      .then(resolve, reject)
      .finally(() => stopping.removeEventListener('abort', onAbort))
  })
}

/** A step on a busy machine may take long; that history ended is told at once. */
export const stepMillis = 300_000

/** Progress is written no more often than this. */
export const progressMillis = 500
