import { computed, effect, signal, untracked } from '@preact/signals'
import type { ServerFrame } from '@sip-capture/contract/live.ts'
import { messageRow, type MessageRow } from '@sip-capture/contract/rest/message.ts'
import { page } from '@sip-capture/contract/rest/page.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import { toMicros } from '../format/time.ts'
import { countText } from '../format/number.ts'
import { getJson } from './api-client.ts'
import { attributes } from './attributes.ts'
import { behindFrame } from './behind-frame.ts'
import {
  type CaptureFilter,
  emptyFilter,
  noiseMethods,
  readFilter,
  serverKey,
  toLiveFilter,
  toQuery,
  writeFilter,
} from './capture-filter.ts'
import type { LiveFeed } from './live-feed.ts'
import { navigate, pageLocation } from './location.ts'
import { type Entry, type GapEntry, type MessageEntry, RowStore } from './row-store.ts'

export const storeCapacity = 100_000
const rowPage = page(messageRow)
const historyPageRows = 200
const fillPageRows = 1000
const maxFillPages = 20
const flushMillis = 50
/** After a draw that replaced all that a window shows: nobody reads faster, and each such draw costs a frame or two. */
const floodFlushMillis = 200
const floodRows = 40
const sortedFlushMillis = 1000
/** History has a row this much after it came, at most: asked again then, so that none falls between the first answer and the feed. */
const historyLagMillis = 2500

export interface SortOrder {
  /** Id of an attribute. */
  readonly by: string
  readonly descending: boolean
}

export interface Shown {
  readonly entries: readonly Entry[]
  readonly hiddenNoise: number
  readonly version: number
}

/** State of the table: what is held, what is shown, and what waits. The view sees only the signals. */
export class CaptureModel {
  /** Of the capture page's address; other pages leave it as it was, so that the feed goes on and they can use it. */
  readonly filter = computed<CaptureFilter>(() => {
    const { path, params } = pageLocation.value
    if (path === '/capture' || path === '/') this.#filter = readFilter(params)
    return this.#filter
  })
  #filter: CaptureFilter = emptyFilter
  readonly paused = signal(false)
  /** Rows that came while paused. */
  readonly pending = signal(0)
  /** Grows with every change of `store`: the view's clock. */
  readonly version = signal(0)
  readonly loading = signal(false)
  readonly problem = signal<string | null>(null)
  /** The search of the address cannot be read. Nothing is shown then: what comes is still of the search before. */
  readonly unreadable = signal(false)
  /** Opaque position of the next page of history; `null`: no more. */
  readonly nextCursor = signal<string | null>(null)
  readonly marked = signal<readonly MessageEntry[]>([])
  readonly activeKey = signal<number | null>(null)
  readonly store: RowStore
  readonly #feed: LiveFeed
  #queue: MessageRow[] = []
  #gaps: Extract<ServerFrame, { type: 'gap' }>[] = []
  #queueLetGo = 0
  /** The last draw: its rows, and when it was. */
  #flushedRows = 0
  #flushedAt = -Infinity
  #flushTimer: ReturnType<typeof setTimeout> | undefined
  /** History was asked before the feed was there: what came between is still to be had. */
  #catchUpIsDue = false
  #catchUpTimer: ReturnType<typeof setTimeout> | undefined
  /** The newest row of the first answer of the history, epoch microseconds; 0: it held none; `null`: there was none. */
  #reachedMicros: number | null = null
  #abort: AbortController | undefined
  #disposeEffects: readonly (() => void)[] = []

  constructor(feed: LiveFeed, capacity: number = storeCapacity) {
    this.#feed = feed
    this.store = new RowStore(capacity)
  }

  readonly sort = signal<SortOrder>({ by: 'time', descending: true })

  /** Entries of the view in ascending order: all, or without OPTIONS and REGISTER. */
  readonly shown = computed<Shown>(() => {
    const version = this.version.value
    const all = this.store.entries
    const { by } = this.sort.value
    const kept = this.filter.value.hideNoise
      ? all.filter((entry) => entry.kind === 'gap' || !noiseMethods.has(entry.row.method))
      : all
    const entries = by === 'time' ? kept : sortEntries(kept, by)
    return { entries, hiddenNoise: all.length - kept.length, version }
  })

  readonly #askedFor = computed(() => serverKey(this.filter.value))

  start(): void {
    this.#disposeEffects = [
      effect(() => {
        void this.#askedFor.value
        untracked(() => this.#restart())
      }),
      effect(() => {
        if (this.#feed.subscribed.value) untracked(() => this.#catchUpLater())
      }),
    ]
  }

  stop(): void {
    for (const dispose of this.#disposeEffects) dispose()
    clearTimeout(this.#flushTimer)
    clearTimeout(this.#catchUpTimer)
    this.#abort?.abort()
  }

  setFilter(filter: CaptureFilter): void {
    const { path, params } = pageLocation.peek()
    navigate(path, writeFilter(filter, params), 'replace')
  }

  /** Asks everything anew, for example with a new token. */
  restart(): void {
    this.#restart()
  }

  onFrame(frame: ServerFrame): void {
    if (frame.type === 'sip:traffic' || frame.type === 'sip:capture-packet') {
      if (this.filter.peek().mode === 'history' || this.unreadable.peek()) return
      this.#enqueue(frame.items)
    } else if (frame.type === 'gap') {
      if (this.filter.peek().mode === 'history' || this.unreadable.peek()) return
      this.#gaps.push(frame)
      this.#scheduleFlush()
    } else if (frame.type === 'error') {
      if (frame.code === 'bad-query') this.#refuse()
      else this.problem.value = frame.message
    }
  }

  #refuse(): void {
    this.unreadable.value = true
    this.clear()
  }

  togglePause(): void {
    this.paused.value = !this.paused.peek()
    if (!this.paused.peek()) this.#flush()
  }

  toggleSort(by: string): void {
    const { by: before, descending } = this.sort.peek()
    this.sort.value = { by, descending: before === by ? !descending : by === 'time' }
  }

  /** Forgets what is shown and what waits; the feed goes on. */
  clear(): void {
    this.#catchUpIsDue = false
    clearTimeout(this.#catchUpTimer)
    this.store.clear()
    this.#queue = []
    this.#gaps = []
    this.#queueLetGo = 0
    this.pending.value = 0
    this.marked.value = []
    this.version.value += 1
  }

  /** Rows that left the bounded store (or the bounded queue of a pause). */
  get letGo(): number {
    return this.store.letGo + this.#queueLetGo
  }

  toggleMark(entry: MessageEntry): void {
    const others = this.marked.peek().filter((other) => other !== entry)
    this.marked.value = others.length < this.marked.peek().length ? others : [...others, entry].slice(-2)
  }

  async loadOlder(): Promise<void> {
    const cursor = this.nextCursor.peek()
    if (cursor === null || this.loading.peek()) return
    if (this.store.entries.length >= this.store.capacity) {
      this.problem.value = `The page holds ${countText(this.store.capacity)} rows; choose a shorter time range to see older ones.`
      return
    }
    await this.#loadPage(cursor)
  }

  /** Fetches what a gap left out, with the same filter, until it is complete or a bound is met. */
  async fillGap(gap: GapEntry): Promise<void> {
    if (gap.state === 'filling') return
    const update = (change: Partial<Pick<GapEntry, 'state' | 'filled' | 'problem'>>) => {
      Object.assign(gap, change)
      gap.revision += 1
      this.version.value += 1
    }
    update({ state: 'filling', problem: '' })
    let cursor: string | null = null
    for (let pages = 0; pages < maxFillPages; pages += 1) {
      const range = { since: gap.from, until: gap.to, order: 'asc', limit: String(fillPageRows) }
      const answer = await this.#askPage(cursor, range)
      if (!answer.ok) return update({ state: 'failed', problem: answer.problem.message })
      const added = this.store.add(answer.value.items)
      update({ filled: gap.filled + added })
      cursor = answer.value.nextCursor
      if (cursor === null) return update({ state: 'filled' })
    }
    update({
      state: 'failed',
      problem: `more than ${countText(maxFillPages * fillPageRows)} rows: use history with this time range`,
    })
  }

  #restart(): void {
    this.#abort?.abort()
    this.#abort = new AbortController()
    this.clear()
    this.#reachedMicros = null
    this.problem.value = null
    this.unreadable.value = false
    this.nextCursor.value = null
    this.loading.value = false
    const filter = this.filter.peek()
    if (filter.mode === 'history') {
      this.#feed.setPaused(true)
      this.paused.value = false
      void this.#loadPage(null)
      return
    }
    this.#catchUpIsDue = true
    this.#feed.subscribe(toLiveFilter(filter))
    this.#feed.setPaused(false)
    void this.#loadPage(null)
  }

  async #loadPage(cursor: string | null): Promise<void> {
    this.loading.value = true
    const controller = this.#abort
    const answer = await this.#askPage(cursor, { limit: String(historyPageRows) })
    if (controller !== this.#abort) return
    this.loading.value = false
    if (!answer.ok) {
      if (answer.problem.isSearch === true) this.#refuse()
      else if (answer.problem.kind !== 'aborted') this.problem.value = answer.problem.message
      return
    }
    this.problem.value = null
    this.nextCursor.value = answer.value.nextCursor
    const [newest] = answer.value.items
    this.#reachedMicros ??= newest === undefined ? 0 : toMicros(newest.at)
    this.#take(answer.value.items)
  }

  #catchUpLater(): void {
    if (!this.#catchUpIsDue) return
    clearTimeout(this.#catchUpTimer)
    this.#catchUpTimer = setTimeout(() => {
      this.#catchUpIsDue = false
      void this.#catchUp()
    }, historyLagMillis)
  }

  /** What came between the first answer and the feed, newest first; what cannot be had is a gap in the table. */
  async #catchUp(): Promise<void> {
    const reached = this.#reachedMicros
    if (reached === null) return this.#loadPage(null)
    const controller = this.#abort
    const since = toRfc3339(Math.max(0, reached - historyLagMillis * 1000))
    let cursor: string | null = null
    let oldest: string | undefined
    for (let pages = 0; pages < maxFillPages; pages += 1) {
      const answer = await this.#askPage(cursor, { since, limit: String(fillPageRows) })
      if (controller !== this.#abort) return
      if (!answer.ok) {
        this.problem.value = answer.problem.message
        break
      }
      this.#take(answer.value.items)
      oldest = answer.value.items.at(-1)?.at
      cursor = answer.value.nextCursor
      if (cursor === null) return
    }
    if (reached === 0) this.nextCursor.value = cursor
    else this.#missed(since, oldest ?? toRfc3339(nowMicros()))
  }

  #missed(from: string, to: string): void {
    this.#gaps.push({ type: 'gap', from, to, missed: 0, reason: 'they came before this page was connected' })
    this.#scheduleFlush()
  }

  #askPage(cursor: string | null, words: Readonly<Record<string, string>>) {
    const query = toQuery(this.filter.peek())
    for (const [name, value] of Object.entries(words)) query.set(name, value)
    if (cursor !== null) query.set('cursor', cursor)
    return getJson(`/messages?${query}`, rowPage, this.#abort?.signal)
  }

  /** Rows from REST: a pause holds them back like live ones. */
  #take(rows: readonly MessageRow[]): void {
    if (this.paused.peek()) this.#enqueue(rows)
    else if (this.store.add(rows) > 0 || rows.length === 0) this.version.value += 1
  }

  #enqueue(rows: readonly MessageRow[]): void {
    this.#queue.push(...rows)
    const excess = this.#queue.length - this.store.capacity
    if (excess > 0) {
      this.#queue.splice(0, excess)
      this.#queueLetGo += excess
    }
    this.#scheduleFlush()
  }

  #scheduleFlush(): void {
    this.#flushTimer ??= setTimeout(() => {
      behindFrame(() => {
        this.#flushTimer = undefined
        this.#flush()
      })
    }, this.#flushDelay())
  }

  #flushDelay(): number {
    if (this.sort.peek().by !== 'time') return sortedFlushMillis
    const pause = this.#flushedRows < floodRows ? flushMillis : floodFlushMillis
    return Math.max(0, this.#flushedAt + pause - performance.now())
  }

  /** One clock for all changes of the table: twenty draws a second at most, and fewer in a flood or where sorting costs more. */
  #flush(): void {
    this.#flushedAt = performance.now()
    if (this.paused.peek()) {
      // Counted by id, so that what the table already shows (a replay) is not "new".
      const fresh = new Set<string>()
      for (const row of this.#queue) if (!this.store.has(row.id)) fresh.add(row.id)
      this.pending.value = fresh.size
      return
    }
    const rows = this.#queue
    const gaps = this.#gaps
    this.#queue = []
    this.#gaps = []
    this.pending.value = 0
    this.#flushedRows = rows.length
    if (rows.length === 0 && gaps.length === 0) return
    this.store.add(rows)
    for (const gap of gaps) this.store.addGap(gap)
    this.version.value += 1
  }
}

/** Gaps have no attributes: they stay at the end. */
function sortEntries(entries: readonly Entry[], by: string): Entry[] {
  const order = attributes.find((attribute) => attribute.id === by)?.order
  if (order === undefined) return [...entries]
  const keyed = entries.map((entry) => ({ entry, key: entry.kind === 'gap' ? null : order(entry.row) }))
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return a.key === b.key ? 0 : a.key === null ? -1 : 1
    return a.key < b.key ? -1 : a.key > b.key ? 1 : a.entry.atMicros - b.entry.atMicros
  })
  return keyed.map(({ entry }) => entry)
}
