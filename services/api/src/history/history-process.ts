import { fork, type ChildProcess } from 'node:child_process'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Logger } from '@sip-capture/service/logger.ts'
import type { ApiConfig } from '../config.ts'
import {
  fromWorker,
  type HistoryAnswers,
  type HistoryRequest,
  type HistoryStatus,
  type ToWorker,
} from './requests.ts'

const source = new URL('worker.ts', import.meta.url)
/** Where this is a bundle, the child's program lies beside it as one. */
const besideThis = import.meta.url.endsWith('.js') ? new URL('worker.js', import.meta.url) : source

/** History cannot answer now; REST turns it into 503 with this sentence. */
export class HistoryUnavailable extends Error {
  override readonly name = 'HistoryUnavailable'
  readonly code: 'history-unavailable' | 'search-too-slow'

  constructor(message: string, code: 'history-unavailable' | 'search-too-slow' = 'history-unavailable') {
    super(message)
    this.code = code
  }
}

export interface History {
  ask<M extends keyof HistoryAnswers>(
    request: Extract<HistoryRequest, { method: M }>,
    timeoutMillis?: number,
  ): Promise<HistoryAnswers[M]>
  readonly status: HistoryStatus
  /** Of the child at the moment; undefined between two. */
  readonly pid: number | undefined
  onStatus(listener: (status: HistoryStatus) => void): void
  close(): Promise<void>
}

const requestMillis = 30_000
const maxWaiting = 256
const minPauseMillis = 200
const maxPauseMillis = 10_000
/** A child that lived this long was well: the next pause is short again. */
const healthyMillis = 30_000
const closeMillis = 8_000
const maxSaidLines = 20

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
  readonly timer: NodeJS.Timeout
}

/** Runs `worker.ts` in a process of its own and starts it again whenever it ends. `program`: it as a bundle, elsewhere. */
export function startHistoryProcess(options: {
  config: ApiConfig
  logger: Logger
  program?: URL | undefined
}): History {
  const { config, logger, program = besideThis } = options
  const waiting = new Map<number, Waiting>()
  const listeners: ((status: HistoryStatus) => void)[] = []
  let child: ChildProcess | undefined
  let status: HistoryStatus = away('history is starting')
  /** The last counters, kept over a restart of the child: sums of what earlier children did. */
  let before: Record<string, number> = {}
  let number = 0
  let isClosing = false
  let pauseMillis = minPauseMillis
  let restart: NodeJS.Timeout | undefined
  let restarts = 0

  function start(): void {
    const startedAt = Date.now()
    const running = fork(fileURLToPath(program), [], {
      // Exports and batches hold some ten thousand messages at once: with V8's 16 MB they are copied again and again. And since bytes
      // of messages count as old space, all of it would be collected each second under load, by threads that questions wait for.
      execArgv: [
        '--max-semi-space-size=32',
        '--heap-growing-percent=200',
        ...(program.pathname.endsWith('.ts') ? loaderArguments() : []),
      ],
      // The engine's statements run on these threads, and so do files.
      env: { ...process.env, UV_THREADPOOL_SIZE: '8' },
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    child = running
    const said = keepLastLines(running, logger)
    running.on('message', (raw) => take(raw))
    running.on('error', (error) =>
      logger.error({ reason: error.message }, 'the history process cannot be started'),
    )
    running.on('exit', (code, signal) => {
      if (child === running) child = undefined
      failAll(new HistoryUnavailable('history is starting again'))
      if (isClosing) return
      pauseMillis =
        Date.now() - startedAt > healthyMillis ? minPauseMillis : Math.min(pauseMillis * 2, maxPauseMillis)
      logger.error({ code, signal, pauseMillis, said }, 'the history process ended; starting it again')
      restarts += 1
      before = { ...status.counters }
      setStatus({ ...away('history is starting again'), counters: before })
      restart = setTimeout(start, pauseMillis)
    })
    const {
      REDIS_URL,
      CAPTURE_REDIS_URLS,
      BUS_PREFIX,
      LOG_LEVEL,
      NODE_NAME,
      API_ROLE,
      HISTORY_URL,
      HISTORY_CLUSTER,
      DATA_DIR,
      ALIASES_FILE,
      RETENTION_DAYS,
      RETENTION_BYTES,
    } = config
    send({
      type: 'start',
      config: {
        REDIS_URL,
        CAPTURE_REDIS_URLS,
        BUS_PREFIX,
        LOG_LEVEL,
        NODE_NAME,
        API_ROLE,
        HISTORY_URL,
        HISTORY_CLUSTER,
        DATA_DIR,
        ALIASES_FILE,
        RETENTION_DAYS,
        RETENTION_BYTES,
      },
    })
  }

  function send(message: ToWorker): void {
    child?.send(message, (error) => {
      if (error) logger.debug({ reason: error.message }, 'the history process did not take a message')
    })
  }

  function take(raw: unknown): void {
    const parsed = fromWorker.safeParse(raw)
    if (!parsed.success) {
      logger.error('the history process sent what is not in the protocol')
      return
    }
    const message = parsed.data
    if (message.type === 'status') {
      const counters = { ...before }
      for (const [name, value] of Object.entries(message.status.counters))
        counters[name] = (before[name] ?? 0) + value
      setStatus({ ...message.status, counters: { ...counters, historyRestarts: restarts } })
      return
    }
    const entry = waiting.get(message.number)
    if (!entry) return
    waiting.delete(message.number)
    clearTimeout(entry.timer)
    if (message.type === 'answer') entry.resolve(message.result)
    else if (message.code === 'too-slow')
      entry.reject(
        new HistoryUnavailable('the search took too long; narrow it with since and until', 'search-too-slow'),
      )
    else if (message.code === 'unavailable')
      entry.reject(new HistoryUnavailable(`the history store does not answer: ${firstLine(message.message)}`))
    else entry.reject(new Error(message.message))
  }

  function setStatus(next: HistoryStatus): void {
    status = next
    for (const listener of listeners) listener(status)
  }

  function failAll(error: Error): void {
    for (const entry of waiting.values()) {
      clearTimeout(entry.timer)
      entry.reject(error)
    }
    waiting.clear()
  }

  start()
  return {
    get status() {
      return status
    },
    get pid() {
      return child?.pid
    },
    onStatus: (listener) => void listeners.push(listener),
    ask<M extends keyof HistoryAnswers>(
      request: Extract<HistoryRequest, { method: M }>,
      timeoutMillis = requestMillis,
    ) {
      return new Promise<HistoryAnswers[M]>((resolve, reject) => {
        if (!child?.connected) return reject(new HistoryUnavailable(status.detail || 'history is starting'))
        if (waiting.size >= maxWaiting) return reject(new HistoryUnavailable('history has too much to do'))
        const mine = ++number
        const timer = setTimeout(() => {
          waiting.delete(mine)
          reject(new HistoryUnavailable(status.ok ? 'history did not answer in time' : status.detail))
        }, timeoutMillis)
        waiting.set(mine, { resolve: (result) => resolve(result as HistoryAnswers[M]), reject, timer })
        send({ type: 'request', number: mine, request })
      })
    },
    async close() {
      isClosing = true
      clearTimeout(restart)
      const running = child
      if (running && running.exitCode === null && running.signalCode === null) {
        const ended = new Promise<void>((resolve) => running.once('exit', () => resolve()))
        send({ type: 'stop' })
        const timer = setTimeout(() => running.kill('SIGKILL'), closeMillis)
        await ended
        clearTimeout(timer)
      }
      failAll(new HistoryUnavailable('the service is stopping'))
    },
  }
}

function away(detail: string): HistoryStatus {
  return { ok: false, detail, counters: {}, backlog: 0, callsWaiting: 0, bytes: 0 }
}

const firstLine = (text: string): string => text.split('\n')[0]?.slice(0, 200) ?? ''

/**
 * What the child says on stderr is the native engine's: pages of its own stack for a missing cgroup file. It is for
 * debugging, and is told when the child ends.
 */
function keepLastLines(child: ChildProcess, logger: Logger): readonly string[] {
  const lines: string[] = []
  if (child.stderr === null) return lines
  createInterface({ input: child.stderr }).on('line', (line) => {
    logger.debug({ line }, 'the history engine says')
    lines.push(line.slice(0, 500))
    if (lines.length > maxSaidLines) lines.shift()
  })
  return lines
}

/** The child runs TypeScript as this process does; the loader is found from here, not from the working directory. */
function loaderArguments(): string[] {
  const tsx = createRequire(import.meta.url).resolve('tsx')
  return ['--import', pathToFileURL(tsx).href]
}
