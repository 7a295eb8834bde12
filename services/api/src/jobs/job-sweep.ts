import { rm } from 'node:fs/promises'
import { removeImport } from './import-job.ts'
import type { JobContext } from './job-context.ts'
import type { JobQueue } from './job-queue.ts'
import type { Schedules } from './schedules.ts'

/**
 * Brings records, files and queue together again, whatever died in between: what is over goes, what is accepted is on
 * the queue, what is planned has a next run. Safe to run beside the workers and on several replicas.
 */
export async function sweepJobs(options: {
  context: JobContext
  exportQueue: JobQueue
  importQueue: JobQueue
  schedules: Schedules
}): Promise<void> {
  await sweepExports(options.context, options.exportQueue)
  await sweepImports(options.context, options.importQueue)
  await sweepFiles(options.context)
  await options.schedules.keepPlanned()
}

async function sweepExports({ exports, files, logger }: JobContext, queue: JobQueue): Promise<void> {
  const now = Date.now()
  let expired = 0
  let lost = 0
  for (const { id, state, file, expiresAt } of await exports.list()) {
    if (expiresAt !== null && Date.parse(expiresAt) <= now) {
      await files.removeExport(file)
      await exports.remove(id)
      expired += 1
    } else if (state === 'waiting' || state === 'active') await queue.add('export', id)
    else if (state === 'completed' && (await files.isExportGone(file))) {
      await exports.remove(id)
      lost += 1
    }
  }
  if (expired > 0) logger.info({ expired }, 'exports older than EXPORT_TTL_HOURS were removed')
  if (lost > 0) logger.warn({ lost }, 'records of exports whose file is gone from EXPORT_DIR were removed')
}

async function sweepImports(context: JobContext, queue: JobQueue): Promise<void> {
  for (const { id, state } of await context.imports.list()) {
    if (state === 'cancelled') await removeImport(context, id)
    else if (state === 'waiting' || state === 'active') await queue.add('import', id)
  }
}

async function sweepFiles({ config, exports, imports, files, logger }: JobContext): Promise<void> {
  let removed = 0
  for (const { id, attempt, path } of await files.listParts()) {
    // Read after the part was seen: a try is told to the record before it writes.
    const record = await exports.find(id)
    if (!record || (record.state === 'active' && record.attempt === attempt)) continue
    await rm(path, { force: true })
    removed += 1
  }
  const known = [...(await exports.list()), ...(await imports.list())]
  removed += await files.sweep({
    knownIds: new Set(known.map(({ id }) => id)),
    minAgeMillis: config.EXPORT_TTL_HOURS * 3_600_000,
  })
  if (removed > 0) logger.warn({ removed }, 'files that no job knows were removed')
}
