/** A Call-ID of a capture (`''`: live traffic) whose call must be looked at again. */
export interface DirtyCall {
  readonly capture: string
  readonly callId: string
}

interface Entry extends DirtyCall {
  readonly markedMillis: number
}

/** Calls that wait to be summarised, each once, in the order in which they were first marked. Bounded: what does not fit is
 *  not kept, and `overflowMillis` says since when, so that a look into history finds it. */
export class DirtyCalls {
  readonly #entries = new Map<string, Entry>()
  readonly #max: number
  /** When the first was left out that nobody has looked for yet. */
  overflowMillis: number | undefined
  /** All that were ever left out. */
  overflowed = 0

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  mark({ capture, callId }: DirtyCall, nowMillis: number): void {
    const key = `${capture}\0${callId}`
    if (this.#entries.has(key)) return
    if (this.#entries.size >= this.#max) {
      this.overflowMillis ??= nowMillis
      this.overflowed += 1
      return
    }
    this.#entries.set(key, { capture, callId, markedMillis: nowMillis })
  }

  /** Takes out up to `count` of one capture that were marked at or before `untilMillis`. */
  take(count: number, untilMillis: number): DirtyCall[] {
    const taken: DirtyCall[] = []
    for (const [key, entry] of this.#entries) {
      if (taken.length >= count || entry.markedMillis > untilMillis) break
      if (taken[0] && taken[0].capture !== entry.capture) break
      taken.push(entry)
      this.#entries.delete(key)
    }
    return taken
  }
}
