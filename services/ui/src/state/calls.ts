import { computed, effect, signal, untracked } from '@preact/signals'
import type { ServerFrame } from '@sip-capture/contract/live.ts'
import { type CallRow, callRow } from '@sip-capture/contract/rest/call-log.ts'
import { page } from '@sip-capture/contract/rest/page.ts'
import { callTable } from '@sip-capture/contract/search/fields.ts'
import { parseSearch } from '@sip-capture/contract/search/parser.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { countText } from '../format/number.ts'
import { toMicros } from '../format/time.ts'
import { getJson } from './api-client.ts'
import {
  type CallsFilter,
  everyCall,
  isLive,
  readCallsFilter,
  toCallsQuery,
  toFollowed,
} from './calls-filter.ts'
import { CallsRows } from './calls-rows.ts'
import type { LiveFeed } from './live-feed.ts'
import { navigate, pageLocation } from './location.ts'

const capacity = 20_000
const pageRows = 200
const flushMillis = 100
/** Changes that wait while the table is paused. */
const maxWaiting = 20_000
const rowPage = page(callRow)

/** State of `/calls`: what the log says, kept up to date by `call:updated`, older pages by cursor. */
export class CallsModel {
  readonly filter = computed<CallsFilter>(() => {
    const { path, params } = pageLocation.value
    if (path === '/calls') this.#filter = readCallsFilter(params)
    return this.#filter
  })
  #filter = everyCall
  /** Grows with every change of `rows`: the view's clock. */
  readonly version = signal(0)
  readonly paused = signal(false)
  /** Calls that are new or changed and wait for the end of the pause. */
  readonly pending = signal(0)
  readonly loading = signal(false)
  /** The first page of this search is here: an empty table is then an empty log. */
  readonly settled = signal(false)
  readonly problem = signal<string | null>(null)
  readonly nextCursor = signal<string | null>(null)
  readonly activeId = signal<string | null>(null)
  readonly rows = new CallsRows(capacity)
  readonly #feed: LiveFeed
  /** What the feed said and is not shown yet; null: the call is gone, or no longer of the filter. */
  #waiting = new Map<string, CallRow | null>()
  #flushTimer: ReturnType<typeof setTimeout> | undefined
  #abort: AbortController | undefined
  /** The feed told more than is kept, or was away: what is shown must be asked anew. */
  #isStale = false

  constructor(feed: LiveFeed) {
    this.#feed = feed
  }

  readonly #askedFor = computed(() => toCallsQuery(this.filter.value).toString())

  /** Follows the log until the answer is called. */
  start(): () => void {
    const unwatch = this.#feed.watch((frame) => this.#onFrame(frame))
    const dispose = effect(() => {
      void this.#askedFor.value
      untracked(() => this.#restart())
    })
    return () => {
      dispose()
      unwatch()
      clearTimeout(this.#flushTimer)
      this.#flushTimer = undefined
      this.#abort?.abort()
      this.#feed.followCalls(null)
    }
  }

  setFilter(filter: CallsFilter, how: 'push' | 'replace' = 'push'): void {
    const { params } = pageLocation.peek()
    const next = new URLSearchParams(params)
    for (const name of ['q', 'since', 'until', 'capture']) next.delete(name)
    for (const [name, value] of toCallsQuery(filter)) next.set(name, value)
    navigate('/calls', next, how)
  }

  /** Asks for another search. One that cannot be read is not asked: the search bar says what is wrong with it. */
  #restart(): void {
    this.rows.clear()
    this.paused.value = false
    this.settled.value = false
    this.nextCursor.value = null
    this.version.value += 1
    this.#reload()
  }

  /** Asks anew. What is shown stays until the answer is here, in a pause until it is over. */
  #reload(): void {
    this.#isStale = this.paused.peek()
    if (this.#isStale) return
    this.#abort?.abort()
    this.#abort = new AbortController()
    this.#waiting.clear()
    this.pending.value = 0
    this.problem.value = null
    this.loading.value = false
    const filter = this.filter.peek()
    const isReadable = parseSearch(filter.q, callTable, { nowMicros: nowMicros() }).ok
    // Followed first, so that no change falls between the page and the feed.
    this.#feed.followCalls(isReadable && isLive(filter) ? toFollowed(filter) : null)
    if (isReadable) void this.#loadPage(null)
  }

  async loadOlder(): Promise<void> {
    const cursor = this.nextCursor.peek()
    if (cursor === null || this.loading.peek()) return
    if (this.rows.items.length >= capacity) {
      this.problem.value = `The page holds ${countText(capacity)} calls; choose a shorter time range to see older ones.`
      return
    }
    await this.#loadPage(cursor)
  }

  retry(): void {
    this.#reload()
  }

  togglePause(): void {
    this.paused.value = !this.paused.peek()
    if (!this.paused.peek()) this.#flush()
  }

  async #loadPage(cursor: string | null): Promise<void> {
    const controller = this.#abort
    this.loading.value = true
    const query = toCallsQuery(this.filter.peek())
    query.set('limit', String(pageRows))
    if (cursor !== null) query.set('cursor', cursor)
    const answer = await getJson(`/calls?${query}`, rowPage, controller?.signal)
    if (controller !== this.#abort) return
    this.loading.value = false
    if (!answer.ok) {
      if (answer.problem.kind !== 'aborted') this.problem.value = answer.problem.message
      return
    }
    if (cursor === null) this.rows.clear()
    this.settled.value = true
    this.nextCursor.value = answer.value.nextCursor
    for (const row of answer.value.items) this.rows.set(row)
    this.version.value += 1
    // What was told meanwhile is newer than the page, and has waited for it.
    if (this.#waiting.size > 0) this.#scheduleFlush()
  }

  #onFrame(frame: ServerFrame): void {
    // Behind a connection that was lost, every row may have changed.
    if (frame.type === 'hello') this.#reload()
    if (frame.type !== 'call:updated' || !isLive(this.filter.peek())) return
    if ((frame.missed ?? 0) > 0) return this.#reload()
    for (const id of frame.removed ?? []) this.#hear(id, null)
    for (const item of frame.items ?? []) {
      const row = callRow.safeParse(item)
      if (row.success) this.#hear(row.data.id, row.data)
      else
        this.problem.value = 'The API sends calls that this page cannot read. Are both of the same version?'
    }
    this.#scheduleFlush()
  }

  #hear(id: string, row: CallRow | null): void {
    if (this.#waiting.size >= maxWaiting && !this.#waiting.has(id)) {
      this.#isStale = true
      return
    }
    this.#waiting.set(id, row)
  }

  #scheduleFlush(): void {
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = undefined
      this.#flush()
    }, flushMillis)
  }

  #flush(): void {
    if (this.paused.peek()) {
      this.pending.value = [...this.#waiting].filter(([id, row]) => row !== null || this.rows.has(id)).length
      return
    }
    if (this.#isStale) {
      this.#reload()
      return
    }
    // A page on its way is older than what is told now, and says how far back the table reaches.
    if (this.loading.peek()) return
    for (const [id, row] of this.#waiting) {
      if (row === null) this.rows.delete(id)
      else if (this.#isShown(row)) this.rows.set(row)
    }
    this.#waiting.clear()
    this.pending.value = 0
    this.version.value += 1
  }

  /** Not before the range, and not older than what was loaded: such a call comes with its page. */
  #isShown(row: CallRow): boolean {
    const { sinceMicros } = this.filter.peek()
    if (sinceMicros !== null && toMicros(row.startedAt) < sinceMicros) return false
    const { oldest } = this.rows
    return (
      this.nextCursor.peek() === null ||
      oldest === undefined ||
      this.rows.has(row.id) ||
      row.startedAt >= oldest.startedAt
    )
  }
}
