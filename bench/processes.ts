import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { serviceCommand, serviceFolder, type ServiceName } from '@sip-capture/infra/service-command.ts'

export interface Measured {
  readonly pid: number
  /** Processor time since the start: of the process, and of all below it. */
  cpuSeconds(): { own: number; below: number }
  /** Resident now, and at most since `resetPeaks`; of the process, and of those below it one by one. */
  memory(): { own: number; peak: number; peaksBelow: number[] }
  resetPeaks(): void
}

export interface Service extends Measured {
  readonly child: ChildProcess
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>
}

/** One of the four services as `npm start` runs it. `BENCH_VERBOSE=1` shows its log, `BENCH_NODE_ARGS_API=--cpu-prof` and the like
 *  reach Node itself. */
export function startService(folder: ServiceName, env: Readonly<Record<string, string>>): Service {
  const extra = process.env[`BENCH_NODE_ARGS_${folder.replace('-', '_').toUpperCase()}`]?.split(' ') ?? []
  const [program, ...args] = serviceCommand(folder, extra)
  const child = spawn(program, args, {
    cwd: serviceFolder(folder),
    stdio: ['ignore', process.env['BENCH_VERBOSE'] ? 2 : 'ignore', 2],
    env: { ...process.env, NODE_NAME: 'bench', LOG_LEVEL: 'warn', ...env },
  })
  if (child.pid === undefined) throw new Error(`${folder} cannot be started`)
  return {
    ...measure(child.pid),
    child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

export function measure(pid: number): Measured {
  return {
    pid,
    cpuSeconds: () => ({
      own: readCpuSeconds(pid),
      below: sum(descendantsOf(pid).map(readCpuSeconds)),
    }),
    memory: () => ({
      own: readStatus(pid, 'VmRSS'),
      peak: readStatus(pid, 'VmHWM'),
      peaksBelow: descendantsOf(pid).map((one) => readStatus(one, 'VmHWM')),
    }),
    resetPeaks() {
      for (const one of [pid, ...descendantsOf(pid)]) writeFileSync(`/proc/${one}/clear_refs`, '5')
    },
  }
}

/** Processor time by the work done in between. */
export async function cpuDuring(
  measured: Measured,
  work: () => Promise<unknown>,
): Promise<{ own: number; below: number; seconds: number }> {
  const before = measured.cpuSeconds()
  const startedAt = performance.now()
  await work()
  const after = measured.cpuSeconds()
  return {
    own: after.own - before.own,
    below: after.below - before.below,
    seconds: (performance.now() - startedAt) / 1_000,
  }
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** Of all threads, in nanoseconds as the scheduler counts; 0 for a process that is gone. */
function readCpuSeconds(pid: number): number {
  const threads = list(`/proc/${pid}/task`)
  const nanos = threads.map((thread) => Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0]))
  return sum(nanos) / 1e9
}

function descendantsOf(pid: number): number[] {
  const children = list(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  )
  return children.flatMap((child) => [child, ...descendantsOf(child)])
}

function readStatus(pid: number, field: string): number {
  return (
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1_024
  )
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
