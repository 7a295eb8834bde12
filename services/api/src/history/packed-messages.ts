import { isUtf8 } from 'node:buffer'
import { fold, foldParty } from '../filter-words.ts'
import type { MessageView } from '../ingest/message-row.ts'
import { toRegisterCells } from '../registrations/register-columns.ts'
import { writeEnvelope } from './envelope.ts'
import { writeFrames } from './frames-column.ts'
import {
  writtenBranch,
  writtenNumbers,
  writtenRequestUri,
  writtenToTag,
  writtenUser,
} from './implied-columns.ts'
import { NativeBlock } from './native-block.ts'
import { writtenColumns } from './schema.ts'

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
  /** The number of its row. */
  readonly row: number
  /** Where its payload is in `payloads`. */
  readonly payloadFrom: number
  readonly payloadTo: number
  /** Where its numbers are in `numbers`, as far as they are written. */
  readonly numbersFrom: number
  readonly numbersTo: number
}

/**
 * Messages that wait to be stored, as rows of `messages`. A row is made as soon as its message is read: thousands that wait as
 * objects would be copied by the garbage collector again and again, which costs more than to make them.
 */
export class PackedMessages {
  readonly #block = new NativeBlock(writtenColumns)
  #all: PackedMessage[] = []

  get all(): readonly PackedMessage[] {
    return this.#all
  }

  /** @throws RangeError for a value that its column does not take; nothing of the message is kept then. */
  add(view: MessageView): void {
    const { record, naming, parts } = view
    const { payload, numbers, callId } = this.#block.columns
    const { size: callIdFrom } = callId
    const { size: numbersFrom } = numbers.texts
    try {
      writeMessage(this.#block.columns, view)
    } catch (error) {
      this.#block.dropUnfinished()
      throw error
    }
    const cells = toRegisterCells(view)
    this.#all.push({
      id: record.id,
      atMicros: record.atMicros,
      // A piece of the message's text would keep all of it, as long as the piece is kept.
      callId: callId.textAt(callIdFrom),
      capture: naming.capture,
      method: parts.method,
      register: cells && JSON.stringify(cells),
      row: this.#block.rows,
      payloadFrom: payload.size - record.payload.length,
      payloadTo: payload.size,
      numbersFrom,
      numbersTo: numbers.texts.size,
    })
    this.#block.endRow()
  }

  /** The payloads of all, as `PackedMessage` tells places in them. */
  get payloads(): Buffer {
    return this.#block.columns.payload.written()
  }

  get numbers(): Buffer {
    return this.#block.columns.numbers.texts.written()
  }

  /** The rows of some of them, in the order of `writtenColumns`. */
  rowsOf(messages: readonly PackedMessage[]): Buffer[] {
    const isAll = messages.length === this.#all.length && messages.every(({ row }, n) => row === n)
    return this.#block.toPieces(isAll ? undefined : messages.map(({ row }) => row))
  }

  /** Empty again, with the memory it has: what was handed out of it is no longer good. */
  clear(): void {
    this.#block.clear()
    this.#all = []
  }

  payloadOf({ payloadFrom, payloadTo }: PackedMessage): Buffer {
    return this.payloads.subarray(payloadFrom, payloadTo)
  }
}

type Columns = NativeBlock<typeof writtenColumns>['columns']

function writeMessage(to: Columns, view: MessageView): void {
  const { record, naming, parts, message } = view
  // Before anything else of the message: they need the names of all its headers, and with these at hand none is searched for.
  const { problems } = view
  to.at.integer64(record.atMicros)
  to.nanos.uint16(record.nanos)
  to.id.uuid(record.id)
  to.callId.text(parts.callId)
  to.precisionMicros.integer64(record.precisionMicros)
  to.source.text(record.source)
  to.node.text(record.node)
  to.transport.text(record.transport)
  to.direction.text(naming.direction)
  to.srcAddress.text(record.src.address)
  to.srcPort.uint16(record.src.port)
  to.srcName.text(naming.srcName)
  to.dstAddress.text(record.dst.address)
  to.dstPort.uint16(record.dst.port)
  to.dstName.text(naming.dstName)
  to.trunk.text(naming.trunk)
  to.channel.text(record.channel ?? '')
  to.copies.uint32(record.copies)
  to.capture.text(naming.capture)

  to.kind.text(parts.kind)
  to.method.text(parts.method)
  to.status.uint16(parts.status ?? 0)
  to.reason.text(parts.reason)
  to.requestUri.text(writtenRequestUri(parts))
  const isFromNameAscii = to.fromDisplayName.text(parts.from.displayName)
  const isFromUriAscii = to.fromUri.text(parts.from.uri)
  to.fromUser.text(writtenUser(parts.from))
  to.fromFold.text(isFromNameAscii && isFromUriAscii ? '' : foldParty(parts.from))
  const isToNameAscii = to.toDisplayName.text(parts.to.displayName)
  const isToUriAscii = to.toUri.text(parts.to.uri)
  to.toUser.text(writtenUser(parts.to))
  to.toTag.text(writtenToTag(parts))
  to.toFold.text(isToNameAscii && isToUriAscii ? '' : foldParty(parts.to))
  to.numbers.add(writtenNumbers(view))
  to.cseq.integer64(parts.cseq?.number ?? -1)
  to.branch.text(writtenBranch(view))
  const isAgentAscii = to.userAgent.text(parts.userAgent)
  to.userAgentFold.text(isAgentAscii ? '' : fold(parts.userAgent))
  to.hasSdp.bool(parts.hasSdp)
  to.sizeBytes.uint32(record.payload.length)
  // What can be worked out again is not kept: sixteen bytes that nothing compresses.
  const isPlain = !message || message.cseq === null || message.cseq.method === message.method
  to.sightingKey.text(isPlain ? '' : view.sightingKey)
  to.problems.add(problems)

  to.notes.add(record.notes)
  to.payload.bytes(record.payload)
  to.payloadText.text(isUtf8(record.payload) ? '' : view.text)
  const framesFrom = to.frames.begin()
  writeFrames(to.frames, record.frames, record.payload, record)
  to.frames.end(framesFrom)
  // `insertTextIndex` comes before it.
  to.inTextIndex.bool(true)
  writeEnvelope(to.envelope, record, naming)
}
