import { setTimeout as pause } from 'node:timers/promises'
import { type BatchFields, encodeBatch } from '@sip-capture/contract/codec.ts'
import type { Redis } from 'ioredis'
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
  /** How a batch is put into an entry; `encodeBatch` unless told. */
  readonly encode?: (items: readonly T[]) => BatchFields
  /**
   * Says each item on a pub/sub channel, once: in the write that first carries it to the stream, so that a process killed at
   * any moment leaves both or neither; at once while the stream refuses it.
   */
  readonly announce?: { readonly channel: string; toText(item: T): string }
}

const batchItems = 64
const flushMillis = 5
/** While batches follow each other: each costs the writer, Redis and every reader the same, however little is in it. */
const busyFlushMillis = 20
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
 * Writes items to a Redis stream in batches: at 64 items or after 5 ms (20 ms while batches follow each other), so a quiet
 * system has no delay and a busy one few entries. While Redis is away or refuses, items wait in a bounded buffer; beyond it the oldest go and are counted.
 * At least once: a write whose answer is lost is repeated, so readers drop copies by message id.
 */
export function createStreamWriter<T extends object>(options: StreamWriterOptions<T>): StreamWriter<T> {
  const {
    redis,
    key,
    logger,
    maxStreamBytes = 512 * 1024 * 1024,
    maxBufferedItems = 50_000,
    maxBufferedBytes = 64 * 1024 * 1024,
    sizeOf = () => 1024,
    encode = encodeBatch,
    announce,
  } = options

  const queue = createItemQueue(sizeOf)
  const counters = { written: 0, dropped: 0, failed: 0, announced: 0, unannounced: 0 }
  const announcedItems = new WeakSet<T>()
  let announcing = 0
  let problem: string | undefined
  let timer: NodeJS.Timeout | undefined
  let isPumping = false
  let isClosed = false
  let averageEntryBytes = 0
  let sentAtMillis = -busyGapMillis
  const idle: (() => void)[] = []

  function write(item: T): void {
    if (isClosed) {
      counters.dropped += 1
      return
    }
    queue.push(item)
    if (problem !== undefined) announceNow(item)
    while (queue.length > maxBufferedItems || queue.bytes > maxBufferedBytes) {
      queue.dropOldest()
      counters.dropped += 1
    }
    if (isPumping) return
    if (queue.length >= batchItems) startPump()
    else if (timer === undefined) {
      const isBusy = performance.now() - sentAtMillis < busyGapMillis
      timer = setTimeout(startPump, isBusy ? busyFlushMillis : flushMillis)
    }
  }

  function announceNow(item: T): void {
    if (!announce) return
    announcedItems.add(item)
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
    timer = undefined
    if (isPumping) return
    isPumping = true
    void pump()
  }

  async function pump(): Promise<void> {
    let retryMillis = 50
    while (queue.length > 0 && !isClosed) {
      // What is in flight stays counted as buffered until Redis confirms it.
      const batches = queue.peekBatches(batchesPerTrip, batchItems)
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
  }

  /** How many batches, from the first on, Redis has confirmed. */
  async function send(batches: readonly T[][]): Promise<number> {
    const evictedBefore = queue.evicted
    sentAtMillis = performance.now()
    let confirmed = 0
    let sent = 0
    let failure: Error | null = null
    try {
      for (const [index, outcome] of (await exchange(batches.map(toCommand))).entries()) {
        failure = outcome
        if (failure) break
        confirmed = index + 1
        sent += batches[index]?.length ?? 0
      }
    } catch (error) {
      // An item that cannot be encoded: told and tried again, as what Redis refuses is.
      failure = toError(error)
    }
    noteSent(sent, evictedBefore)
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

  function toCommand(batch: readonly T[]): Command {
    const { maxEntries, fields } = toEntry(batch)
    if (!announce)
      return { words: ['xadd', key, 'MAXLEN', '~', maxEntries, '*', ...fields], announcements: 0 }
    const texts: string[] = []
    for (const item of batch) {
      if (announcedItems.has(item)) continue
      announcedItems.add(item)
      texts.push(announce.toText(item))
    }
    return {
      words: ['eval', addAndAnnounce, 1, key, maxEntries, ...fields, announce.channel, ...texts],
      announcements: texts.length,
    }
  }

  /** A batch as a stream entry, and how many such entries the stream may hold. */
  function toEntry(batch: readonly T[]): { maxEntries: number; fields: BatchFields } {
    const fields = encode(batch)
    const entryBytes = fields[5].length + 100
    averageEntryBytes = averageEntryBytes === 0 ? entryBytes : averageEntryBytes * 0.99 + entryBytes * 0.01
    return { maxEntries: Math.max(1_000, Math.floor(maxStreamBytes / averageEntryBytes)), fields }
  }

  function noteSent(sent: number, evictedBefore: number): void {
    counters.written += sent
    // Items that overflowed while in flight are no longer at the head: they were counted as dropped, yet arrived.
    const overtaken = Math.min(queue.evicted - evictedBefore, sent)
    counters.dropped -= overtaken
    queue.remove(sent - overtaken)
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
    if (queue.length === 0 && !isPumping) return
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
      counters.dropped += queue.length
      if (queue.length > 0)
        logger.error({ key, lost: queue.length }, 'closed with messages that Redis did not take')
      queue.remove(queue.length)
    },
    get counters() {
      return { ...counters, buffered: queue.length }
    },
    get problem() {
      return problem
    },
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

/** First in, first out, with its size in bytes. The head index avoids shifting an array of 50,000; places before it are empty,
 *  so that what is out is garbage while it is young. */
function createItemQueue<T>(sizeOf: (item: T) => number) {
  let items: (T | undefined)[] = []
  let head = 0
  let bytes = 0
  let evicted = 0

  function remove(count: number): void {
    for (let i = 0; i < count && head < items.length; i++) {
      bytes -= sizeOf(items[head] as T)
      items[head++] = undefined
    }
    if (head > 1024 && head * 2 > items.length) {
      items = items.slice(head)
      head = 0
    }
  }

  return {
    push(item: T) {
      items.push(item)
      bytes += sizeOf(item)
    },
    dropOldest() {
      evicted += 1
      remove(1)
    },
    remove,
    peekBatches(maxBatches: number, size: number): T[][] {
      const batches: T[][] = []
      for (let at = head; at < items.length && batches.length < maxBatches; at += size)
        batches.push(items.slice(at, at + size) as T[])
      return batches
    },
    get length() {
      return items.length - head
    },
    get bytes() {
      return bytes
    },
    get evicted() {
      return evicted
    },
  }
}
