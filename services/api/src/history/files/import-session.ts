import { hash } from 'node:crypto'
import { createRecordId } from '@sip-capture/contract/bus/record-id.ts'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import { SipExtractor, type ExtractedMessage } from '@sip-capture/pcap/extract.ts'
import { inTurns } from '../../in-turns.ts'
import { MessageView } from '../../ingest/message-row.ts'
import { insertMessages } from '../message-writer.ts'
import { PackedMessages } from '../packed-messages.ts'
import { isBadData, type Store } from '../store.ts'
import { openCaptureSource, type CaptureSource } from './capture-source.ts'

export interface ImportOrder {
  /** The import's id. */
  readonly capture: string
  readonly file: string
  readonly node: string
  /** More is not read, of a packed file once unpacked. */
  readonly maxBytes: number
  /** Nothing of it is in history yet. */
  readonly isFirst: boolean
}

export interface ImportStep {
  /** Of the file as it was uploaded. */
  readonly readBytes: number
  readonly frames: number
  readonly messages: number
  readonly firstAtMicros: number | null
  readonly lastAtMicros: number | null
  readonly isDone: boolean
  /** What of the file could not be read; the rest is kept. */
  readonly problem?: string
}

/** Stored together, about: of many small pieces the engine makes large ones again and again, a third of all its work. */
const enoughRows = 20_000
const maxRows = 2 * enoughRows
/** At a time: the engine takes the rows of one while the text index of the next is made. */
const maxStoring = 2
const sipPorts = new Set([5060, 5080])
/** What Node reads is never shared memory, which the schema's type excludes. */
type OwnBytes = Uint8Array<ArrayBuffer>

/** Reads an uploaded capture into history, a piece a step. From the start again it makes no second row. */
export class ImportSession {
  readonly #history: Store
  readonly #order: ImportOrder
  readonly #reader = createCaptureReader()
  readonly #extractor = new SipExtractor({ isSipPort: (port) => sipPorts.has(port), openHep: true })
  #source: CaptureSource | undefined
  #unpackedBytes = 0
  #isDone = false
  #messages = 0
  #refused = 0
  #problem: string | undefined
  #firstAtMicros: number | null = null
  #lastAtMicros: number | null = null
  /** What was read and is too little to be stored by itself. */
  #packed = new PackedMessages()
  /** Whose memory is used again: the system would have to clear other. */
  readonly #spare: PackedMessages[] = []
  /** What was read before is stored while more is read. */
  readonly #storing = new Set<Promise<void>>()

  constructor(store: Store, order: ImportOrder) {
    this.#history = store
    this.#order = order
  }

  /** What it tells of is read; it is stored some steps later, and all of it when the last one answers. @throws StoreError */
  async step(): Promise<ImportStep> {
    try {
      this.#source ??= await openCaptureSource(this.#order.file)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
      this.#problem = 'the uploaded file is gone'
      this.#isDone = true
      return this.#answer(true)
    }
    const pieces = await this.#source.read()
    // Piece by piece: what is held of thousands of messages at once outlives young collections.
    await inTurns(pieces, (piece) => {
      if (this.#problem !== undefined || this.#reader.problem !== null) return
      this.#unpackedBytes += piece.length
      if (this.#unpackedBytes > this.#order.maxBytes)
        this.#problem = `the file unpacks to more than IMPORT_MAX_BYTES allows (${this.#order.maxBytes} bytes)`
      else this.#pack(this.#extractor.push(this.#reader.push(piece)))
    })
    const isAtEnd = pieces.length === 0
    const isDone = isAtEnd || this.#problem !== undefined || this.#reader.problem !== null
    if (isAtEnd) this.#reader.end()
    if (isDone) this.#pack(this.#extractor.expire())
    if (isDone || this.#packed.size >= enoughRows) await this.#storeBeside()
    if (isDone) await Promise.all(this.#storing)
    this.#isDone = isDone
    return this.#answer(isDone)
  }

  get capture(): string {
    return this.#order.capture
  }

  /** True when all that will come is stored. */
  get isDone(): boolean {
    return this.#isDone
  }

  async close(): Promise<void> {
    this.#isDone = true
    await Promise.allSettled(this.#storing)
    await this.#source?.close().catch(() => {})
  }

  #answer(isDone: boolean): ImportStep {
    const problems = [this.#problem, this.#source?.problem, this.#readerProblem()].filter(
      (problem) => problem !== undefined,
    )
    if (this.#refused > 0) problems.push(`history refused ${this.#refused} messages`)
    return {
      readBytes: this.#source?.readBytes ?? 0,
      frames: this.#extractor.counters['received'] ?? 0,
      messages: this.#messages,
      firstAtMicros: this.#firstAtMicros,
      lastAtMicros: this.#lastAtMicros,
      isDone,
      ...(problems.length > 0 ? { problem: problems.join('; ') } : {}),
    }
  }

  #readerProblem(): string | undefined {
    const { problem, offset } = this.#reader
    if (problem === null) return undefined
    if (offset === 0) return `the file cannot be read: ${problem}`
    return `the file cannot be read beyond byte ${offset}${this.#source?.isPacked ? ' of what it unpacks to' : ''}: ${problem}`
  }

  /** Returns as soon as more may be read. @throws StoreError of what was stored before */
  async #storeBeside(): Promise<void> {
    if (this.#storing.size >= maxStoring) await Promise.race(this.#storing)
    const stored = this.#store(this.#packed)
    this.#storing.add(stored)
    stored.then(
      () => this.#storing.delete(stored),
      // One that failed stays: whoever waits next is told.
      () => {},
    )
    this.#packed = this.#spare.pop() ?? new PackedMessages()
  }

  async #store(packed: PackedMessages): Promise<void> {
    const { rows } = packed
    for (let at = 0; at < rows.length; at += maxRows) await this.#insert(packed, rows.slice(at, at + maxRows))
    packed.clear()
    this.#spare.push(packed)
  }

  /** One row that the store refuses must not lose the others: halve until it is alone. */
  async #insert(packed: PackedMessages, rows: readonly number[]): Promise<void> {
    try {
      await insertMessages(this.#history, packed, rows, { areNew: this.#order.isFirst })
    } catch (error) {
      if (!isBadData(error)) throw error
      if (rows.length === 1) this.#refused += 1
      else {
        const half = rows.length >> 1
        await this.#insert(packed, rows.slice(0, half))
        await this.#insert(packed, rows.slice(half))
      }
    }
  }

  #pack(messages: readonly ExtractedMessage[]): void {
    for (const message of messages) this.#packed.add(this.#toView(message))
  }

  #toView(message: ExtractedMessage): MessageView {
    const { capture, node } = this.#order
    const { atMicros } = message
    this.#firstAtMicros = Math.min(this.#firstAtMicros ?? atMicros, atMicros)
    this.#lastAtMicros = Math.max(this.#lastAtMicros ?? atMicros, atMicros)
    const id = createRecordId(atMicros, hash('sha256', `${capture} ${this.#messages}`, 'hex'))
    this.#messages += 1
    // The directory knows the PBX of now, not that of the file: nobody is named.
    return new MessageView(toRecord(message, id, node), {
      direction: 'unknown',
      srcName: '',
      dstName: '',
      trunk: '',
      capture,
    })
  }
}

function toRecord(message: ExtractedMessage, id: string, node: string): SipRecord {
  const { atMicros, nanos, transport, src, dst, copies, notes } = message
  return {
    v: 1,
    id,
    atMicros,
    nanos,
    precisionMicros: 1,
    source: 'import',
    node,
    transport,
    src,
    dst,
    direction: 'unknown',
    payload: message.payload as OwnBytes,
    frames: message.frames.map(toFrame),
    copies,
    notes,
  }
}

/** Field by field: objects made by spreading are of a new shape again and again. */
function toFrame(packet: ExtractedMessage['frames'][number]): SipRecord['frames'][number] {
  const { linkType, atMicros, nanos, originalLength, interfaceName } = packet
  const bytes = packet.bytes as OwnBytes
  const frame: SipRecord['frames'][number] = { linkType, atMicros, nanos, bytes, originalLength }
  if (interfaceName !== '') frame.interfaceName = interfaceName.slice(0, 256)
  return frame
}
