import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { promisify } from 'node:util'

const threads = '/proc/self/task'
/** As the engine calls the threads that merge parts. */
const mergeThread = 'MergeMutate'
/** A tenth of the processor time of what is not nice, where that wants all of it. */
const niceness = 10

const run = promisify(execFile)

/**
 * Lets merges wait for who asks and what comes, where there is not enough processor time for all: they run when nothing else
 * would (SCHED_IDLE, sched(7)), by `chrt` of util-linux; where that is not installed they are nice. What is never merged for that
 * is bounded by the engine: from 1,000 parts on it slows down what comes. It has a setting for it, which it does not heed when
 * embedded. Answers how many threads merge; none where the system does not tell of threads.
 */
export async function letMergesWait(): Promise<number> {
  const ids = await readdir(threads).catch(() => [])
  let waiting = 0
  for (const id of ids) {
    const name = await readFile(`${threads}/${id}/comm`, 'utf8').catch(() => '')
    if (name.trim() !== mergeThread) continue
    // To the system a thread is what a process is: it has a number of its own.
    await run('chrt', ['--idle', '--pid', '0', id]).catch(() => setPriority(Number(id), niceness))
    waiting += 1
  }
  return waiting
}
