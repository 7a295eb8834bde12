import type { MessageRow } from '@sip-capture/contract/rest/message.ts'
import { sourceRank } from '../format/source.ts'
import { toMicros } from '../format/time.ts'

/** One real message: a table row with all the sightings that sources made of it. */
export interface MessageEntry {
  readonly kind: 'message'
  readonly key: number
  /** The best sighting: what is shown. */
  row: MessageRow
  /** Every record, each from another source; none is thrown away. */
  readonly sightings: MessageRow[]
  atMicros: number
  /** Grows when a sighting joins, so that a drawn row knows it is stale. */
  revision: number
}

/** A stretch that this browser did not get: a row on the screen, not a silence. */
export interface GapEntry {
  readonly kind: 'gap'
  readonly key: number
  /** Where it stands in the table: the end of the stretch. */
  readonly atMicros: number
  readonly from: string
  readonly to: string
  readonly missed: number
  readonly reason: string
  state: 'open' | 'filling' | 'filled' | 'failed'
  filled: number
  problem: string
  revision: number
}

export type Entry = MessageEntry | GapEntry

/** How far apart two sources may stamp the same message. */
const sightingWindowMicros = 5_000_000

/** Entries of one sighting key that may still find a twin: identical garbage by the thousand must not cost a search each. */
const maxTwins = 64

/**
 * The rows the browser holds, oldest first, at most `capacity`. Invariants: an id is held once, whatever arrives again
 * after a resume or a reconnect; entries are ordered by time; what was let go is counted in `letGo`.
 */
export class RowStore {
  readonly entries: Entry[] = []
  letGo = 0
  readonly capacity: number
  readonly #ids = new Set<string>()
  readonly #bySighting = new Map<string, MessageEntry[]>()
  #nextKey = 1

  constructor(capacity: number) {
    this.capacity = capacity
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** Adds what is not held yet; answers how many ids were new. */
  add(rows: readonly MessageRow[]): number {
    let added = 0
    for (const row of rows) {
      if (this.#ids.has(row.id)) continue
      this.#ids.add(row.id)
      added += 1
      const atMicros = toMicros(row.at)
      const twin = this.#findTwin(row, atMicros)
      if (twin) this.#join(twin, row, atMicros)
      else this.#insertMessage(row, atMicros)
    }
    this.#trim()
    return added
  }

  addGap(gap: { from: string; to: string; missed: number; reason: string }): GapEntry {
    const entry: GapEntry = {
      kind: 'gap',
      key: this.#nextKey++,
      atMicros: toMicros(gap.to),
      ...gap,
      state: 'open',
      filled: 0,
      problem: '',
      revision: 0,
    }
    this.#insert(entry)
    this.#trim()
    return entry
  }

  remove(entry: Entry): void {
    const index = this.#indexOf(entry)
    if (index < 0) return
    this.entries.splice(index, 1)
    this.#forget(entry)
  }

  clear(): void {
    this.entries.length = 0
    this.#ids.clear()
    this.#bySighting.clear()
    this.letGo = 0
  }

  /** The n-th sighting of one source pairs with the n-th of another: the earliest entry that lacks this source. */
  #findTwin(row: MessageRow, atMicros: number): MessageEntry | undefined {
    if (row.sightingKey === '') return undefined
    return this.#bySighting.get(row.sightingKey)?.find((entry) => {
      const reach = sightingWindowMicros + row.precisionMicros + entry.row.precisionMicros
      return (
        Math.abs(entry.atMicros - atMicros) <= reach &&
        // The key is a hash that a hostile sender may collide.
        entry.row.callId === row.callId &&
        entry.row.capture === row.capture &&
        entry.sightings.every((sighting) => sighting.source !== row.source)
      )
    })
  }

  #join(entry: MessageEntry, row: MessageRow, atMicros: number): void {
    entry.sightings.push(row)
    entry.sightings.sort((a, b) => sourceRank[a.source] - sourceRank[b.source])
    entry.revision += 1
    if (entry.sightings[0] !== row) return
    const index = this.#indexOf(entry)
    entry.row = row
    if (entry.atMicros === atMicros) return
    if (index >= 0) this.entries.splice(index, 1)
    entry.atMicros = atMicros
    this.#insert(entry)
  }

  #insertMessage(row: MessageRow, atMicros: number): void {
    const entry: MessageEntry = {
      kind: 'message',
      key: this.#nextKey++,
      row,
      sightings: [row],
      atMicros,
      revision: 0,
    }
    this.#insert(entry)
    if (row.sightingKey === '') return
    const same = this.#bySighting.get(row.sightingKey)
    if (same) {
      same.push(entry)
      if (same.length > maxTwins) same.shift()
    } else this.#bySighting.set(row.sightingKey, [entry])
  }

  #insert(entry: Entry): void {
    const last = this.entries.at(-1)
    if (!last || last.atMicros <= entry.atMicros) this.entries.push(entry)
    else this.entries.splice(this.#firstAfter(entry.atMicros), 0, entry)
  }

  /** Index of the first entry later than `atMicros`. */
  #firstAfter(atMicros: number): number {
    let low = 0
    let high = this.entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.entries[middle]?.atMicros ?? 0) <= atMicros) low = middle + 1
      else high = middle
    }
    return low
  }

  #indexOf(entry: Entry): number {
    for (let index = this.#firstAfter(entry.atMicros) - 1; index >= 0; index -= 1) {
      const candidate = this.entries[index]
      if (candidate === entry) return index
      if (!candidate || candidate.atMicros < entry.atMicros) return -1
    }
    return -1
  }

  #trim(): void {
    const excess = this.entries.length - this.capacity
    if (excess <= 0) return
    for (const entry of this.entries.splice(0, excess)) this.#forget(entry)
    this.letGo += excess
  }

  #forget(entry: Entry): void {
    if (entry.kind === 'gap') return
    for (const sighting of entry.sightings) this.#ids.delete(sighting.id)
    const key = entry.row.sightingKey
    const rest = this.#bySighting.get(key)?.filter((other) => other !== entry)
    if (rest === undefined || rest.length === 0) this.#bySighting.delete(key)
    else this.#bySighting.set(key, rest)
  }
}
