import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryFolder } from '../repository.ts'

/** Milliseconds of the newest change in the files and folders, given from the root of the repository; 0 where none is there. */
export async function newestChange(paths: readonly string[]): Promise<number> {
  return Math.max(0, ...(await Promise.all(paths.map((path) => changeOf(join(repositoryFolder, path))))))
}

async function changeOf(path: string): Promise<number> {
  try {
    const found = await stat(path)
    if (!found.isDirectory()) return found.mtimeMs
    const names = await readdir(path)
    const inside = await Promise.all(
      names.filter((name) => name !== 'node_modules').map((name) => changeOf(join(path, name))),
    )
    return Math.max(found.mtimeMs, ...inside)
  } catch {
    return 0
  }
}
