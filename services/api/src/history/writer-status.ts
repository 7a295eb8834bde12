import type { Logger } from '@sip-capture/service/logger.ts'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { History } from './history-process.ts'
import { historyStatus, type HistoryStatus } from './requests.ts'

/** A process that writes history tells those that only serve it how it does: what is lost must be on their pages. */

const news = z.object({ node: z.string(), status: historyStatus })
const maxNewsBytes = 64 * 1024
const maxWriters = 64
const tellMillis = 1_000
const silentMillis = 10_000

export function tellWriterStatus(options: {
  redis: Redis
  channel: string
  node: string
  history: Pick<History, 'status'>
  logger: Logger
}): { close(): void } {
  const { redis, channel, node, history, logger } = options
  const timer = setInterval(() => {
    if (redis.status !== 'ready') return
    redis
      .publish(channel, JSON.stringify({ node, status: history.status }))
      .catch((error: unknown) =>
        logger.debug(
          { reason: error instanceof Error ? error.message : '' },
          'the state of history could not be told',
        ),
      )
  }, tellMillis)
  return { close: () => clearInterval(timer) }
}

export interface WriterStatus {
  /** Of all writers together. */
  readonly current: HistoryStatus
  close(): void
}

export function followWriterStatus(redis: Redis, channel: string): WriterStatus {
  const writers = new Map<string, { status: HistoryStatus; heardAt: number }>()
  const listen = (heard: Buffer, message: Buffer) => {
    if (String(heard) !== channel || message.length > maxNewsBytes) return
    const told = parseNews(message)
    if (told && (writers.has(told.node) || writers.size < maxWriters))
      writers.set(told.node, { status: told.status, heardAt: performance.now() })
  }
  const follow = () => void redis.subscribe(channel).catch(() => {})
  redis.on('messageBuffer', listen)
  redis.on('ready', follow)
  if (redis.status === 'ready') follow()
  return {
    get current() {
      const now = performance.now()
      const heard = [...writers.values()]
      const alive = heard.filter(({ heardAt }) => now - heardAt < silentMillis)
      return join(
        heard.map(({ status }) => status),
        alive.map(({ status }) => status),
      )
    },
    close() {
      redis.off('messageBuffer', listen)
      redis.off('ready', follow)
    },
  }
}

const nobodyWrites =
  'no process that writes history has been heard for 10 s: start one with API_ROLE=worker or API_ROLE=all'

/** What was counted stays counted when its process is gone. */
function join(heard: readonly HistoryStatus[], alive: readonly HistoryStatus[]): HistoryStatus {
  const counters: Record<string, number> = {}
  for (const status of heard)
    for (const [name, value] of Object.entries(status.counters))
      counters[name] = (counters[name] ?? 0) + value
  const most = (of: (status: HistoryStatus) => number) => Math.max(0, ...alive.map(of))
  const faulty = alive.find(({ ok }) => !ok)
  return {
    ok: alive.length > 0 && faulty === undefined,
    detail: faulty?.detail ?? (alive.length === 0 ? nobodyWrites : ''),
    counters,
    // They share one group of readers and one store.
    backlog: most(({ backlog }) => backlog),
    callsWaiting: alive.reduce((sum, { callsWaiting }) => sum + callsWaiting, 0),
    bytes: most(({ bytes }) => bytes),
  }
}

function parseNews(message: Buffer): z.infer<typeof news> | undefined {
  try {
    return news.safeParse(JSON.parse(message.toString('utf8'))).data
  } catch {
    return undefined
  }
}
