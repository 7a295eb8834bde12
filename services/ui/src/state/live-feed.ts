import { signal } from '@preact/signals'
import { fits } from '@sip-capture/contract/fits.ts'
import { type ClientFrame, type ServerFrame, serverFrame } from '@sip-capture/contract/live.ts'
import type { FollowCalls } from '@sip-capture/contract/live-calls.ts'
import { accessToken, socketProtocols } from './access.ts'
import type { LiveFilter } from './capture-filter.ts'

/** `connecting`: never open yet. `lost`: was open, or failed at least once. */
export type LinkState = 'connecting' | 'open' | 'lost'

export interface LiveFeedOptions {
  readonly url: string
  onFrame(frame: ServerFrame): void
  /** A connection ended before the API greeted: asks over REST why, since a browser is not told the status. */
  onRefused(): void
  /** Pauses between attempts, milliseconds. */
  readonly firstPauseMillis?: number
}

const maxPauseMillis = 10_000
const pingMillis = 15_000
const silentMillis = 35_000

/**
 * The WebSocket to the API. Reconnects for ever with growing, jittered pauses and resumes behind the last position it
 * saw, so that a restart of the API leaves no hole; what the server sends twice is the store's to drop.
 */
export class LiveFeed {
  readonly link = signal<LinkState>('connecting')
  /** The API has taken what was asked for last: rows that come from here on come over this connection. */
  readonly subscribed = signal(false)
  /** Frames that did not match the contract: another version of the API, or somebody else's server. */
  readonly unreadable = signal(0)
  readonly #options: LiveFeedOptions
  #socket: WebSocket | undefined
  #filter: LiveFilter = {}
  #position: string | undefined
  #paused = false
  /** Calls that a page follows; null: none does. */
  #followed: FollowCalls['filter'] = null
  readonly #watchers = new Set<(frame: ServerFrame) => void>()
  /** The ping behind the newest subscription. */
  #turn = 0
  /** Until its pong comes, rows on their way were chosen by the filter before. */
  #barred = false
  #failures = 0
  #greeted = false
  #stopped = true
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #pingTimer: ReturnType<typeof setInterval> | undefined
  #heardAt = 0

  constructor(options: LiveFeedOptions) {
    this.#options = options
  }

  start(): void {
    if (!this.#stopped) return
    this.#stopped = false
    this.#connect()
    this.#pingTimer = setInterval(() => this.#checkAlive(), pingMillis)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#retryTimer)
    clearInterval(this.#pingTimer)
    this.#socket?.close(1000)
    this.#socket = undefined
  }

  /** Connects now, for example with a new token. */
  reconnect(): void {
    if (this.#stopped) return
    clearTimeout(this.#retryTimer)
    const old = this.#socket
    this.#socket = undefined
    old?.close(1000)
    this.#failures = 0
    this.#connect()
  }

  subscribe(filter: LiveFilter): void {
    this.#filter = filter
    this.#ask({})
    this.#barred = this.#socket?.readyState === WebSocket.OPEN
  }

  /** Every frame, for a part of the page that is not always there. Answers what ends it. */
  watch(onFrame: (frame: ServerFrame) => void): () => void {
    this.#watchers.add(onFrame)
    return () => this.#watchers.delete(onFrame)
  }

  /** Rows of the call log that match come in `call:updated`, also after a reconnect; null ends it. */
  followCalls(filter: FollowCalls['filter']): void {
    this.#followed = filter
    this.#send({ type: 'follow-calls', filter })
  }

  /** While paused the server sends no rows: for the history view, which shows none. */
  setPaused(paused: boolean): void {
    if (paused === this.#paused) return
    this.#paused = paused
    this.#send({ type: paused ? 'pause' : 'resume' })
  }

  #connect(): void {
    const socket = new WebSocket(this.#options.url, socketProtocols(accessToken.peek()))
    this.#socket = socket
    this.#greeted = false
    this.#barred = false
    this.subscribed.value = false
    this.#heardAt = Date.now()
    socket.addEventListener('open', () => {
      if (socket !== this.#socket) return
      const since = this.#position
      this.#ask(since === undefined ? {} : { since })
      if (this.#followed !== null) this.#send({ type: 'follow-calls', filter: this.#followed })
    })
    socket.addEventListener('message', (event: MessageEvent<unknown>) => {
      if (socket === this.#socket) this.#read(event.data)
    })
    socket.addEventListener('close', () => {
      if (socket === this.#socket) this.#retry()
    })
  }

  #read(data: unknown): void {
    this.#heardAt = Date.now()
    const frame = parseFrame(data)
    if (frame === undefined) {
      this.unreadable.value += 1
      return
    }
    if (frame.type === 'hello') {
      this.#greeted = true
      this.#failures = 0
      this.#position ??= frame.position
      this.link.value = 'open'
    }
    if (frame.type === 'sip:traffic' || frame.type === 'sip:capture-packet') this.#position = frame.position
    if (frame.type === 'pong' && frame.id === this.#turnId) {
      this.#barred = false
      this.subscribed.value = true
    }
    if (this.#barred && isRows(frame)) return
    this.#options.onFrame(frame)
    for (const watch of this.#watchers) watch(frame)
  }

  get #turnId(): string {
    return `subscribe-${this.#turn}`
  }

  #ask(position: { since?: string }): void {
    this.subscribed.value = false
    this.#turn += 1
    this.#send({ type: 'subscribe', filter: this.#filter, ...position })
    if (this.#paused) this.#send({ type: 'pause' })
    this.#send({ type: 'ping', id: this.#turnId })
  }

  #retry(): void {
    this.#socket = undefined
    this.link.value = 'lost'
    if (this.#stopped) return
    if (!this.#greeted) this.#options.onRefused()
    const first = this.#options.firstPauseMillis ?? 500
    const pause = Math.min(maxPauseMillis, first * 2 ** this.#failures)
    this.#failures += 1
    this.#retryTimer = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() / 2))
  }

  /** A half-open connection never closes by itself: silence ends it. */
  #checkAlive(): void {
    const socket = this.#socket
    if (socket === undefined) return
    if (Date.now() - this.#heardAt > silentMillis) {
      socket.close()
      this.#retry()
    } else this.#send({ type: 'ping' })
  }

  #send(frame: ClientFrame | FollowCalls): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame))
  }
}

function parseFrame(data: unknown): ServerFrame | undefined {
  if (typeof data !== 'string') return undefined
  try {
    const frame: unknown = JSON.parse(data)
    if (fits(serverFrame, frame)) return frame
    const parsed = serverFrame.safeParse(frame)
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

function isRows(frame: ServerFrame): boolean {
  return frame.type === 'sip:traffic' || frame.type === 'sip:capture-packet' || frame.type === 'gap'
}
