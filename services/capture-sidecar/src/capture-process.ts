import { spawn, type ChildProcess } from 'node:child_process'
import type { CaptureInterface, CaptureProgram } from './capture-program.ts'
import { guardGroup } from './orphan-guard.ts'

export interface CaptureExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Set if the program could not be started at all: ENOENT, EACCES, … */
  readonly spawnError: string | null
  readonly stderr: readonly string[]
  /** By its closing words; null if it did not say. */
  readonly dropped: number | null
}

export interface CaptureHandlers {
  /** The capture runs: its file header arrived. */
  onStart(): void
  onBytes(chunk: Uint8Array): void
  /** Called once, after the last bytes. */
  onExit(exit: CaptureExit): void
}

export interface CaptureProcess {
  /** Asks the whole process group to end, by force after 2 s. */
  stop(): void
}

const maxStderrLines = 40
const maxStderrLineBytes = 1000
const forceAfterMillis = 2000
/** How long the pipe may stay open after the program is gone and its group was killed. */
const drainMillis = 2000

/**
 * Runs the program in a process group of its own, because killing tshark alone leaves its dumpcap behind. Never through a
 * shell.
 */
export function startCapturing(
  program: CaptureProgram,
  interfaces: readonly CaptureInterface[],
  handlers: CaptureHandlers,
): CaptureProcess {
  const child = spawn(program.command, program.argumentsFor(interfaces), {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', NODE_OPTIONS: undefined, WIRESHARK_QUIT_AFTER_CAPTURE: undefined },
  })
  const release = child.pid === undefined ? undefined : guardGroup(child.pid)
  const lines: string[] = []
  let rest = ''
  let started = false
  let ended = false
  let force: NodeJS.Timeout | undefined
  let drain: NodeJS.Timeout | undefined

  const finish = (exit: Pick<CaptureExit, 'code' | 'signal' | 'spawnError'>): void => {
    if (ended) return
    ended = true
    clearTimeout(force)
    clearTimeout(drain)
    child.stdout.destroy()
    child.stderr.destroy()
    if (rest !== '') lines.push(rest)
    const stderr = lines.slice(-maxStderrLines)
    handlers.onExit({ ...exit, stderr, dropped: droppedBy(stderr) })
  }

  child.stdout.on('data', (chunk: Buffer) => {
    if (ended) return
    if (!started) {
      started = true
      handlers.onStart()
    }
    handlers.onBytes(chunk)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split(/[\r\n]+/)
    rest = (parts.pop() ?? '').slice(0, maxStderrLineBytes)
    for (const part of parts) if (part !== '') lines.push(part.slice(0, maxStderrLineBytes))
    if (lines.length > maxStderrLines) lines.splice(0, lines.length - maxStderrLines)
  })
  child.on('error', (error: NodeJS.ErrnoException) => {
    if (child.pid === undefined) finish({ code: null, signal: null, spawnError: error.code ?? error.message })
  })
  child.on('exit', (code, signal) => {
    // Before the group's number can be anyone else's.
    release?.()
    // dumpcap outlives a killed tshark until its next failed write.
    killGroup(child, 'SIGKILL')
    drain = setTimeout(() => finish({ code, signal, spawnError: null }), drainMillis)
  })
  child.on('close', (code, signal) => finish({ code, signal, spawnError: null }))

  return {
    stop() {
      if (ended || force) return
      killGroup(child, 'SIGINT')
      force = setTimeout(() => killGroup(child, 'SIGKILL'), forceAfterMillis)
    },
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group is gone already.
  }
}

function droppedBy(stderr: readonly string[]): number | null {
  const counts = stderr.flatMap((line) => /\b(\d+) packets? dropped/.exec(line)?.[1] ?? [])
  return counts.length === 0 ? null : counts.reduce((sum, count) => sum + Number(count), 0)
}
