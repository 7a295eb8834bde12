import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { takeFileLock } from '../file-lock.ts'
import { startProgress } from '../progress.ts'
import { repositoryFolder } from '../repository.ts'
import { newestChange } from './newest-change.ts'

/** What is built from sources; paths from the root of the repository. */
export interface Build {
  /** `the page`, after "building". */
  readonly what: string
  /** Files that were made last when it is whole. */
  readonly built: readonly string[]
  readonly sources: readonly string[]
  make(): Promise<void>
}

/** Builds it when it is not built or a source is newer; one process at a time, the others find it done. */
export async function ensureBuilt(build: Build): Promise<void> {
  if (await isCurrent(build)) return
  const folder = join(repositoryFolder, '.cache')
  await mkdir(folder, { recursive: true })
  const lock = await takeFileLock(join(folder, 'build.lock'), { waiting: 'Another process is building ...' })
  try {
    if (await isCurrent(build)) return
    const progress = startProgress(`building ${build.what}`)
    try {
      await build.make()
      progress.done()
    } catch (error) {
      progress.failed('see below')
      throw error
    }
  } finally {
    await lock.release()
  }
}

async function isCurrent({ built, sources }: Build): Promise<boolean> {
  const made = await Promise.all(built.map((path) => newestChange([path])))
  return Math.min(...made) > (await newestChange(sources))
}
