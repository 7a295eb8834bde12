import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'

/** RFC 3339 in UTC with six decimals sorts as text; two calls of one moment are ordered by id, as the API does. */
function isBefore(a: CallRow, b: CallRow): boolean {
  return a.startedAt === b.startedAt ? a.id < b.id : a.startedAt < b.startedAt
}

/** The calls that the page holds, newest first, at most `capacity`. Invariants: an id is held once, with what was last said
 *  of it; the order is that of `GET /calls`; what was let go is counted. */
export class CallsRows {
  readonly items: CallRow[] = []
  letGo = 0
  readonly capacity: number
  readonly #byId = new Map<string, CallRow>()

  constructor(capacity: number) {
    this.capacity = capacity
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  get oldest(): CallRow | undefined {
    return this.items.at(-1)
  }

  /** Puts the row where it belongs, in place of an earlier word on the same call. */
  set(row: CallRow): void {
    const before = this.#byId.get(row.id)
    this.#byId.set(row.id, row)
    if (before !== undefined) {
      const at = this.#placeOf(before)
      if (before.startedAt === row.startedAt) {
        this.items[at] = row
        return
      }
      this.items.splice(at, 1)
    }
    this.items.splice(this.#placeOf(row), 0, row)
    const excess = this.items.length - this.capacity
    if (excess <= 0) return
    for (const { id } of this.items.splice(this.capacity)) this.#byId.delete(id)
    this.letGo += excess
  }

  delete(id: string): void {
    const row = this.#byId.get(id)
    if (row === undefined) return
    this.items.splice(this.#placeOf(row), 1)
    this.#byId.delete(id)
  }

  clear(): void {
    this.items.length = 0
    this.#byId.clear()
    this.letGo = 0
  }

  /** Index of the row, or where it would stand. */
  #placeOf(row: CallRow): number {
    let low = 0
    let high = this.items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.items[middle]
      if (other !== undefined && isBefore(row, other)) low = middle + 1
      else high = middle
    }
    return low
  }
}
