import { readdir, readFile } from 'node:fs/promises'
import { setPriority } from 'node:os'

const threads = '/proc/self/task'
/** As the engine calls the threads that merge parts. */
const mergeThread = 'MergeMutate'
/** A tenth of the processor time of what is not nice, where that wants all of it. */
const niceness = 10

/**
 * Lets merges go behind who asks and what comes, where there is not enough processor time for all. The engine has a setting for it,
 * which it does not heed when embedded. Answers how many threads merge; none where the system does not tell of threads.
 */
export async function makeMergesNice(): Promise<number> {
  const ids = await readdir(threads).catch(() => [])
  let nice = 0
  for (const id of ids) {
    const name = await readFile(`${threads}/${id}/comm`, 'utf8').catch(() => '')
    if (name.trim() !== mergeThread) continue
    // To the system a thread is what a process is: it has a number of its own.
    setPriority(Number(id), niceness)
    nice += 1
  }
  return nice
}
