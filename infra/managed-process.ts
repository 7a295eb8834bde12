import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** `config-fault`: it said that a setting is wrong (exit code 78), so starting it again cannot help. */
export type ProcessState = 'stopped' | 'running' | 'waiting' | 'config-fault'

export interface ManagedProcessOptions {
  readonly name: string
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  onLine(line: string, stream: 'stdout' | 'stderr'): void
  /** It ended without being asked to; `pauseMs` until it is started again, null when it is not. */
  onUnexpectedExit?(how: string, pauseMs: number | null): void
}

/**
 * One child process that is kept running: started again after a crash with growing pauses, not after exit code 78.
 * It has a process group of its own, so that what it leaves behind can be ended with it, and gets SIGTERM from the
 * kernel when this process dies.
 */
export interface ManagedProcess {
  readonly name: string
  readonly state: ProcessState
  /** null while it does not run. */
  readonly pid: number | null
  readonly starts: number
  /** The last lines of stderr: after `config-fault` the sentences that name the setting. */
  readonly lastErrors: readonly string[]
  start(): void
  kill(signal: NodeJS.Signals): void
  /** SIGTERM, SIGKILL when it takes longer; resolves when it and its group are gone. Not started again. */
  stop(withinMs?: number): Promise<void>
  /** `stop`, then `start`. */
  restart(): Promise<void>
}

const exitCodeConfig = 78
const firstPauseMs = 500
const longestPauseMs = 30_000
/** After this long without a crash the pauses begin small again. */
const steadyAfterMs = 30_000
const keptErrorLines = 20
/** As long as a service may take to close. */
const orphanGraceSeconds = 10

export function createManagedProcess(options: ManagedProcessOptions): ManagedProcess {
  let child: ChildProcess | null = null
  let exited: Promise<void> = Promise.resolve()
  let state: ProcessState = 'stopped'
  let starts = 0
  let crashes = 0
  let retry: NodeJS.Timeout | null = null
  const lastErrors: string[] = []

  const start = (): void => {
    if (child !== null) return
    if (retry !== null) clearTimeout(retry)
    retry = null
    lastErrors.length = 0
    starts += 1
    state = 'running'
    const startedAt = performance.now()
    const started = spawn('setpriv', ['--pdeathsig', 'TERM', ...options.command], {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    child = started
    const release = guardAgainstOrphans(started)
    createInterface({ input: started.stdout }).on('line', (line) => {
      options.onLine(line, 'stdout')
    })
    createInterface({ input: started.stderr }).on('line', (line) => {
      lastErrors.push(line)
      if (lastErrors.length > keptErrorLines) lastErrors.shift()
      options.onLine(line, 'stderr')
    })
    exited = new Promise((resolve) => {
      started.once('error', (error) => {
        lastErrors.push(error.message)
      })
      // `close` also waits for pipes that a grandchild may hold open; the group is ended at `exit` so that it comes.
      started.once('exit', () => {
        release()
        signalGroup(started, 'SIGKILL')
      })
      started.once('close', (code, signal) => {
        child = null
        onEnd(code, signal, performance.now() - startedAt)
        resolve()
      })
    })
  }

  const onEnd = (code: number | null, signal: NodeJS.Signals | null, ranMs: number): void => {
    if (state === 'stopped') return
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`
    if (code === exitCodeConfig) {
      state = 'config-fault'
      options.onUnexpectedExit?.(how, null)
      return
    }
    crashes = ranMs > steadyAfterMs ? 1 : crashes + 1
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (crashes - 1))
    state = 'waiting'
    retry = setTimeout(start, pauseMs)
    options.onUnexpectedExit?.(how, pauseMs)
  }

  const stop = async (withinMs = 8000): Promise<void> => {
    state = 'stopped'
    if (retry !== null) clearTimeout(retry)
    retry = null
    const stopping = child
    if (stopping === null) return
    stopping.kill('SIGTERM')
    // A process that was stopped with SIGSTOP takes SIGTERM only when it goes on.
    stopping.kill('SIGCONT')
    const timer = setTimeout(() => {
      signalGroup(stopping, 'SIGKILL')
    }, withinMs)
    await exited
    clearTimeout(timer)
  }

  return {
    name: options.name,
    get state() {
      return state
    },
    get pid() {
      return child?.pid ?? null
    },
    get starts() {
      return starts
    },
    lastErrors,
    start,
    kill(signal) {
      child?.kill(signal)
    },
    stop,
    async restart() {
      await stop()
      start()
    },
  }
}

/**
 * When this process is killed outright, the kernel's SIGTERM asks the child to end; one that hangs meanwhile is ended by
 * the guard, which notices by its pipe. Answers how to release the child from it.
 */
function guardAgainstOrphans(child: ChildProcess): () => void {
  if (child.pid === undefined) return () => {}
  const script = `read -r _; sleep ${orphanGraceSeconds}; kill -s KILL -- "-$1"`
  const guard = spawn('/bin/sh', ['-c', script, 'guard', String(child.pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.on('error', () => {})
  guard.stdin.on('error', () => {})
  return () => {
    guard.kill('SIGKILL')
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group is gone.
  }
}
