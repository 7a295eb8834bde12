import { access, mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises'
import path from 'node:path'

/** Where jobs keep their files. Only names of our own making are ever touched. */
export interface JobFiles {
  readonly exportDir: string
  readonly importDir: string
  /** A file that is being written. */
  partOf(id: string, attempt: string): string
  /** Absolute path of a finished export. */
  exportFile(file: string): string
  upload(id: string): string
  /** The file, and the folders of its day once they are empty. */
  removeExport(file: string): Promise<void>
  /** Whether a finished export's file is surely gone: a folder that cannot be read says nothing. */
  isExportGone(file: string): Promise<boolean>
  /** What earlier tries of this export left. */
  removeParts(id: string): Promise<void>
  listParts(): Promise<PartFile[]>
  /** Files of ours that no record knows any more (Redis lost them), once they are old. */
  sweep(options: { knownIds: ReadonlySet<string>; minAgeMillis: number }): Promise<number>
}

export interface PartFile {
  readonly id: string
  readonly attempt: string
  readonly path: string
}

const ownPart = /^([0-9a-f]{32})\.([0-9a-f]{32})\.part$/
const ownFile = /^([0-9a-f]{32})\.(?:pcapng|pcap|upload)$/

export function createJobFiles(options: { exportDir: string; importDir: string }): JobFiles {
  const { exportDir, importDir } = options
  const exportFile = (file: string) => path.join(exportDir, ...file.split('/'))

  async function listParts(): Promise<PartFile[]> {
    return (await names(exportDir)).flatMap((name) => {
      const [, id, attempt] = ownPart.exec(name) ?? []
      return id === undefined || attempt === undefined
        ? []
        : [{ id, attempt, path: path.join(exportDir, name) }]
    })
  }

  return {
    exportDir,
    importDir,
    exportFile,
    listParts,
    partOf: (id, attempt) => path.join(exportDir, `${id}.${attempt}.part`),
    upload: (id) => path.join(importDir, `${id}.upload`),
    async removeExport(file) {
      await rm(exportFile(file), { force: true })
      const folders = path.dirname(file).split('/')
      // Year, month and day; the folder of the schedule stays.
      for (let depth = folders.length; depth > 2; depth--)
        if (!(await isRemoved(path.join(exportDir, ...folders.slice(0, depth))))) return
    },
    async isExportGone(file) {
      if (!(await isThere(exportDir))) return false
      return !(await isThere(exportFile(file)))
    },
    async removeParts(id) {
      for (const part of await listParts()) if (part.id === id) await rm(part.path, { force: true })
    },
    async sweep({ knownIds, minAgeMillis }) {
      let removed = 0
      for (const folder of [exportDir, importDir])
        for (const name of await names(folder)) {
          const id = (ownPart.exec(name) ?? ownFile.exec(name))?.[1]
          if (id === undefined || knownIds.has(id)) continue
          const file = path.join(folder, name)
          const age = Date.now() - ((await stat(file).catch(() => undefined))?.mtimeMs ?? Date.now())
          if (age < minAgeMillis) continue
          await rm(file, { force: true })
          removed += 1
        }
      return removed
    },
  }
}

async function names(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => [])
}

/** Anything but a clear "no" counts as there. */
async function isThere(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT')
  }
}

/** False where it holds something still. */
async function isRemoved(folder: string): Promise<boolean> {
  return await rmdir(folder).then(
    () => true,
    () => false,
  )
}

export async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
}
