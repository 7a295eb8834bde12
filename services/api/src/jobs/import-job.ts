import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import type { ImportStep } from '../history/files/import-session.ts'
import type { ImportRecord } from './import-record.ts'
import { progressMillis, stepMillis, unlessStopping, type JobContext } from './job-context.ts'
import { isFinished } from './job-records.ts'

/**
 * Reads one uploaded file into history, from the start whatever earlier tries did: rows that are there already stay single.
 * @throws when trying again can help.
 */
export async function runImport(context: JobContext, id: string): Promise<void> {
  const { imports, files, history, stopping } = context
  const attempt = randomBytes(16).toString('hex')
  let isFirst = false
  const record = await imports.change(id, (old) => {
    isFirst = old.attempt === ''
    return isFinished(old.state) ? undefined : { ...old, state: 'active', attempt }
  })
  if (!record) {
    await removeImport(context, id)
    return
  }
  try {
    const step = await read(context, record, isFirst)
    if (step) await finish(context, record, step)
  } finally {
    const closed = history.ask<'closeFile'>({ method: 'closeFile', session: attempt }).catch(() => {})
    // At a stop the history process ends too, and with it the file.
    if (!stopping.aborted) await closed
  }
  await removeImport(context, id)
  if (isFinished((await imports.find(id))?.state ?? 'cancelled')) await rm(files.upload(id), { force: true })
}

/** The last step, or undefined when the import is no longer wanted. */
async function read(
  { history, files, imports, config, stopping }: JobContext,
  { id, attempt, sizeBytes }: ImportRecord,
  isFirst: boolean,
): Promise<ImportStep | undefined> {
  await history.ask<'openImport'>({
    method: 'openImport',
    session: attempt,
    order: {
      capture: id,
      file: files.upload(id),
      node: config.NODE_NAME,
      maxBytes: config.IMPORT_MAX_BYTES,
      isFirst,
    },
  })
  let toldAt = 0
  for (;;) {
    const step = await unlessStopping(stopping, () =>
      history.ask<'stepImport'>({ method: 'stepImport', session: attempt }, stepMillis),
    )
    if (step.isDone) return step
    if (Date.now() - toldAt < progressMillis) continue
    toldAt = Date.now()
    const told = await imports.change(id, (old) =>
      old.state === 'active' && old.attempt === attempt
        ? { ...old, ...toCounts(step), progress: Math.min(1, step.readBytes / Math.max(1, sizeBytes)) }
        : undefined,
    )
    if (!told) return undefined
  }
}

function toCounts({ frames, messages, firstAtMicros, lastAtMicros }: ImportStep) {
  return {
    frames,
    messages,
    firstAt: firstAtMicros === null ? null : toRfc3339(firstAtMicros),
    lastAt: lastAtMicros === null ? null : toRfc3339(lastAtMicros),
  }
}

async function finish(
  { imports, logger }: JobContext,
  { id, attempt }: ImportRecord,
  step: ImportStep,
): Promise<void> {
  const { problem, frames, messages } = step
  await imports.change(id, (old) =>
    old.state === 'active' && old.attempt === attempt
      ? {
          ...old,
          ...toCounts(step),
          state: problem !== undefined && frames === 0 ? 'failed' : 'completed',
          progress: 1,
          finishedAt: toRfc3339(nowMicros()),
          ...(problem === undefined ? {} : { error: problem }),
        }
      : undefined,
  )
  logger.info({ importId: id, frames, messages, problem }, 'an import is read')
}

/** What was stored so far stays. */
export async function failImport(
  { imports, files, logger }: JobContext,
  id: string,
  error: string,
): Promise<void> {
  await imports.change(id, (old) =>
    isFinished(old.state)
      ? undefined
      : { ...old, state: 'failed', error, finishedAt: toRfc3339(nowMicros()) },
  )
  await rm(files.upload(id), { force: true })
  logger.warn({ importId: id, reason: error }, 'an import failed')
}

const removalMillis = 300_000

/**
 * Takes an import that was deleted out of history, its record last. One that is gone already is taken out once more: a
 * reader that noticed late may have stored after the first removal. Others it leaves alone.
 */
export async function removeImport(
  { imports, history, files, stopping }: JobContext,
  id: string,
): Promise<void> {
  const record = await imports.find(id)
  if (record && record.state !== 'cancelled') return
  await unlessStopping(stopping, () =>
    history.ask<'removeCapture'>({ method: 'removeCapture', capture: id }, removalMillis),
  )
  await rm(files.upload(id), { force: true })
  await imports.remove(id)
}
