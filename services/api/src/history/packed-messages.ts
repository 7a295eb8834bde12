import { isUtf8 } from 'node:buffer'
import { fold, foldParty } from '../filter-words.ts'
import type { MessageView } from '../ingest/message-row.ts'
import { toRegisterCells } from '../registrations/register-columns.ts'
import { encodeFrames } from './frames-column.ts'
import { RowBinaryWriter } from './row-binary-writer.ts'

/** A message on its way into history, as far as it must be known besides its row. */
export interface PackedMessage {
  readonly id: string
  readonly atMicros: number
  readonly callId: string
  /** `''`: live traffic. */
  readonly capture: string
  readonly method: string
  /** Its line in `registers`, if it has one: JSON. */
  readonly register: string | undefined
  /** Where its row is, and in it the payload. */
  readonly from: number
  readonly to: number
  readonly payloadFrom: number
  readonly payloadTo: number
}

/** To begin with; it doubles as it fills. */
const firstBytes = 64 * 1024

/**
 * Messages that wait to be stored, each as its row of `messages` in RowBinary. A row is made as soon as its message is read:
 * thousands that wait as objects would be copied by the garbage collector again and again, which costs more than to make them.
 */
export class PackedMessages {
  readonly #rows = new RowBinaryWriter(firstBytes)
  readonly #all: PackedMessage[] = []

  get all(): readonly PackedMessage[] {
    return this.#all
  }

  add(view: MessageView): void {
    const { record, naming, row } = view
    const from = this.#rows.size
    const payloadTo = writeMessage(this.#rows, view)
    const cells = toRegisterCells(view)
    this.#all.push({
      id: record.id,
      atMicros: record.atMicros,
      callId: row.callId,
      capture: naming.capture,
      method: row.method,
      register: cells && JSON.stringify(cells),
      from,
      to: this.#rows.size,
      payloadFrom: payloadTo - record.payload.length,
      payloadTo,
    })
  }

  /** The rows of some of them, one behind the other: a view where they are all there is. */
  rowsOf(messages: readonly PackedMessage[]): Buffer {
    const bytes = this.#rows.written()
    return messages.length === this.#all.length
      ? bytes
      : Buffer.concat(messages.map(({ from, to }) => bytes.subarray(from, to)))
  }

  payloadOf({ payloadFrom, payloadTo }: PackedMessage): Buffer {
    return this.#rows.written().subarray(payloadFrom, payloadTo)
  }
}

/** In the order of `messageColumns`; answers where the payload ends. */
function writeMessage(
  writer: RowBinaryWriter,
  { record, naming, row, numbers, text, message }: MessageView,
): number {
  writer.integer64(record.atMicros)
  writer.uint16(record.nanos)
  writer.uuid(record.id)
  writer.text(row.callId)
  writer.integer64(record.precisionMicros)
  writer.text(record.source)
  writer.text(record.node)
  writer.text(record.transport)
  writer.text(naming.direction)
  writer.text(record.src.address)
  writer.uint16(record.src.port)
  writer.text(naming.srcName)
  writer.text(record.dst.address)
  writer.uint16(record.dst.port)
  writer.text(naming.dstName)
  writer.text(naming.trunk)
  writer.text(record.channel ?? '')
  writer.uint32(record.copies)
  writer.text(naming.capture)

  writer.text(row.kind)
  writer.text(row.method)
  writer.uint16(row.status ?? 0)
  writer.text(row.reason)
  writer.text(row.requestUri)
  writeParty(writer, row.from)
  writeParty(writer, row.to)
  writer.texts(numbers)
  writer.integer64(row.cseq ?? -1)
  writer.text(row.branch)
  writer.text(row.userAgent)
  writer.text(fold(row.userAgent))
  writer.bool(row.hasSdp)
  writer.uint32(row.sizeBytes)
  // What can be worked out again is not kept: sixteen bytes that nothing compresses.
  const isPlain = !message || message.cseq === null || message.cseq.method === message.method
  writer.text(isPlain ? '' : row.sightingKey)
  writer.texts(row.problems)

  writer.texts(record.notes)
  writer.bytes(record.payload)
  const payloadTo = writer.size
  writer.text(isUtf8(record.payload) ? '' : text)
  writer.bytes(encodeFrames(record.frames, record.payload, record))
  return payloadTo
}

function writeParty(writer: RowBinaryWriter, party: MessageView['row']['from']): void {
  writer.text(party.displayName)
  writer.text(party.uri)
  writer.text(party.user)
  writer.text(party.host)
  writer.text(party.tag)
  writer.text(isAscii(party.displayName) && isAscii(party.uri) ? '' : foldParty(party))
}

function isAscii(text: string): boolean {
  for (let n = 0; n < text.length; n++) if (text.charCodeAt(n) >= 0x80) return false
  return true
}
