import { setTimeout as pause } from 'node:timers/promises'
import { type BatchFields, encodeBatch } from '@sip-capture/contract/codec.ts'
import type { Redis } from 'ioredis'
import { type Batch, BatchQueue } from './batch-queue.ts'
import type { Logger } from './logger.ts'

export interface StreamCounters {
  /** Items that Redis has confirmed. */
  readonly written: number
  /** Items given up because the buffer was full. */
  readonly dropped: number
  /** Writes that Redis refused or did not answer; their items were tried again. */
  readonly failed: number
  /** Items waiting. */
  readonly buffered: number
  /** Items said on the channel of `announce`. */
  readonly announced: number
  /** Items that could not be said there; the stream has them. */
  readonly unannounced: number
}

export interface StreamWriter<T> {
  /** Never blocks, never throws. */
  write(item: T): void
  /** Resolves when everything written so far is confirmed or dropped. */
  flush(): Promise<void>
  /** Flushes for at most 5 s, then stops. */
  close(): Promise<void>
  readonly counters: StreamCounters
  /** Why the last write failed; undefined when the last one succeeded. */
  readonly problem: string | undefined
}

export interface StreamWriterOptions<T> {
  readonly redis: Redis
  readonly key: string
  readonly logger: Logger
  /** Roughly how much of Redis' memory the stream may take; older entries are cut beyond, read or not. */
  readonly maxStreamBytes?: number
  readonly maxBufferedItems?: number
  readonly maxBufferedBytes?: number
  readonly sizeOf?: (item: T) => number
  /** How long a batch that is not full waits while batches follow each other: each costs the writer, Redis and every reader the same,
   *  however little is in it. */
  readonly busyFlushMillis?: number
  /** For items that come many at once, in place of such waiting: a batch that is not full is sent when all that came with it are there,
   *  but not sooner than this after the last one. */
  readonly paceMillis?: number
  /** How a batch is put into an entry; `encodeBatch` unless told. */
  readonly encode?: (items: readonly T[]) => BatchFields
  /**
   * Says each item on a pub/sub channel, once: in the write that first carries it to the stream, so that a process killed at
   * any moment leaves both or neither; at once while the stream refuses it.
   */
  readonly announce?: { readonly channel: string; toText(item: T): string }
}

const maxBatchItems = 64
const flushMillis = 5
/** A batch follows another one that was sent so lately. */
const busyGapMillis = 50
/** Batches in one round trip. One trip at a time keeps the order when a write has to be repeated. */
const batchesPerTrip = 16
const maxRetryMillis = 2_000
/** Announcements not answered yet while the stream refuses: beyond, they are left out and counted. */
const maxAnnouncing = 5_000
const closeMillis = 5_000

type Words = [name: string, ...words: (string | number | Buffer)[]]
type Reply = [error: Error | null, answer: unknown]

interface Command {
  readonly words: Words
  /** Items that it says on the channel. */
  readonly announcements: number
}

/**
 * Adds an entry and says its items, whether or not the stream takes it; answers why it does not, or nothing. One command for
 * all: of a PUBLISH for each item ioredis alone cost more than all else that is done for it.
 */
const addAndAnnounce = `
local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7])
for index = 9, #ARGV do redis.call('PUBLISH', ARGV[8], ARGV[index]) end
return type(added) == 'table' and added.err or false`

/**
 * Writes items to a Redis stream in batches: at 64 items or after 5 ms (`busyFlushMillis` while batches follow each other), so a quiet
 * system has no delay and a busy one few entries. While Redis is away or refuses, batches wait in a bounded buffer; beyond it the
 * oldest go and are counted. At least once: a write whose answer is lost is repeated, so readers drop copies by message id.
 */
export function createStreamWriter<T extends object>(options: StreamWriterOptions<T>): StreamWriter<T> {
  const {
    redis,
    key,
    logger,
    maxStreamBytes = 512 * 1024 * 1024,
    maxBufferedItems = 500_000,
    maxBufferedBytes = 64 * 1024 * 1024,
    sizeOf = () => 1024,
    busyFlushMillis = 20,
    paceMillis,
    encode = encodeBatch,
    announce,
  } = options

  // Batches are dropped whole: of a small buffer a part at a time.
  const batchItems = Math.max(1, Math.min(maxBatchItems, Math.floor(maxBufferedItems / 4)))
  const queue = new BatchQueue<T>({ batchItems, sizeOf, encode })
  const counters = { written: 0, dropped: 0, failed: 0, announced: 0, unannounced: 0 }
  let announcing = 0
  let problem: string | undefined
  let timer: NodeJS.Timeout | undefined
  let immediate: NodeJS.Immediate | undefined
  let isPumping = false
  let isClosed = false
  let averageEntryBytes = 0
  let sentAtMillis = -Infinity
  const idle: (() => void)[] = []

  function write(item: T): void {
    if (isClosed) {
      counters.dropped += 1
      return
    }
    const isSaidNow = announce !== undefined && problem !== undefined
    queue.push(item, announce !== undefined && !isSaidNow)
    if (isSaidNow) announceNow(item)
    while (queue.items > maxBufferedItems || queue.bytes > maxBufferedBytes) dropOldest()
    if (isPumping) return
    if (queue.hasSealed) startPump()
    else scheduleRest()
  }

  function dropOldest(): void {
    if (!queue.hasSealed) queue.seal()
    const batch = queue.shift()
    if (!batch) return
    batch.isDropped = true
    counters.dropped += batch.count
  }

  function scheduleRest(): void {
    if (timer !== undefined || immediate !== undefined) return
    const sinceSent = performance.now() - sentAtMillis
    if (paceMillis === undefined) {
      timer = setTimeout(sendRest, sinceSent < busyGapMillis ? busyFlushMillis : flushMillis)
    } else if (sinceSent < paceMillis) timer = setTimeout(sendRest, paceMillis - sinceSent)
    else immediate = setImmediate(sendRest)
  }

  /** A batch that is not full, too. */
  function sendRest(): void {
    queue.seal()
    startPump()
  }

  function announceNow(item: T): void {
    if (!announce) return
    if (redis.status !== 'ready' || announcing >= maxAnnouncing) {
      counters.unannounced += 1
      return
    }
    announcing += 1
    redis
      .publish(announce.channel, announce.toText(item))
      .then(
        () => (counters.announced += 1),
        () => (counters.unannounced += 1),
      )
      .finally(() => (announcing -= 1))
  }

  function startPump(): void {
    clearTimeout(timer)
    clearImmediate(immediate)
    timer = undefined
    immediate = undefined
    if (isPumping) return
    isPumping = true
    void pump()
  }

  async function pump(): Promise<void> {
    let retryMillis = 50
    while (queue.hasSealed && !isClosed) {
      // What is in flight stays counted as buffered until Redis confirms it.
      const batches = queue.peek(batchesPerTrip)
      const confirmed = await send(batches)
      if (confirmed === batches.length) {
        retryMillis = 50
        continue
      }
      await pause(retryMillis)
      retryMillis = Math.min(retryMillis * 2, maxRetryMillis)
    }
    isPumping = false
    for (const resolve of idle.splice(0)) resolve()
    if (queue.hasOpen && !isClosed) scheduleRest()
  }

  /** How many batches, from the first on, Redis has confirmed. */
  async function send(batches: readonly Batch<T>[]): Promise<number> {
    sentAtMillis = performance.now()
    let confirmed = 0
    let failure: Error | null = null
    try {
      // All before anything is taken to be said: one that cannot be encoded holds up the trip.
      for (const batch of batches) queue.encode(batch)
      for (const [index, outcome] of (await exchange(batches.map(toCommand))).entries()) {
        failure = outcome
        if (failure) break
        confirmed = index + 1
      }
    } catch (error) {
      // An item that cannot be encoded: told and tried again, as what Redis refuses is.
      failure = toError(error)
    }
    for (const batch of batches.slice(0, confirmed)) noteWritten(batch)
    if (failure) noteFailure(failure)
    else noteSuccess()
    return confirmed
  }

  /** Of each command: null when its batch is on the stream, else why not. */
  async function exchange(commands: readonly Command[]): Promise<(Error | null)[]> {
    const replies = await request(commands.map(({ words }) => words)).catch((error: unknown) =>
      commands.map((): Reply => [toError(error), null]),
    )
    return commands.map(({ announcements }, index) => {
      const [error, answer] = replies[index] ?? [new Error('Redis left out an answer'), null]
      counters[error ? 'unannounced' : 'announced'] += announcements
      if (error || !announce) return error
      return typeof answer === 'string' ? new Error(answer) : null
    })
  }

  async function request(commands: Words[]): Promise<Reply[]> {
    const [only] = commands
    // A command by itself: a pipeline around it costs ioredis more than the command.
    if (only && commands.length === 1) return [[null, await redis.call(...only)]]
    return (await redis.pipeline(commands).exec()) ?? []
  }

  function toCommand(batch: Batch<T>): Command {
    const fields = queue.encode(batch)
    const maxEntries = entriesAllowed(fields)
    if (!announce)
      return { words: ['xadd', key, 'MAXLEN', '~', maxEntries, '*', ...fields], announcements: 0 }
    const texts = queue.takeUnsaid(batch).map((item) => announce.toText(item))
    return {
      words: ['eval', addAndAnnounce, 1, key, maxEntries, ...fields, announce.channel, ...texts],
      announcements: texts.length,
    }
  }

  /** How many entries like this the stream may hold. */
  function entriesAllowed(fields: BatchFields): number {
    const entryBytes = fields[5].length + 100
    averageEntryBytes = averageEntryBytes === 0 ? entryBytes : averageEntryBytes * 0.99 + entryBytes * 0.01
    return Math.max(1_000, Math.floor(maxStreamBytes / averageEntryBytes))
  }

  function noteWritten(batch: Batch<T>): void {
    counters.written += batch.count
    // One that was dropped while it was in flight has arrived all the same.
    if (batch.isDropped) counters.dropped -= batch.count
    else queue.shift()
  }

  function noteFailure(error: Error): void {
    counters.failed += 1
    if (problem === undefined)
      logger.error(
        { key, reason: error.message },
        'Redis does not take what is written; keeping it meanwhile',
      )
    problem = error.message
  }

  function noteSuccess(): void {
    if (problem !== undefined) logger.info({ key, dropped: counters.dropped }, 'Redis takes writes again')
    problem = undefined
  }

  async function flush(): Promise<void> {
    queue.seal()
    if (!queue.hasSealed && !isPumping) return
    const done = new Promise<void>((resolve) => idle.push(resolve))
    startPump()
    await done
  }

  return {
    write,
    flush,
    async close() {
      const deadline = new AbortController()
      await Promise.race([
        flush(),
        pause(closeMillis, undefined, { signal: deadline.signal }).catch(() => {}),
      ])
      deadline.abort()
      isClosed = true
      clearTimeout(timer)
      clearImmediate(immediate)
      const lost = queue.items
      if (lost > 0) logger.error({ key, lost }, 'closed with messages that Redis did not take')
      queue.seal()
      while (queue.hasSealed) dropOldest()
    },
    get counters() {
      return { ...counters, buffered: queue.items }
    },
    get problem() {
      return problem
    },
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
