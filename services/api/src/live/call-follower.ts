import type { CallNews, CallRecord } from '../calls/call-record.ts'
import type { CallMatch } from './call-match.ts'

/** News made ready once for all browsers. */
export interface SharedNews {
  readonly calls: readonly { readonly record: CallRecord; readonly json: string }[]
  readonly removed: readonly string[]
}

export function toSharedNews({ records, removed }: CallNews): SharedNews {
  return {
    removed,
    calls: records.map((record) => {
      let json: string | undefined
      return {
        record,
        get json() {
          return (json ??= JSON.stringify(record.row))
        },
      }
    }),
  }
}

const maxItems = 100
const maxRemoved = 1_000
/** Calls that wait for one browser. */
const maxPending = 5_000

/** What one browser has not been told of the call log: each call once, as it is now. Bounded; what falls over is counted. */
export class CallFollower {
  readonly #matches: CallMatch
  /** Row as JSON, or null: gone, or not of the filter. */
  readonly #pending = new Map<string, string | null>()
  #missed = 0

  constructor(matches: CallMatch) {
    this.#matches = matches
  }

  offer({ calls, removed }: SharedNews): void {
    for (const call of calls) this.#set(call.record.row.id, this.#matches(call.record) ? call.json : null)
    for (const id of removed) this.#set(id, null)
  }

  #set(id: string, json: string | null): void {
    if (this.#pending.has(id) || this.#pending.size < maxPending) this.#pending.set(id, json)
    else this.#missed += 1
  }

  /** The next frame as text; undefined when there is no news. */
  takeFrame(): string | undefined {
    if (this.#pending.size === 0 && this.#missed === 0) return undefined
    const items: string[] = []
    const removed: string[] = []
    for (const [id, json] of this.#pending) {
      if (items.length >= maxItems || removed.length >= maxRemoved) break
      this.#pending.delete(id)
      if (json === null) removed.push(id)
      else items.push(json)
    }
    const missed = this.#missed
    this.#missed = 0
    return `{"type":"call:updated","callIds":[],"items":[${items.join(',')}],"removed":${JSON.stringify(removed)},"missed":${missed}}`
  }
}
