import type { BatchFields } from '@sip-capture/contract/codec.ts'

/** Items that go into one stream entry. Encoded as soon as they are complete, they take a seventh of the memory while they wait,
 *  and the items themselves are garbage while they are young. */
export interface Batch<T> {
  readonly count: number
  /** Undefined: not encoded yet, or not to be encoded. */
  fields: BatchFields | undefined
  /** Until they are encoded. */
  items: readonly T[]
  /** What the channel is told with the first write of the batch. */
  unsaid: readonly T[]
  /** What it takes in memory, roughly. */
  bytes: number
  /** Dropped while it waited; one that was being written meanwhile may have arrived all the same. */
  isDropped: boolean
}

/** What an entry takes besides its bytes. */
const batchOverheadBytes = 400

/** Batches in order, and the one that is being filled. Counts what it holds; its bounds are its user's to keep. */
export class BatchQueue<T> {
  readonly #batchItems: number
  readonly #sizeOf: (item: T) => number
  readonly #encode: (items: readonly T[]) => BatchFields
  #sealed: Batch<T>[] = []
  /** Where in `#sealed` the first one is: to shift an array of thousands each time costs too much. */
  #head = 0
  #open: T[] = []
  #openUnsaid: T[] = []
  #openBytes = 0
  #items = 0
  #bytes = 0

  constructor(options: {
    batchItems: number
    sizeOf: (item: T) => number
    encode: (items: readonly T[]) => BatchFields
  }) {
    this.#batchItems = options.batchItems
    this.#sizeOf = options.sizeOf
    this.#encode = options.encode
  }

  /** Items, of all batches. */
  get items(): number {
    return this.#items
  }

  /** What they take in memory, roughly. */
  get bytes(): number {
    return this.#bytes
  }

  /** True when a batch is complete. */
  get hasSealed(): boolean {
    return this.#head < this.#sealed.length
  }

  get hasOpen(): boolean {
    return this.#open.length > 0
  }

  /** `isUnsaid`: to be said on the channel with the first write. */
  push(item: T, isUnsaid: boolean): void {
    const bytes = this.#sizeOf(item)
    this.#open.push(item)
    if (isUnsaid) this.#openUnsaid.push(item)
    this.#openBytes += bytes
    this.#bytes += bytes
    this.#items += 1
    if (this.#open.length < this.#batchItems) return
    const batch = this.seal()
    try {
      if (batch) this.encode(batch)
    } catch {
      // Whoever writes it meets the fault again and tells it.
    }
  }

  /** Completes the batch that is being filled, if it has anything. */
  seal(): Batch<T> | undefined {
    if (!this.hasOpen) return undefined
    const batch: Batch<T> = {
      count: this.#open.length,
      fields: undefined,
      items: this.#open,
      unsaid: this.#openUnsaid,
      isDropped: false,
      bytes: this.#openBytes,
    }
    this.#sealed.push(batch)
    this.#open = []
    this.#openUnsaid = []
    this.#openBytes = 0
    return batch
  }

  /** @throws what `encode` throws; the batch stays as it was. */
  encode(batch: Batch<T>): BatchFields {
    if (batch.fields) return batch.fields
    const fields = this.#encode(batch.items)
    batch.fields = fields
    batch.items = []
    this.#measure(batch)
    return fields
  }

  /** → what the channel has not been told; it is not given twice. */
  takeUnsaid(batch: Batch<T>): readonly T[] {
    const { unsaid } = batch
    batch.unsaid = []
    this.#measure(batch)
    return unsaid
  }

  /** The oldest complete batches; they stay. */
  peek(count: number): Batch<T>[] {
    return this.#sealed.slice(this.#head, this.#head + count)
  }

  /** Takes out the oldest batch; undefined when there is none but the one being filled. */
  shift(): Batch<T> | undefined {
    const batch = this.#sealed[this.#head]
    if (!batch) return undefined
    this.#head += 1
    this.#items -= batch.count
    this.#bytes -= batch.bytes
    if (this.#head * 2 > this.#sealed.length) {
      this.#sealed = this.#sealed.slice(this.#head)
      this.#head = 0
    }
    return batch
  }

  #measure(batch: Batch<T>): void {
    if (!batch.fields) return
    let bytes = batch.fields[5].length + batchOverheadBytes
    for (const item of batch.unsaid) bytes += this.#sizeOf(item)
    if (!batch.isDropped) this.#bytes += bytes - batch.bytes
    batch.bytes = bytes
  }
}
