import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import type { BusKeys } from '@sip-capture/contract/keys.ts'
import type { ServerFrame } from '@sip-capture/contract/live.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import type { Redis } from 'ioredis'
import { parseCallNews } from '../calls/call-news.ts'
import type { MessageBus } from '../message-buses.ts'
import { toSharedNews } from './call-follower.ts'
import { startLiveFeed } from './live-feed.ts'
import type { LiveItem } from './live-item.ts'
import { idMillis } from '../stream-entries.ts'
import { formatPosition, isAtOrBehind, parsePosition, type Position } from './position.ts'
import { readReplay } from './replay.ts'
import { Subscriber, type LiveSocket } from './subscriber.ts'

const flushMillis = 50
/** Rows that come sooner behind the last ones wait: a frame costs a socket the same whatever it holds, so more browsers wait
 *  longer, up to `flushMillis`. */
const minFlushMillis = 5
const flushMillisPerBrowser = 0.5
const callUpdateMillis = 500
const maxCallIds = 1_000
/** A longer Call-ID is an attack; its page refreshes by hand. */
const maxCallIdLength = 1_024
const pingMillis = 30_000
export const protocolVersion = '1'

export interface PingableSocket extends LiveSocket {
  ping(): void
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown
  on(event: 'pong' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

export interface Hub {
  /** False when there are too many: the caller closes with 1013. */
  accept(socket: PingableSocket): boolean
  broadcast(frame: ServerFrame): void
  readonly counters: {
    readonly subscribers: number
    readonly rows: number
    readonly rejected: number
    readonly sent: number
    readonly skipped: number
  }
  close(): Promise<void>
}

/** All browsers of this process on one feed. A slow one never slows another: nothing here waits for a socket. */
export function startHub(options: {
  buses: readonly MessageBus[]
  subscribeRedis: Redis
  keys: BusKeys
  toItem: (record: SipRecord, kind: LiveItem['kind']) => LiveItem
  /** Sent to a browser when it comes. */
  status: () => ServerFrame
  maxSubscribers: number
  logger: Logger
}): Hub {
  const { buses, subscribeRedis, keys, toItem, status, maxSubscribers, logger } = options
  const subscribers = new Map<Subscriber, PingableSocket>()
  /** Subscribers that must not get replayed rows again, and how far the feed has to come until then. */
  const afterReplay = new Map<Subscriber, Position>()
  let updatedCalls = new Set<string>()
  const gone = { sent: 0, skipped: 0 }

  const feed = startLiveFeed({
    ...options,
    isWatched: () => subscribers.size > 0,
    onItem(item, position) {
      const { callId } = item.row
      if (callId !== '' && callId.length <= maxCallIdLength && updatedCalls.size < maxCallIds)
        updatedCalls.add(callId)
      for (const subscriber of subscribers.keys()) {
        subscriber.offer(item, position)
        if (subscriber.isFull) subscriber.flush()
      }
      flushSoon()
    },
  })

  let flushTimer: NodeJS.Timeout | undefined
  let flushedAt = -Infinity

  function flushSoon(): void {
    if (flushTimer !== undefined || subscribers.size === 0) return
    const gap = Math.min(flushMillis, minFlushMillis + subscribers.size * flushMillisPerBrowser)
    flushTimer = setTimeout(flush, Math.max(0, flushedAt + gap - performance.now()))
  }

  function flush(): void {
    clearTimeout(flushTimer)
    flushTimer = undefined
    flushedAt = performance.now()
    for (const subscriber of subscribers.keys()) subscriber.flush()
  }

  async function replay(subscriber: Subscriber, since: string | undefined): Promise<void> {
    if (since === undefined) return
    const from = parsePosition(since, feed.position.length)
    if (!from) {
      subscriber.send({
        type: 'error',
        code: 'bad-position',
        message: '`since` is no position of ours; going on from now',
      })
      return
    }
    subscriber.beginReplay()
    try {
      const unconfirmed = feed.unconfirmed()
      const { items, gaps, position } = await readReplay({
        buses,
        keys,
        since: from,
        toItem,
        matches: (item) => subscriber.matches(item),
        nowMicros: nowMicros(),
      })
      for (const gap of gaps) subscriber.miss(gap.fromMicros, gap.toMicros, 0, gap.reason)
      const ids = new Set(items.map(({ item }) => item.row.id))
      for (const item of unconfirmed)
        if (subscriber.matches(item) && !ids.has(item.row.id)) items.push({ item, position })
      items.sort((a, b) => a.item.atMicros - b.item.atMicros)
      subscriber.endReplay(withSafePositions(items, from, position))
      afterReplay.set(subscriber, position)
    } catch (error) {
      logger.debug({ reason: error instanceof Error ? error.message : '' }, 'a replay failed')
      const reason = 'the bus does not answer, so what came since cannot be sent'
      subscriber.miss(Math.min(...from.map(idMillis)) * 1000, nowMicros(), 0, reason)
      subscriber.endReplay([])
    }
  }

  const newsChannel = keys.own('api', 'call-news')
  subscribeRedis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
    if (String(channel) !== newsChannel || subscribers.size === 0) return
    const news = parseCallNews(message)
    if (!news) return
    const shared = toSharedNews(news)
    for (const subscriber of subscribers.keys()) subscriber.offerCalls(shared)
  })
  const followNews = () => void subscribeRedis.subscribe(newsChannel).catch(() => {})
  subscribeRedis.on('ready', followNews)
  if (subscribeRedis.status === 'ready') followNews()

  const timers = [
    setInterval(() => {
      for (const subscriber of subscribers.keys()) subscriber.flushCalls()
    }, callUpdateMillis),
    // Also what had to wait for a slow socket, a pause or a replay.
    setInterval(() => {
      flush()
      for (const [subscriber, position] of afterReplay) {
        if (!isAtOrBehind(position, feed.position)) continue
        subscriber.forgetReplay()
        afterReplay.delete(subscriber)
      }
    }, flushMillis),
    setInterval(() => {
      if (updatedCalls.size === 0) return
      const callIds = [...updatedCalls]
      updatedCalls = new Set()
      broadcast({ type: 'call:updated', callIds })
    }, callUpdateMillis),
    setInterval(() => {
      for (const [subscriber, socket] of subscribers) {
        if (subscriber.isAlive) {
          subscriber.isAlive = false
          socket.ping()
        } else socket.terminate()
      }
    }, pingMillis),
  ]

  function broadcast(frame: ServerFrame): void {
    const text = JSON.stringify(frame)
    for (const subscriber of subscribers.keys()) subscriber.sendText(text)
  }

  return {
    accept(socket) {
      if (subscribers.size >= maxSubscribers) return false
      const subscriber = new Subscriber(socket, feed.position, (self, since) => void replay(self, since))
      subscribers.set(subscriber, socket)
      socket.on('message', (data, isBinary) => {
        subscriber.isAlive = true
        if (isBinary) socket.close(1003, 'frames are text')
        else subscriber.receive(data.toString('utf8'))
      })
      socket.on('pong', () => (subscriber.isAlive = true))
      socket.on('error', () => socket.terminate())
      socket.on('close', () => {
        subscribers.delete(subscriber)
        afterReplay.delete(subscriber)
        gone.sent += subscriber.sent
        gone.skipped += subscriber.skipped
      })
      subscriber.send({
        type: 'hello',
        version: protocolVersion,
        position: formatPosition(feed.position),
        serverTime: toRfc3339(nowMicros()),
      })
      subscriber.send(status())
      return true
    },
    broadcast,
    get counters() {
      let { sent, skipped } = gone
      for (const subscriber of subscribers.keys()) {
        sent += subscriber.sent
        skipped += subscriber.skipped
      }
      return { subscribers: subscribers.size, ...feed.counters, sent, skipped }
    },
    async close() {
      timers.forEach((timer) => clearInterval(timer))
      clearTimeout(flushTimer)
      for (const socket of subscribers.values()) socket.close(1012, 'the service is restarting')
      await feed.close()
    },
  }
}

/** Rows of two streams in order of time: until the last is sent, a client that stops must start again from `from`. */
function withSafePositions(
  items: readonly { item: LiveItem }[],
  from: Position,
  end: Position,
): { item: LiveItem; position: Position }[] {
  return items.map(({ item }, index) => ({ item, position: index === items.length - 1 ? end : from }))
}
