import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ImportView } from '@sip-capture/contract/rest/import.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import { ApiError } from '../errors.ts'
import { describeDiskFault } from '../history/files/disk-fault.ts'
import { notFound } from './exports.ts'
import { removeImport } from './import-job.ts'
import { toImportView, type ImportRecord } from './import-record.ts'
import type { JobContext } from './job-context.ts'
import { describeLackOfRoom } from './disk-room.ts'
import { prepareFolder } from './job-files.ts'
import { answered, type JobQueue } from './job-queue.ts'
import { isFinished } from './job-records.ts'

/** What the routes may do with imports. All throw ApiError: 404, 413, 429, 503, 507; HistoryUnavailable. */
export interface Imports {
  /** Takes the file to disk and queues it. `isCut` says afterwards whether it was longer than allowed. */
  create(upload: { name: string; content: Readable; isCut: () => boolean }): Promise<string>
  list(): Promise<ImportView[]>
  find(id: string): Promise<ImportView>
  /** The whole capture goes from history. */
  remove(id: string): Promise<void>
}

const maxImports = 1_000
const maxUnfinished = 20
const maxNameLength = 200

export function createImports(context: JobContext, queue: JobQueue): Imports {
  const { imports, files, config } = context

  async function findRecord(id: string): Promise<ImportRecord> {
    const record = await answered(imports.find(id))
    if (!record || record.state === 'cancelled') throw notFound('import')
    return record
  }

  async function receive(file: string, content: Readable, isCut: () => boolean): Promise<number> {
    const out = createWriteStream(file, { flags: 'wx', mode: 0o600 })
    try {
      await pipeline(content, out)
    } catch (error) {
      const problem = describeDiskFault(error, 'DATA_DIR')
      throw problem === undefined ? error : new ApiError(507, 'disk-full', problem)
    }
    if (isCut())
      throw new ApiError(
        413,
        'file-too-large',
        `the file is larger than IMPORT_MAX_BYTES allows (${config.IMPORT_MAX_BYTES} bytes)`,
      )
    return out.bytesWritten
  }

  return {
    async create({ name, content, isCut }) {
      const all = await answered(imports.list())
      if (all.length >= maxImports || all.filter(({ state }) => !isFinished(state)).length >= maxUnfinished)
        throw new ApiError(
          429,
          'too-many-imports',
          'there are too many imports; wait for some or delete them',
        )
      const id = randomBytes(16).toString('hex')
      const file = files.upload(id)
      try {
        await prepareFolder(files.importDir)
        const lack = await describeLackOfRoom(config, files.importDir, 'DATA_DIR')
        if (lack !== undefined) throw new ApiError(507, 'disk-full', lack)
        const sizeBytes = await receive(file, content, isCut)
        await answered(imports.add(toRecord(id, name, sizeBytes)))
        await queue.add('import', id)
      } catch (error) {
        await rm(file, { force: true })
        await imports.remove(id).catch(() => {})
        throw error
      }
      return id
    },
    async list() {
      return (await answered(imports.list())).filter(({ state }) => state !== 'cancelled').map(toImportView)
    },
    async find(id) {
      return toImportView(await findRecord(id))
    },
    async remove(id) {
      await findRecord(id)
      let wasActive = false
      await answered(
        imports.change(id, (old) => {
          wasActive = old.state === 'active'
          return { ...old, state: 'cancelled', finishedAt: toRfc3339(nowMicros()) }
        }),
      )
      // The one who reads it sees that it is no longer wanted, and then takes out what it stored.
      if (wasActive) return
      await queue.discard(id)
      await removeImport(context, id)
    },
  }
}

function toRecord(id: string, name: string, sizeBytes: number): ImportRecord {
  return {
    id,
    name: name.slice(0, maxNameLength),
    state: 'waiting',
    progress: null,
    sizeBytes,
    frames: 0,
    messages: 0,
    createdAt: toRfc3339(nowMicros()),
    finishedAt: null,
    firstAt: null,
    lastAt: null,
    attempt: '',
  }
}
