import { hash } from 'node:crypto'
import { createRecordId } from '@sip-capture/contract/bus/record-id.ts'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import { SipExtractor, type ExtractedMessage } from '@sip-capture/pcap/extract.ts'
import { inTurns } from '../../in-turns.ts'
import { MessageView } from '../../ingest/message-row.ts'
import { insertMessages } from '../message-writer.ts'
import { type PackedMessage, PackedMessages } from '../packed-messages.ts'
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
  #spare = new PackedMessages()
  /** What was read before is stored while more is read. */
  #storing: Promise<void> = Promise.resolve()

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
    const found: ExtractedMessage[] = []
    await inTurns(pieces, (piece) => {
      if (this.#problem !== undefined || this.#reader.problem !== null) return
      this.#unpackedBytes += piece.length
      if (this.#unpackedBytes > this.#order.maxBytes)
        this.#problem = `the file unpacks to more than IMPORT_MAX_BYTES allows (${this.#order.maxBytes} bytes)`
      else found.push(...this.#extractor.push(this.#reader.push(piece)))
    })
    const isAtEnd = pieces.length === 0
    const isDone = isAtEnd || this.#problem !== undefined || this.#reader.problem !== null
    if (isAtEnd) this.#reader.end()
    if (isDone) found.push(...this.#extractor.expire())
    await inTurns(found, (message) => this.#packed.add(this.#toView(message)))
    if (isDone || this.#packed.all.length >= enoughRows) {
      await this.#storing
      this.#storing = this.#store(this.#packed)
      // A failure is told by whoever waits for it next.
      this.#storing.catch(() => {})
      ;[this.#packed, this.#spare] = [this.#spare, this.#packed]
      this.#packed.clear()
    }
    if (isDone) await this.#storing
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
    await this.#storing.catch(() => {})
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

  async #store(packed: PackedMessages): Promise<void> {
    for (let at = 0; at < packed.all.length; at += maxRows)
      await this.#insert(packed, packed.all.slice(at, at + maxRows))
  }

  /** One row that the store refuses must not lose the others: halve until it is alone. */
  async #insert(packed: PackedMessages, messages: readonly PackedMessage[]): Promise<void> {
    try {
      await insertMessages(this.#history, packed, messages, { areNew: this.#order.isFirst })
    } catch (error) {
      if (!isBadData(error)) throw error
      if (messages.length === 1) this.#refused += 1
      else {
        const half = messages.length >> 1
        await this.#insert(packed, messages.slice(0, half))
        await this.#insert(packed, messages.slice(half))
      }
    }
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
