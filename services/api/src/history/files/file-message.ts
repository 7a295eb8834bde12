import type { Direction, Frame, HostPort, SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { decodeFrames } from '../frames-column.ts'
import { RowBinaryReader } from '../row-binary-reader.ts'

/** What `FileMessage` reads, in its order. */
export const fileMessageColumns = [
  'toUnixTimestamp64Micro(messages.at)',
  'nanos',
  'messages.id',
  'callId',
  'precisionMicros',
  'source',
  'transport',
  'direction',
  'capture',
  'srcAddress',
  'srcPort',
  'dstAddress',
  'dstPort',
  'payload',
  'frames',
].join(', ')

/**
 * What a file needs of a stored message. Tens of thousands are in memory at once, and most of them only give their frames:
 * whatever is of several parts is read from the answer of the engine when it is asked for.
 */
export class FileMessage {
  readonly #again: RowBinaryReader
  readonly #idAt: number
  readonly #endsAt: number
  readonly #payloadAt: number
  readonly atMicros: number
  readonly nanos: number
  readonly precisionMicros: number
  readonly callId: string
  readonly source: SipRecord['source']
  readonly transport: SipRecord['transport']
  readonly direction: Direction
  /** A named capture; `''`: live traffic. */
  readonly capture: string

  /** Takes the next of the rows; `again` reads in the same bytes, wherever it is. */
  constructor(rows: RowBinaryReader, again: RowBinaryReader) {
    this.#again = again
    this.atMicros = rows.integer64()
    this.nanos = rows.uint16()
    this.#idAt = rows.skip(16)
    this.callId = rows.word()
    this.precisionMicros = rows.integer64()
    // Words that were checked by their schema before they were stored.
    this.source = rows.word() as SipRecord['source']
    this.transport = rows.word() as SipRecord['transport']
    this.direction = rows.word() as Direction
    this.capture = rows.word()
    this.#endsAt = rows.skipText()
    rows.skip(2)
    rows.skipText()
    rows.skip(2)
    this.#payloadAt = rows.skipText()
    rows.skipText()
  }

  get id(): string {
    return this.#again.from(this.#idAt).uuid()
  }

  get src(): HostPort {
    const rows = this.#again.from(this.#endsAt)
    return { address: rows.word(), port: rows.uint16() }
  }

  get dst(): HostPort {
    const rows = this.#again.from(this.#endsAt)
    rows.skipText()
    rows.skip(2)
    return { address: rows.word(), port: rows.uint16() }
  }

  get payload(): Buffer<ArrayBuffer> {
    return this.#again.from(this.#payloadAt).bytes()
  }

  get frames(): Frame[] {
    const rows = this.#again.from(this.#payloadAt)
    const payload = rows.piece()
    return decodeFrames(rows.piece(), payload, this)
  }
}

/** In order of time, each once. The engine would sort whole rows, which costs it more than all the rest. */
export function readFileMessages(bytes: Uint8Array<ArrayBuffer>): FileMessage[] {
  const rows = new RowBinaryReader(bytes)
  const again = new RowBinaryReader(bytes)
  const messages: FileMessage[] = []
  while (!rows.isEnd) messages.push(new FileMessage(rows, again))
  messages.sort(compareKeys)
  return messages.filter((message, index) => !isSame(message, messages[index - 1]))
}

function compareKeys(a: FileMessage, b: FileMessage): number {
  if (a.atMicros !== b.atMicros) return a.atMicros - b.atMicros
  return a.id < b.id ? -1 : Number(a.id > b.id)
}

function isSame(a: FileMessage, b: FileMessage | undefined): boolean {
  return b !== undefined && a.atMicros === b.atMicros && a.id === b.id
}
