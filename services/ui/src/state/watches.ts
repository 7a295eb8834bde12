import { computed, signal } from '@preact/signals'
import type { PinnedCalls, WatchMatch, WatchView } from '@sip-capture/contract/rest/watch.ts'
import { deleting } from './deferred-delete.ts'
import type { LiveFeed } from './live-feed.ts'
import { pinPath } from './pin-client.ts'
import { listMatches, listPinnedCalls, listWatches, watchPath } from './watch-client.ts'

const everyMillis = 15_000
/** News that come together are one question. */
const soonMillis = 300

/** What the page of watches shows: asked now and then, and when a match is told. */
export class WatchesModel {
  readonly problem = signal<string | null>(null)
  /** False until the first answer. */
  readonly loaded = signal(false)
  readonly matches = signal<readonly WatchMatch[]>([])
  readonly #watches = signal<readonly WatchView[]>([])
  readonly #pinned = signal<PinnedCalls>({ items: [], max: 0 })
  #asked = 0

  readonly watches = computed(() =>
    this.#watches.value.filter((one) => !deleting.value.has(watchPath(one.id))),
  )
  readonly pinned = computed(() => ({
    max: this.#pinned.value.max,
    items: this.#pinned.value.items.filter((one) => !deleting.value.has(pinPath(one))),
  }))

  /** Follows the API until the answer is called. */
  watch(feed: LiveFeed): () => void {
    let soon: ReturnType<typeof setTimeout> | undefined
    void this.load()
    const timer = setInterval(() => {
      if (!document.hidden) void this.load()
    }, everyMillis)
    const leave = feed.watch((frame) => {
      if (frame.type !== 'watch:matched') return
      soon ??= setTimeout(() => {
        soon = undefined
        void this.load()
      }, soonMillis)
    })
    return () => {
      leave()
      clearInterval(timer)
      clearTimeout(soon)
    }
  }

  async load(): Promise<void> {
    const asked = (this.#asked += 1)
    const [watches, matches, pinned] = await Promise.all([listWatches(), listMatches(), listPinnedCalls()])
    // An answer that was asked for before a change must not undo what a later one told.
    if (asked !== this.#asked) return
    if (watches.ok) this.#watches.value = watches.value.items
    if (matches.ok) this.matches.value = matches.value.items
    if (pinned.ok) this.#pinned.value = pinned.value
    const failed = [watches, matches, pinned].find((answer) => !answer.ok)
    this.problem.value = failed === undefined || failed.ok ? null : failed.problem.message
    this.loaded.value = true
  }
}
