import { signal } from '@preact/signals'
import type { z } from 'zod'
import { getJson } from './api-client.ts'

/** An answer of the API that is asked again and again while somebody looks at it; the last good one stays. */
export class Polled<T extends z.ZodType> {
  readonly answer = signal<z.output<T> | null>(null)
  readonly problem = signal<string | null>(null)
  readonly #schema: T
  #path: string
  #asked: AbortController | undefined

  constructor(path: string, schema: T) {
    this.#path = path
    this.#schema = schema
  }

  /** Another question: what came of the one before is thrown away. */
  setPath(path: string): void {
    if (path === this.#path) return
    this.#path = path
    void this.load()
  }

  async load(): Promise<void> {
    this.#asked?.abort()
    const asked = new AbortController()
    this.#asked = asked
    const result = await getJson(this.#path, this.#schema, asked.signal)
    if (asked.signal.aborted) return
    if (result.ok) {
      this.answer.value = result.value
      this.problem.value = null
    } else this.problem.value = result.problem.message
  }

  /** Asks now and then every so often, not while the page is hidden. Answers what ends it. */
  start(everyMillis: number): () => void {
    void this.load()
    const timer = setInterval(() => {
      if (!document.hidden) void this.load()
    }, everyMillis)
    return () => {
      clearInterval(timer)
      this.#asked?.abort()
    }
  }
}
