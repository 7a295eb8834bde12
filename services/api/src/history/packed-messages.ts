import { isUtf8 } from 'node:buffer'
import { isCallMethod } from '../calls/call-methods.ts'
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

/** A Call-ID of what is packed. */
export interface PackedCall {
  readonly callId: string
  /** `''`: live traffic. */
  readonly capture: string
  /** One of its messages can change what is said of a call. */
  isOfCall: boolean
}

/**
 * Messages that wait to be stored, as rows of `messages`. A row is made as soon as its message is read, and a message is known by
 * the number of its row: thousands that wait as objects would be copied by the garbage collector again and again, which costs more
 * than to make them.
 */
export class PackedMessages {
  readonly #block = new NativeBlock(writtenColumns)
  /** Of each row what must be known besides it. */
  #ids: string[] = []
  #stamps: number[] = []
  #callOf: PackedCall[] = []
  #payloadFrom: number[] = []
  #payloadTo: number[] = []
  #numbersTo: number[] = []
  /** Lines in `registers`, JSON, by row. */
  #registers = new Map<number, string>()
  #calls = new PackedCalls()

  get size(): number {
    return this.#block.rows
  }

  /** The number of each row, in order. */
  get rows(): readonly number[] {
    return this.#ids.map((_, row) => row)
  }

  /** Each Call-ID once. */
  get calls(): readonly PackedCall[] {
    return this.#calls.all
  }

  /** @throws RangeError for a value that its column does not take; nothing of the message is kept then. */
  add(view: MessageView): void {
    const { record, naming, parts } = view
    const { columns, rows: row } = this.#block
    const { payload, numbers, callId } = columns
    const { size: callIdFrom } = callId
    try {
      writeMessage(columns, view)
    } catch (error) {
      this.#block.dropUnfinished()
      throw error
    }
    const cells = toRegisterCells(view)
    if (cells) this.#registers.set(row, JSON.stringify(cells))
    const call =
      this.#calls.find(parts.callId, naming.capture) ??
      // A piece of the message's text would keep all of it, as long as the piece is kept.
      this.#calls.add(callId.textAt(callIdFrom), naming.capture)
    call.isOfCall ||= isCallMethod(parts.method)
    this.#ids.push(record.id)
    this.#stamps.push(record.atMicros)
    this.#callOf.push(call)
    this.#payloadFrom.push(payload.size - record.payload.length)
    this.#payloadTo.push(payload.size)
    this.#numbersTo.push(numbers.texts.size)
    this.#block.endRow()
  }

  idOf(row: number): string {
    return this.#ids[row] as string
  }

  atMicrosOf(row: number): number {
    return this.#stamps[row] as number
  }

  callOf(row: number): PackedCall {
    return this.#callOf[row] as PackedCall
  }

  registerOf(row: number): string | undefined {
    return this.#registers.get(row)
  }

  payloadOf(row: number): Buffer {
    return this.payloads.subarray(this.payloadFrom(row), this.payloadTo(row))
  }

  /** The payloads of all, where `payloadFrom` and `payloadTo` tell. */
  get payloads(): Buffer {
    return this.#block.columns.payload.written()
  }

  payloadFrom(row: number): number {
    return this.#payloadFrom[row] as number
  }

  payloadTo(row: number): number {
    return this.#payloadTo[row] as number
  }

  /** The telephone numbers of all, as far as they are written, where `numbersFrom` and `numbersTo` tell. */
  get numbers(): Buffer {
    return this.#block.columns.numbers.texts.written()
  }

  numbersFrom(row: number): number {
    return row === 0 ? 0 : this.numbersTo(row - 1)
  }

  numbersTo(row: number): number {
    return this.#numbersTo[row] as number
  }

  /** The block of some rows, in the order of `writtenColumns`. */
  blockOf(rows: readonly number[]): Buffer[] {
    const isAll = rows.length === this.size && rows.every((row, n) => row === n)
    return this.#block.toPieces(isAll ? undefined : rows)
  }

  /** Empty again, with the memory it has: what was handed out of it is no longer good. */
  clear(): void {
    this.#block.clear()
    this.#ids = []
    this.#stamps = []
    this.#callOf = []
    this.#payloadFrom = []
    this.#payloadTo = []
    this.#numbersTo = []
    this.#registers = new Map()
    this.#calls = new PackedCalls()
  }
}

class PackedCalls {
  readonly all: PackedCall[] = []
  readonly #byCapture = new Map<string, Map<string, PackedCall>>()

  find(callId: string, capture: string): PackedCall | undefined {
    return this.#byCapture.get(capture)?.get(callId)
  }

  add(callId: string, capture: string): PackedCall {
    const call: PackedCall = { callId, capture, isOfCall: false }
    this.all.push(call)
    const ofCapture = this.#byCapture.get(capture)
    if (ofCapture) ofCapture.set(callId, call)
    else this.#byCapture.set(capture, new Map([[callId, call]]))
    return call
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
