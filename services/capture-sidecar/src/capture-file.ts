import { open } from 'node:fs/promises'
import type { CaptureState } from './supervisor.ts'

export interface CaptureFileOptions {
  readonly path: string
  readonly onBytes: (chunk: Uint8Array) => void
  /** Waits until what was read so far has room downstream. */
  readonly onChunkDone: () => Promise<void>
  /** The file ended; answers a problem of its form. */
  readonly onEnd: () => string | null
  readonly onChange: () => void
}

const chunkBytes = 256 * 1024

/** Reads a capture file or a named pipe once, to its end. */
export class CaptureFile {
  readonly #options: CaptureFileOptions
  readonly #abort = new AbortController()
  readonly #done: Promise<void>
  #state: CaptureState

  constructor(options: CaptureFileOptions) {
    this.#options = options
    this.#state = { state: 'starting', detail: `reading ${options.path}` }
    this.#done = this.#read()
  }

  get state(): CaptureState {
    return this.#state
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#done
  }

  async #read(): Promise<void> {
    const { path, onBytes, onChunkDone, onEnd } = this.#options
    try {
      const file = await open(path)
      const stream = file.createReadStream({ highWaterMark: chunkBytes, signal: this.#abort.signal })
      this.#change({ state: 'up', detail: `reading ${path}` })
      for await (const chunk of stream) {
        if (!(chunk instanceof Uint8Array)) continue
        onBytes(chunk)
        await onChunkDone()
      }
      const problem = onEnd()
      if (problem === null) this.#change({ state: 'up', detail: `file read to its end: ${path}` })
      else this.#change({ state: 'failed', detail: `TSHARK_INTERFACE: ${path}: ${problem}` })
    } catch (error) {
      if (this.#abort.signal.aborted) return
      const why = error instanceof Error ? error.message : String(error)
      this.#change({
        state: 'failed',
        detail: `TSHARK_INTERFACE: ${path} cannot be read: ${why}`.slice(0, 2000),
      })
    }
  }

  #change(state: CaptureState): void {
    this.#state = state
    this.#options.onChange()
  }
}
