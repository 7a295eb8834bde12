import { setTimeout as pause } from 'node:timers/promises'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { toSipRecord, trafficMessage } from '@sip-capture/contract/bus/traffic-message.ts'
import { decodeRecords } from '@sip-capture/contract/codec.ts'
import type { BusKeys } from '@sip-capture/contract/keys.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import type { Redis } from 'ioredis'
import { inTurns } from '../in-turns.ts'
import type { MessageBus } from '../message-buses.ts'
import { compareIds, readNewest, toStreams, type StreamEntry } from '../stream-entries.ts'
import type { LiveItem } from './live-item.ts'
import { streamStart, type Position } from './position.ts'
import { RecentIds } from '../recent-ids.ts'

const readCount = 128
const blockMillis = 1_000
const dedupeIds = 100_000
/** Published rows whose stream entry has not come yet, kept for browsers that resume meanwhile. */
const maxUnconfirmed = 5_000
const maxPublishedBytes = 1024 * 1024

export interface LiveFeed {
  readonly position: Position
  /** Rows that came by publish and are in no stream entry yet. */
  unconfirmed(): LiveItem[]
  readonly counters: { readonly rows: number; readonly rejected: number }
  close(): Promise<void>
}

/**
 * Every message on the buses once, for this process's browsers: the publishes (they flow even while Redis refuses XADD) and
 * the streams (they hold what came during an outage). A bus that is away holds up its own rows alone.
 */
export function startLiveFeed(options: {
  buses: readonly MessageBus[]
  subscribeRedis: Redis
  keys: BusKeys
  toItem: (record: SipRecord, kind: LiveItem['kind']) => LiveItem
  onItem: (item: LiveItem, position: Position) => void
  /** False while no browser is there: then entries go by unread, and a browser that comes later reads them by its position. */
  isWatched: () => boolean
  logger: Logger
}): LiveFeed {
  const { buses, subscribeRedis, keys, toItem, onItem, isWatched, logger } = options
  const streams = buses.flatMap((bus) => bus.streams)
  const recent = new RecentIds(dedupeIds)
  const unconfirmed = new Map<string, LiveItem>()
  const counters = { rows: 0, rejected: 0 }
  let position: Position = streams.map(() => streamStart)
  let isStopping = false

  function deliver(record: SipRecord, kind: LiveItem['kind'], at: Position): LiveItem | undefined {
    if (recent.has(record.id)) return undefined
    recent.add(record.id)
    counters.rows += 1
    const item = toItem(record, kind)
    onItem(item, at)
    return item
  }

  function takePublished(raw: Buffer): void {
    try {
      if (raw.length > maxPublishedBytes) throw new Error('too long')
      const parsed = trafficMessage.safeParse(JSON.parse(raw.toString('utf8')))
      if (!parsed.success) throw parsed.error
      const record = toSipRecord(parsed.data)
      const item = deliver(record, 'traffic', position)
      if (!item) return
      unconfirmed.set(record.id, item)
      if (unconfirmed.size <= maxUnconfirmed) return
      for (const oldest of unconfirmed.keys()) {
        unconfirmed.delete(oldest)
        break
      }
    } catch {
      // The stream brings the same payload to the dead letters, with its problem.
      counters.rejected += 1
    }
  }

  function takeEntry(key: string, entry: StreamEntry): void {
    const stream = streams.indexOf(key)
    const kind = key === keys.trafficLog ? 'traffic' : 'capture'
    const before = position
    const after = before.with(stream, entry.id)
    // What waits for its entry has to be told from what came with it.
    if (!isWatched() && unconfirmed.size === 0) {
      position = after
      return
    }
    const batch = decodeRecords(entry.fields)
    counters.rejected += batch.rejected.length
    for (const [index, record] of batch.items.entries()) {
      unconfirmed.delete(record.id)
      // Only the last row of an entry moves the position: who stops in the middle gets the entry again.
      deliver(record, kind, index === batch.items.length - 1 ? after : before)
    }
    position = after
  }

  /** At first from now on; later only back to the start if a stream began anew. */
  async function place({ redis, streams: own }: MessageBus, isFirst: boolean): Promise<void> {
    for (const key of own) {
      const stream = streams.indexOf(key)
      const newest = await readLastId(redis, key)
      if (isFirst) position = position.with(stream, newest)
      else if (compareIds(newest, position[stream] ?? streamStart) < 0)
        position = position.with(stream, streamStart)
    }
  }

  async function run(bus: MessageBus): Promise<void> {
    let isPlaced = false
    let isSure = false
    while (!isStopping) {
      try {
        if (!isSure) await place(bus, !isPlaced)
        isPlaced = isSure = true
        const reply = await bus.blockingRedis.callBuffer(
          'XREAD',
          'COUNT',
          readCount,
          'BLOCK',
          blockMillis,
          'STREAMS',
          ...bus.streams,
          ...bus.streams.map((key) => position[streams.indexOf(key)] ?? streamStart),
        )
        for (const [key, entries] of toStreams(reply))
          await inTurns(entries, (entry) => takeEntry(key, entry))
      } catch (error) {
        if (isStopping) return
        isSure = false
        logger.debug(
          { reason: error instanceof Error ? error.message : String(error), bus: bus.name },
          'live feed waits for Redis',
        )
        await pause(250)
      }
    }
  }

  subscribeRedis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
    if (String(channel) === keys.traffic) takePublished(message)
  })
  // ioredis subscribes again by itself after a reconnect, once the first SUBSCRIBE has succeeded.
  const subscribe = () => void subscribeRedis.subscribe(keys.traffic).catch(() => {})
  subscribeRedis.on('ready', subscribe)
  if (subscribeRedis.status === 'ready') subscribe()
  const running = Promise.all(buses.map((bus) => run(bus)))

  return {
    get position() {
      return position
    },
    unconfirmed: () => [...unconfirmed.values()],
    counters,
    async close() {
      isStopping = true
      await running
    },
  }
}

async function readLastId(redis: Redis, key: string): Promise<string> {
  const [newest] = await readNewest(redis, key, 1)
  return newest?.id ?? streamStart
}
