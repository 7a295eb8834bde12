import { setTimeout as pause } from 'node:timers/promises'
import { historyGroup, type BusKeys } from '@sip-capture/contract/keys.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import type { Redis } from 'ioredis'
import type { DirectoryFeed } from '../directory-feed.ts'
import type { LegChanges } from '../history/legs/leg-changes.ts'
import { type PackedCall, PackedMessages } from '../history/packed-messages.ts'
import type { Store } from '../history/store.ts'
import { inTurns } from '../in-turns.ts'
import type { MessageBus } from '../message-buses.ts'
import { autoclaim, toStreams, type StreamEntry } from '../stream-entries.ts'
import { EntryBatch } from './entry-batch.ts'
import { createHistorySink } from './history-sink.ts'
import type { IngestCounters } from './ingest-counters.ts'
import { createStreamKeeper } from './stream-keeper.ts'

export interface BusReader {
  /** Entries on the bus that history has not acknowledged. */
  readonly backlog: number
  /** Entries that were cut before history read them. */
  readonly lost: number
  /** Why the store takes nothing at the moment. */
  readonly storeProblem: string | undefined
  /** Finishes what is in hand. */
  close(): Promise<void>
}

/** Stored together: of many small pieces the engine makes large ones again and again, so where much comes they are large. */
const maxRows = 40_000
/** How long more is waited for, by how many are there. */
const gatherMillis = [
  { rows: 0, millis: 200 },
  { rows: 200, millis: 1_000 },
  { rows: 10_000, millis: 2_000 },
] as const
/** Entries hold up to 1,024 messages: this many a stream bounds what one read can bring. */
const readCount = 64
const blockMillis = 1_000
const inspectMillis = 1_000
/** What another consumer left this long without acknowledging is taken over. */
const claimIdleMillis = 15_000
/** Given out this often and never acknowledged: it kills whoever tries. */
const maxDeliveries = 10

/**
 * Moves the streams of one bus into history: reads as a member of the group, stores in batches, acknowledges what is durable.
 * After any interruption it first goes through what it was given and did not acknowledge.
 */
export function startBusReader(options: {
  bus: MessageBus
  store: Store
  keys: BusKeys
  consumer: string
  directory: DirectoryFeed
  legChanges: LegChanges
  /** Calls of which more is in history now. */
  onStored: (calls: readonly PackedCall[]) => void
  counters: IngestCounters
  logger: Logger
}): BusReader {
  const { bus, store, keys, consumer, directory, legChanges, onStored, counters, logger } = options
  const { redis, blockingRedis, streams } = bus
  const keepers = streams.map((key) =>
    createStreamKeeper({ redis, key, logger, onTrimmed: (entries) => (counters.trimmed += entries) }),
  )
  const sink = createHistorySink({
    store,
    redis,
    deadLetterKey: keys.deadLetter,
    legChanges,
    onStored,
    counters,
    logger,
  })
  const stopping = new AbortController()
  let problem: string | undefined
  /** What was read before is stored while more is read: one batch at a time, so that none comes to be there twice. */
  let storing: Promise<void> = Promise.resolve()
  /** Of the batch that is read and of the one that is stored, in turn: the system would have to clear other memory. */
  let [memory, spare] = [new PackedMessages(), new PackedMessages()]
  /** Something may be given out to us and unfinished. */
  let isUnsure = true
  let inspectedAt = -Infinity
  let claimedAt = -Infinity

  function add(batch: EntryBatch, key: string, entry: StreamEntry): void {
    if (key === keys.calls) batch.addCallEvents(key, entry)
    else batch.addMessages(key, entry, directory.current)
  }

  async function readGroup(ids: readonly string[], names: readonly string[], block: number) {
    const reply = await blockingRedis.callBuffer(
      'XREADGROUP',
      'GROUP',
      historyGroup,
      consumer,
      'COUNT',
      readCount,
      ...(block > 0 ? ['BLOCK', block] : []),
      'STREAMS',
      ...names,
      ...ids,
    )
    return toStreams(reply)
  }

  /** Our own pending list, oldest first: what a process of our name was given and did not finish. */
  async function finishPending(): Promise<void> {
    for (const key of streams) {
      let from = '0-0'
      while (!stopping.signal.aborted) {
        const entries = (await readGroup([from], [key], 0)).get(key) ?? []
        const last = entries.at(-1)
        if (!last) break
        await writeWithCare(key, entries)
        from = last.id
      }
    }
  }

  /** Entries that were given out before: one that was tried too often goes aside. */
  async function writeWithCare(key: string, entries: readonly StreamEntry[]): Promise<void> {
    const [first, last] = [entries[0], entries.at(-1)]
    if (!first || !last) return
    const pending = (await redis.xpending(
      key,
      historyGroup,
      first.id,
      last.id,
      entries.length * 4,
      consumer,
    )) as [string, string, number, number][]
    const deliveries = new Map(pending.map(([id, , , count]) => [id, count]))
    const batch = new EntryBatch()
    await inTurns(entries, (entry) => {
      const count = deliveries.get(entry.id) ?? 0
      if (count > maxDeliveries) batch.addPoison(key, entry, `tried ${count} times without success`)
      else add(batch, key, entry)
    })
    await sink.write(batch, stopping.signal)
  }

  async function claimLeftovers(): Promise<void> {
    for (const key of streams) {
      let from = '0-0'
      do {
        const claim = await autoclaim(redis, {
          key,
          group: historyGroup,
          consumer,
          minIdleMillis: claimIdleMillis,
          from,
          count: readCount,
        })
        counters.claimed += claim.entries.length
        counters.lostToTrimming += claim.gone.length
        await writeWithCare(key, claim.entries)
        from = claim.next
      } while (from !== '0-0' && !stopping.signal.aborted)
    }
  }

  async function readNew(): Promise<void> {
    const batch = new EntryBatch(memory)
    const news = streams.map(() => '>')
    let startedAt: number | undefined
    for (let block = blockMillis; block > 0;) {
      const read = await readGroup(news, streams, block)
      for (const [key, entries] of read) await inTurns(entries, (entry) => add(batch, key, entry))
      if (batch.isEmpty || batch.messages.size >= maxRows || stopping.signal.aborted) break
      startedAt ??= performance.now()
      const { size } = batch.messages
      const millis = gatherMillis.findLast(({ rows }) => size >= rows)?.millis ?? 0
      block = Math.ceil(startedAt + millis - performance.now())
    }
    await storing
    if (batch.isEmpty) return
    storing = sink.write(batch, stopping.signal)
    ;[memory, spare] = [spare, memory]
    // A failure is told by whoever waits for it next.
    storing.catch(() => {})
  }

  async function step(): Promise<void> {
    if (isUnsure) {
      await settled(storing)
      storing = Promise.resolve()
      for (const keeper of keepers) await keeper.ensureGroup()
      await finishPending()
      isUnsure = false
    }
    if (performance.now() - claimedAt > claimIdleMillis) {
      await storing
      await claimLeftovers()
      claimedAt = performance.now()
    }
    if (performance.now() - inspectedAt > inspectMillis) {
      for (const keeper of keepers) await keeper.inspect()
      inspectedAt = performance.now()
    }
    await readNew()
  }

  async function run(): Promise<void> {
    let failures = 0
    await Promise.race([isReady(redis), aborted(stopping.signal)])
    while (!stopping.signal.aborted) {
      try {
        await step()
        if (problem !== undefined) logger.info({ bus: bus.name }, 'history follows the bus again')
        problem = undefined
        failures = 0
      } catch (error) {
        if (stopping.signal.aborted) return
        isUnsure = true
        const reason = error instanceof Error ? error.message.slice(0, 500) : String(error)
        if (problem === undefined)
          logger.error({ reason, bus: bus.name }, 'history cannot follow the bus; trying again until it can')
        problem = reason
        failures += 1
        await pause(Math.min(100 * 2 ** failures, 3_000), undefined, { signal: stopping.signal }).catch(
          () => {},
        )
      }
    }
  }
  const running = run()

  return {
    get backlog() {
      return keepers.reduce((sum, keeper) => sum + keeper.backlog, 0)
    },
    get lost() {
      return keepers.reduce((sum, keeper) => sum + keeper.lost, 0)
    },
    get storeProblem() {
      return sink.problem
    },
    async close() {
      stopping.abort()
      // A blocked read ends within its second; anything else in hand is finished first.
      await running
      await settled(storing)
    },
  }
}

/** Waits for the first connection: that it takes a moment is no fault. */
async function isReady(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') await new Promise<void>((resolve) => redis.once('ready', () => resolve()))
}

async function settled(work: Promise<void>): Promise<void> {
  await work.catch(() => {})
}

async function aborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
