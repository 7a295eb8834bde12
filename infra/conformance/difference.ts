import type { OwnMessage } from './own-messages.ts'
import type { TsharkMessage } from './tshark-messages.ts'

const maxKeptBytes = 128 * 1024 * 1024
/** Of a message that waits, besides its bytes. */
const entryBytes = 500

/**
 * Messages that only one side has so far, matched as multisets of payloads. Both sides go through a file in the same
 * order, so that little waits; what does not fit the bound is only counted.
 */
export class Difference {
  readonly #own = new Map<string, OwnMessage[]>()
  readonly #tshark = new Map<string, TsharkMessage[]>()
  #keptBytes = 0
  ours = 0
  tshark = 0
  same = 0
  /** Differences beyond the bound. */
  notKept = 0

  addOwn(message: OwnMessage): void {
    this.ours += 1
    this.#add(message, this.#own, this.#tshark)
  }

  addTshark(message: TsharkMessage): void {
    this.tshark += 1
    this.#add(message, this.#tshark, this.#own)
  }

  get onlyOwn(): OwnMessage[] {
    return [...this.#own.values()].flat()
  }

  get onlyTshark(): TsharkMessage[] {
    return [...this.#tshark.values()].flat()
  }

  #add<T extends { payload: string }>(
    message: T,
    mine: Map<string, T[]>,
    theirs: Map<string, { payload: string }[]>,
  ): void {
    const { payload } = message
    const size = payload.length + entryBytes
    const match = theirs.get(payload)
    if (match) {
      match.shift()
      if (match.length === 0) theirs.delete(payload)
      this.#keptBytes -= size
      this.same += 1
      return
    }
    if (this.#keptBytes + size > maxKeptBytes) {
      this.notKept += 1
      return
    }
    this.#keptBytes += size
    const same = mine.get(payload)
    if (same) same.push(message)
    else mine.set(payload, [message])
  }
}
