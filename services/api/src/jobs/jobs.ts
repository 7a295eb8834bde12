import path from 'node:path'
import type { BusKeys } from '@sip-capture/contract/keys.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import type { Job } from 'bullmq'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { ApiConfig } from '../config.ts'
import type { History } from '../history/history-process.ts'
import { failExport, runExport } from './export-job.ts'
import { exportRecord } from './export-record.ts'
import { createExports, type Exports } from './exports.ts'
import { failImport, runImport } from './import-job.ts'
import { importRecord } from './import-record.ts'
import { createImports, type Imports } from './imports.ts'
import { createTurns, type JobContext } from './job-context.ts'
import { createJobFiles } from './job-files.ts'
import { createJobQueue } from './job-queue.ts'
import { createJobRecords } from './job-records.ts'
import { sweepJobs } from './job-sweep.ts'
import { scheduleRecord } from './schedule-record.ts'
import { addScheduledExport } from './scheduled-export-job.ts'
import { createSchedules, type Schedules } from './schedules.ts'

export interface Jobs {
  readonly exports: Exports
  readonly schedules: Schedules
  readonly imports: Imports
  close(): Promise<void>
}

const sweepMillis = 60_000
const exportsAtOnce = 2
const importsAtOnce = 1

const recordJob = z.object({ id: z.string() })
const scheduledJob = z.object({ scheduleId: z.string() })

/** Exports, schedules and imports: what is known of them is in Redis, who does them is here. */
export function startJobs(options: {
  config: ApiConfig
  redis: Redis
  keys: BusKeys
  history: History
  logger: Logger
}): Jobs {
  const { config, redis, keys, history, logger } = options
  const stopping = new AbortController()
  const context: JobContext = {
    config,
    logger,
    history,
    exports: createJobRecords({ redis, key: keys.own('api', 'exports'), schema: exportRecord }),
    imports: createJobRecords({ redis, key: keys.own('api', 'imports'), schema: importRecord }),
    schedules: createJobRecords({ redis, key: keys.own('api', 'schedules'), schema: scheduleRecord }),
    files: createJobFiles({
      exportDir: config.EXPORT_DIR ?? path.join(config.DATA_DIR, 'exports'),
      importDir: path.join(config.DATA_DIR, 'imports'),
    }),
    inTurn: createTurns(),
    stopping: stopping.signal,
  }

  const exportQueue = createJobQueue({
    name: 'exports',
    config,
    logger,
    concurrency: exportsAtOnce,
    async run(job: Job) {
      if (job.name !== 'scheduled-export') return await runExport(context, recordJob.parse(job.data).id)
      const { scheduleId } = scheduledJob.parse(job.data)
      // After downtime this is the one run that was due first; the window is that of its own time.
      if ((await context.schedules.find(scheduleId))?.paused) return
      const record = await addScheduledExport(context, scheduleId, job.opts.prevMillis ?? job.timestamp)
      if (record?.state === 'waiting') await exportQueue.add('export', record.id)
    },
    async onGivenUp(job, reason) {
      const parsed = recordJob.safeParse(job.data)
      if (parsed.success) await failExport(context, parsed.data.id, reason)
    },
  })
  const importQueue = createJobQueue({
    name: 'imports',
    config,
    logger,
    concurrency: importsAtOnce,
    run: (job) => runImport(context, recordJob.parse(job.data).id),
    onGivenUp: (job, reason) => failImport(context, recordJob.parse(job.data).id, reason),
  })

  const schedules = createSchedules(context, exportQueue)
  let isSweeping = false
  const sweep = () => {
    if (config.API_ROLE === 'api') return
    if (isSweeping || stopping.signal.aborted || redis.status !== 'ready') return
    isSweeping = true
    void sweepJobs({ context, exportQueue, importQueue, schedules })
      .catch((error: unknown) =>
        logger.warn({ reason: error instanceof Error ? error.message : '' }, 'old jobs could not be removed'),
      )
      .finally(() => (isSweeping = false))
  }
  const timer = setInterval(sweep, sweepMillis)
  redis.on('ready', sweep)
  sweep()

  return {
    exports: createExports(context, exportQueue),
    schedules,
    imports: createImports(context, importQueue),
    async close() {
      clearInterval(timer)
      redis.off('ready', sweep)
      stopping.abort()
      await Promise.all([exportQueue.close(), importQueue.close()])
    },
  }
}
