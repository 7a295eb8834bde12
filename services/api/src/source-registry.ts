import { setTimeout as pause } from 'node:timers/promises'
import { sourceStatus, type SourceStatus } from '@sip-capture/contract/bus/source-status.ts'
import { decodeBatch } from '@sip-capture/contract/codec.ts'
import type { SourceView } from '@sip-capture/contract/rest/source.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import type { Redis } from 'ioredis'
import { idMillis, readBehind, readNewest, type StreamEntry } from './stream-entries.ts'

const staleMillis = 15_000
const pollMillis = 500
const entriesBack = 200
/** Nodes come from the bus: a bound against nonsense. */
const maxSources = 256

export interface SourceRegistry {
  views(): SourceView[]
  /** Called when a source says something new. */
  onChange(listener: () => void): void
  close(): Promise<void>
}

interface Heard {
  readonly status: SourceStatus
  /** On this machine's clock, so that another's does not make a source look dead. */
  readonly heardAtMillis: number
}

/** The last heartbeat of every source. */
export function followSources(redis: Redis, key: string): SourceRegistry {
  const latest = new Map<string, Heard>()
  const listeners: (() => void)[] = []
  let lastId = ''
  let isStopping = false

  function take(entries: readonly StreamEntry[], heardAt: (entry: StreamEntry) => number): void {
    let changed = false
    for (const entry of entries) {
      lastId = entry.id
      for (const status of decodeBatch(sourceStatus, entry.fields).items) {
        const name = `${status.kind} ${status.node}`
        const before = latest.get(name)
        if (!before && latest.size >= maxSources) continue
        changed ||= before?.status.state !== status.state || before.status.detail !== status.detail
        latest.set(name, { status, heardAtMillis: heardAt(entry) })
      }
    }
    if (changed) for (const listener of listeners) listener()
  }

  async function run(): Promise<void> {
    while (!isStopping) {
      try {
        if (lastId === '') {
          const [seconds, micros] = await redis.time()
          const skew = Date.now() - (Number(seconds) * 1000 + Number(micros) / 1000)
          const entries = await readNewest(redis, key, entriesBack)
          lastId = '0-0'
          take(entries.reverse(), ({ id }) => idMillis(id) + skew)
        } else take(await readBehind(redis, key, lastId, entriesBack), () => Date.now())
      } catch {
        // Redis is away: what is known stays, and grows stale.
      }
      await pause(pollMillis)
    }
  }
  const running = run()

  return {
    views: () =>
      [...latest.values()]
        .map(({ status, heardAtMillis }) => toView(status, Date.now() - heardAtMillis > staleMillis))
        .sort((a, b) => `${a.kind} ${a.node}`.localeCompare(`${b.kind} ${b.node}`)),
    onChange: (listener) => void listeners.push(listener),
    async close() {
      isStopping = true
      await running
    },
  }
}

function toView(status: SourceStatus, stale: boolean): SourceView {
  const { v: _v, atMicros, startedAtMicros, lastMessageAtMicros, gaps, ...rest } = status
  return {
    ...rest,
    at: toRfc3339(atMicros),
    startedAt: toRfc3339(startedAtMicros),
    lastMessageAt: lastMessageAtMicros === null ? null : toRfc3339(lastMessageAtMicros),
    gaps: gaps.map(({ fromMicros, toMicros, reason }) => ({
      from: toRfc3339(fromMicros),
      to: toRfc3339(toMicros),
      reason,
    })),
    stale,
  }
}
