import { spawn } from 'node:child_process'

export interface FileLock {
  release(): Promise<void>
}

/** Takes the lock on the file, waiting for whoever has it; says so once. */
export async function takeFileLock(path: string, options: { waiting: string }): Promise<FileLock> {
  const lock = await tryFileLock(path)
  if (lock !== null) return lock
  process.stderr.write(`${options.waiting}\n`)
  return (await holdLock(path, [])) ?? Promise.reject(new Error(`could not lock ${path}`))
}

/** Takes the lock on the file, or gives null where another process has it. */
export function tryFileLock(path: string): Promise<FileLock | null> {
  return holdLock(path, ['--nonblock'])
}

/** The lock is held by a child that lives as long as its stdin, so it is let go however this process ends. */
function holdLock(path: string, flags: readonly string[]): Promise<FileLock | null> {
  return new Promise((resolve, reject) => {
    // A group of its own: Ctrl-C in the terminal must not let the lock go before what it guards has ended.
    const child = spawn('flock', [...flags, path, '-c', 'echo held; exec cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    })
    child.once('error', reject)
    const closed = new Promise<void>((resolveClosed) => {
      child.once('close', () => {
        resolve(null)
        resolveClosed()
      })
    })
    child.stdout.once('data', () => {
      child.stdout.resume()
      child.unref()
      resolve({
        release() {
          child.ref()
          child.stdin.end()
          return closed
        },
      })
    })
  })
}
