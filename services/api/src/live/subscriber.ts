import { followCalls } from '@sip-capture/contract/live-calls.ts'
import { clientFrame, type ServerFrame } from '@sip-capture/contract/live.ts'
import type { MessageFilter } from '@sip-capture/contract/rest/message.ts'
import { SearchError } from '@sip-capture/contract/search/query.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { z } from 'zod'
import { CallFollower, type SharedNews } from './call-follower.ts'
import { compileCallMatch } from './call-match.ts'
import type { LiveItem } from './live-item.ts'
import { compileMatch, type Match } from './message-match.ts'
import { formatPosition, type Position } from './position.ts'

/** What a subscriber needs of a WebSocket. */
export interface LiveSocket {
  readonly bufferedAmount: number
  send(text: string): void
  close(code: number, reason: string): void
  terminate(): void
}

export const maxRowsAFrame = 250
const maxFrameBytes = 1024 * 1024
/** Rows that wait for one slow or paused browser. */
const maxQueue = 5_000
/** More unsent bytes than this: rows are left out and said to be missing. */
const skipBytes = 4 * 1024 * 1024
/** More than this: the browser is gone or stopped. `close()` would wait for it; `terminate()` frees the memory. */
const terminateBytes = 16 * 1024 * 1024
const maxBadFrames = 20

interface Queued {
  readonly item: LiveItem
  readonly position: Position
}

interface Missed {
  fromMicros: number
  toMicros: number
  count: number
  readonly reason: string
}

/**
 * One browser: its filter, its bounded queue, what it missed. Invariant: a row that passed the filter is sent, is queued,
 * or is counted in a `gap`; and a frame's position never lies ahead of a row that was not sent.
 */
export class Subscriber {
  readonly #socket: LiveSocket
  readonly #onSubscribe: (subscriber: Subscriber, since: string | undefined) => void
  #matches: Match | undefined
  #calls: CallFollower | undefined
  #queue: Queued[] = []
  #missed: Missed | undefined
  #position: Position
  #isPaused = false
  /** While a replay is read, live rows wait: they come behind it. */
  #isReplaying = false
  /** Ids that a replay brought and live may bring again. */
  #replayed = new Set<string>()
  #badFrames = 0
  isAlive = true
  sent = 0
  skipped = 0

  constructor(
    socket: LiveSocket,
    position: Position,
    onSubscribe: (subscriber: Subscriber, since: string | undefined) => void,
  ) {
    this.#socket = socket
    this.#position = position
    this.#onSubscribe = onSubscribe
  }

  get isSubscribed(): boolean {
    return this.#matches !== undefined
  }

  get isFull(): boolean {
    return this.#queue.length >= maxRowsAFrame
  }

  matches(item: LiveItem): boolean {
    return this.#matches?.(item) ?? false
  }

  /** Never throws, never waits. */
  offer(item: LiveItem, position: Position): void {
    if (!this.matches(item) || this.#replayed.has(item.row.id)) return
    if (this.#queue.length >= maxQueue) this.#skipQueue('the browser did not take rows fast enough')
    this.#queue.push({ item, position })
  }

  offerCalls(news: SharedNews): void {
    this.#calls?.offer(news)
  }

  /** Sends what is new in the call log; while the connection is full it waits, each call once. A pause is of messages. */
  flushCalls(): void {
    while (this.#socket.bufferedAmount <= skipBytes) {
      const frame = this.#calls?.takeFrame()
      if (frame === undefined) return
      this.sendText(frame)
    }
  }

  send(frame: ServerFrame): void {
    this.sendText(JSON.stringify(frame))
  }

  sendText(text: string): void {
    if (this.#socket.bufferedAmount > terminateBytes) {
      this.#socket.terminate()
      return
    }
    this.#socket.send(text)
  }

  /** Sends what waits, as far as the connection takes it. Called by one clock for all. */
  flush(): void {
    if (this.#isPaused || this.#isReplaying) return
    if (this.#socket.bufferedAmount > skipBytes) {
      if (this.#queue.length > 0) this.#skipQueue('the connection is too slow')
      if (this.#socket.bufferedAmount > terminateBytes) this.#socket.terminate()
      return
    }
    this.#sendMissed()
    while (this.#queue.length > 0 && this.#socket.bufferedAmount <= skipBytes) this.#sendSome()
  }

  #sendSome(): void {
    let bytes = 0
    let count = 0
    while (count < this.#queue.length && count < maxRowsAFrame && bytes < maxFrameBytes)
      bytes += this.#queue[count++]?.item.json.length ?? 0
    const some = this.#queue.splice(0, count)
    const last = some.at(-1)
    if (!last) return
    const traffic = some.filter(({ item }) => item.kind === 'traffic')
    const capture = some.filter(({ item }) => item.kind === 'capture')
    // Two frames: only behind the second is everything sent that the new position covers.
    if (traffic.length > 0 && capture.length > 0) this.#sendRows('sip:traffic', traffic)
    this.#position = last.position
    if (capture.length > 0) this.#sendRows('sip:capture-packet', capture)
    else this.#sendRows('sip:traffic', traffic)
  }

  #sendRows(type: 'sip:traffic' | 'sip:capture-packet', rows: readonly Queued[]): void {
    const items = rows.map(({ item }) => item.json).join(',')
    this.sent += rows.length
    this.sendText(`{"type":"${type}","items":[${items}],"position":"${formatPosition(this.#position)}"}`)
  }

  /** Counts a stretch as not sent: told before the next rows. */
  miss(fromMicros: number, toMicros: number, count: number, reason: string): void {
    this.skipped += count
    if (this.#missed && this.#missed.reason !== reason) this.#sendMissed()
    this.#missed ??= { fromMicros, toMicros, count: 0, reason }
    this.#missed.fromMicros = Math.min(this.#missed.fromMicros, fromMicros)
    this.#missed.toMicros = Math.max(this.#missed.toMicros, toMicros)
    this.#missed.count += count
  }

  #skipQueue(reason: string): void {
    const times = this.#queue.map(({ item }) => item.atMicros)
    const last = this.#queue.at(-1)
    // `to` is exclusive over REST.
    const to = times.reduce((a, b) => Math.max(a, b), 0) + 1
    const from = times.reduce((a, b) => Math.min(a, b), to)
    this.miss(from, to, times.length, reason)
    if (last) this.#position = last.position
    this.#queue = []
  }

  #sendMissed(): void {
    const missed = this.#missed
    if (!missed) return
    this.#missed = undefined
    this.send({
      type: 'gap',
      from: toRfc3339(Math.max(0, missed.fromMicros)),
      to: toRfc3339(missed.toMicros),
      missed: missed.count,
      reason: missed.reason,
    })
  }

  /** Holds live rows back until `endReplay`. */
  beginReplay(): void {
    this.#isReplaying = true
  }

  /** The replay first, then what came live meanwhile, each row once. */
  endReplay(replayed: readonly Queued[]): void {
    this.#replayed = new Set(replayed.map(({ item }) => item.row.id))
    const live = this.#queue.filter(({ item }) => !this.#replayed.has(item.row.id))
    this.#queue = [...replayed, ...live]
    this.#isReplaying = false
  }

  /** The feed has passed what was replayed: live rows cannot repeat it any more. */
  forgetReplay(): void {
    if (this.#replayed.size > 0) this.#replayed = new Set()
  }

  receive(text: string): void {
    const frame = parseFrame(text)
    if ('problem' in frame) {
      this.#badFrames += 1
      this.send({ type: 'error', code: 'bad-frame', message: frame.problem })
      if (this.#badFrames >= maxBadFrames)
        this.#socket.close(1008, 'too many frames that are not in the protocol')
      return
    }
    switch (frame.type) {
      case 'subscribe':
        this.#answerSearch(() => this.#subscribe(frame.filter, frame.since))
        break
      case 'follow-calls':
        this.#answerSearch(() => {
          this.#calls = frame.filter === null ? undefined : new CallFollower(compileCallMatch(frame.filter))
        })
        break
      case 'pause':
        this.#isPaused = true
        break
      case 'resume':
        this.#isPaused = false
        break
      case 'ping':
        this.send({ type: 'pong', ...(frame.id === undefined ? {} : { id: frame.id }) })
        break
    }
  }

  /** A search that cannot be read changes nothing. */
  #answerSearch(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof SearchError)) throw error
      const { message, at } = error.problem
      this.send({ type: 'error', code: 'bad-query', message: `q: ${message} (character ${at + 1})` })
    }
  }

  #subscribe(filter: MessageFilter, since: string | undefined): void {
    this.#matches = compileMatch(filter)
    this.#queue = []
    this.#missed = undefined
    this.#isPaused = false
    this.#onSubscribe(this, since)
  }
}

const anyFrame = z.discriminatedUnion('type', [...clientFrame.options, followCalls])

function parseFrame(text: string): z.output<typeof anyFrame> | { problem: string } {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { problem: 'a frame must be JSON' }
  }
  const parsed = anyFrame.safeParse(json)
  return parsed.success ? parsed.data : { problem: z.prettifyError(parsed.error).slice(0, 1000) }
}
