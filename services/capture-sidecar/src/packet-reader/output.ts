import { writeSync } from 'node:fs'
import { watchDescriptor, type DescriptorWatch, type Koffi } from './koffi.ts'

const firstBytes = 1024 * 1024

export interface OutputOptions {
  /** Of a pipe or a socket. */
  readonly descriptor: number
  readonly maxBytes: number
  /** It is full no longer. */
  readonly onRoom: () => void
  /** Nobody reads any more. */
  readonly onClosed: () => void
}

/**
 * Bytes on their way to a pipe or socket: written at once as far as there is room, the rest waits here and goes when there is
 * room again. Never blocks; whoever puts must look at `isFull`.
 */
export class Output {
  readonly #options: OutputOptions
  readonly #watch: DescriptorWatch
  #bytes = new Uint8Array(firstBytes)
  #start = 0
  #end = 0
  #isWaiting = false
  #onEmpty: (() => void) | null = null

  constructor(koffi: Koffi, options: OutputOptions) {
    this.#options = options
    this.#watch = watchDescriptor(koffi, options.descriptor, (isFaulty, isClosed) => {
      if (isFaulty || isClosed) options.onClosed()
      else this.#goOn()
    })
    this.#watch.start({ disconnect: true })
  }

  get isFull(): boolean {
    return this.#end - this.#start >= this.#options.maxBytes
  }

  /** `fill` writes at most `most` bytes into the array from the offset and answers the offset behind. */
  put(most: number, fill: (room: Uint8Array, at: number) => number): void {
    this.#makeRoom(most)
    this.#end = fill(this.#bytes, this.#end)
    if (!this.#isWaiting) this.#write()
  }

  /** Calls back once, when all is written. */
  whenEmpty(onEmpty: () => void): void {
    if (this.#start === this.#end) onEmpty()
    else this.#onEmpty = onEmpty
  }

  #makeRoom(size: number): void {
    if (this.#end + size <= this.#bytes.length) return
    const waiting = this.#end - this.#start
    // Moved to the front only where that is cheap beside what was written in between.
    const isEnough = (waiting + size) * 2 <= this.#bytes.length
    const target = isEnough ? this.#bytes : new Uint8Array((waiting + size) * 2)
    target.set(this.#bytes.subarray(this.#start, this.#end))
    this.#bytes = target
    this.#start = 0
    this.#end = waiting
  }

  #write(): void {
    try {
      while (this.#start < this.#end)
        this.#start += writeSync(this.#options.descriptor, this.#bytes, this.#start, this.#end - this.#start)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        this.#options.onClosed()
        return
      }
    }
    const isEmpty = this.#start === this.#end
    if (this.#isWaiting === isEmpty) {
      this.#isWaiting = !isEmpty
      this.#watch.start({ writable: this.#isWaiting, disconnect: true })
    }
    if (!isEmpty) return
    this.#start = 0
    this.#end = 0
    // What a long wait needed is given back.
    if (this.#bytes.length > this.#options.maxBytes / 2) this.#bytes = new Uint8Array(firstBytes)
    this.#onEmpty?.()
  }

  #goOn(): void {
    const wasFull = this.isFull
    this.#write()
    if (wasFull && !this.isFull) this.#options.onRoom()
  }
}
