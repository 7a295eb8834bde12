import { isUtf8 } from 'node:buffer'
import { fold, foldParty } from '../filter-words.ts'
import type { MessageView } from '../ingest/message-row.ts'
import { toRegisterCells } from '../registrations/register-columns.ts'
import { writeFrames } from './frames-column.ts'
import {
  writtenBranch,
  writtenNumbers,
  writtenRequestUri,
  writtenToTag,
  writtenUser,
} from './implied-columns.ts'
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
  /** Where its row is, and in it the payload and the numbers. */
  readonly from: number
  readonly to: number
  readonly payloadFrom: number
  readonly payloadTo: number
  readonly numbersFrom: number
  readonly numbersTo: number
}

/** To begin with; it doubles as it fills. */
const firstBytes = 64 * 1024

/**
 * Messages that wait to be stored, each as its row of `messages` in RowBinary. A row is made as soon as its message is read:
 * thousands that wait as objects would be copied by the garbage collector again and again, which costs more than to make them.
 */
export class PackedMessages {
  readonly #rows = new RowBinaryWriter(firstBytes)
  #all: PackedMessage[] = []

  get all(): readonly PackedMessage[] {
    return this.#all
  }

  add(view: MessageView): void {
    const { record, naming, parts } = view
    const from = this.#rows.size
    const { callId, payloadTo, numbersFrom, numbersTo } = writeMessage(this.#rows, view)
    const cells = toRegisterCells(view)
    this.#all.push({
      id: record.id,
      atMicros: record.atMicros,
      callId,
      capture: naming.capture,
      method: parts.method,
      register: cells && JSON.stringify(cells),
      from,
      to: this.#rows.size,
      payloadFrom: payloadTo - record.payload.length,
      payloadTo,
      numbersFrom,
      numbersTo,
    })
  }

  /** All rows: what `PackedMessage` tells places in. */
  get bytes(): Buffer {
    return this.#rows.written()
  }

  /** The rows of some of them, one behind the other: a view where they lie so. */
  rowsOf(messages: readonly PackedMessage[]): Buffer {
    const bytes = this.#rows.written()
    const isRow = messages.every(({ from }, index) => index === 0 || from === messages[index - 1]?.to)
    return isRow
      ? bytes.subarray(messages[0]?.from ?? 0, messages.at(-1)?.to ?? 0)
      : Buffer.concat(messages.map(({ from, to }) => bytes.subarray(from, to)))
  }

  /** Empty again, with the memory it has: what was handed out of it is no longer good. */
  clear(): void {
    this.#rows.clear()
    this.#all = []
  }

  payloadOf({ payloadFrom, payloadTo }: PackedMessage): Buffer {
    return this.#rows.written().subarray(payloadFrom, payloadTo)
  }
}

/** In the order of `writtenColumnNames`; answers where some of it is. */
function writeMessage(
  writer: RowBinaryWriter,
  view: MessageView,
): Pick<PackedMessage, 'callId' | 'payloadTo' | 'numbersFrom' | 'numbersTo'> {
  const { record, naming, parts, message } = view
  writer.integer64(record.atMicros)
  writer.uint16(record.nanos)
  writer.uuid(record.id)
  const callIdFrom = writer.size
  writer.text(parts.callId)
  // A piece of the message's text would keep all of it, as long as the piece is kept.
  const callId = writer.textAt(callIdFrom)
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

  writer.text(parts.kind)
  writer.text(parts.method)
  writer.uint16(parts.status ?? 0)
  writer.text(parts.reason)
  writer.text(writtenRequestUri(parts))
  writeParty(writer, parts.from)
  writeParty(writer, parts.to)
  const numbersFrom = writer.size
  writer.texts(writtenNumbers(view))
  const numbersTo = writer.size
  writer.integer64(parts.cseq?.number ?? -1)
  writer.text(writtenBranch(view))
  const isAgentAscii = writer.text(parts.userAgent)
  writer.text(isAgentAscii ? '' : fold(parts.userAgent))
  writer.bool(parts.hasSdp)
  writer.uint32(record.payload.length)
  // What can be worked out again is not kept: sixteen bytes that nothing compresses.
  const isPlain = !message || message.cseq === null || message.cseq.method === message.method
  writer.text(isPlain ? '' : view.sightingKey)
  writer.texts(view.problems)

  writer.texts(record.notes)
  writer.bytes(record.payload)
  const payloadTo = writer.size
  writer.text(isUtf8(record.payload) ? '' : view.text)
  const framesBegin = writer.begin()
  writeFrames(writer, record.frames, record.payload, record)
  writer.end(framesBegin)
  writer.text(writtenToTag(parts))
  // `insertTextIndex` comes before it.
  writer.bool(true)
  return { callId, payloadTo, numbersFrom, numbersTo }
}

function writeParty(writer: RowBinaryWriter, party: MessageView['row']['from']): void {
  const isNameAscii = writer.text(party.displayName)
  const isAscii = writer.text(party.uri) && isNameAscii
  writer.text(writtenUser(party))
  writer.text(isAscii ? '' : foldParty(party))
}
