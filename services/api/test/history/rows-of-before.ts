import { isUtf8 } from 'node:buffer'
import { toSlot } from '@sip-capture/contract/bus/record-id.ts'
import { fold, foldParty } from '../../src/filter-words.ts'
import { writeFrames } from '../../src/history/frames-column.ts'
import { BinaryWriter } from '../../src/history/binary-writer.ts'
import { callSlotColumnNames, messageColumnNames } from '../../src/history/schema.ts'
import type { Store } from '../../src/history/store.ts'
import { toDay } from '../../src/history/time-sql.ts'
import type { MessageView } from '../../src/ingest/message-row.ts'

/** As programs before `implied-columns.ts` did, and before the text index: every column is filled, and nothing is in an index. */
export async function insertAsBefore(store: Store, views: readonly MessageView[]): Promise<void> {
  const [slots, rows] = [new BinaryWriter(1024), new BinaryWriter(1024)]
  for (const view of views) {
    slots.text(view.parts.callId)
    slots.text(view.naming.capture)
    slots.uint32(toSlot(view.record.atMicros))
    slots.uint32(toDay(view.record.atMicros))
    writeMessage(rows, view)
  }
  await store.insertBinary('callSlots', callSlotColumnNames, slots.written())
  await store.insertBinary('messages', messageColumnNames, rows.written())
}

/** In the order of `messageColumnNames`. */
function writeMessage(writer: BinaryWriter, view: MessageView): void {
  const { record, naming, parts, message } = view
  writer.integer64(record.atMicros)
  writer.uint16(record.nanos)
  writer.uuid(record.id)
  writer.text(parts.callId)
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
  writer.text(parts.requestUri)
  writeParty(writer, parts.from)
  writeParty(writer, parts.to)
  writeTexts(writer, view.numbers)
  writer.integer64(parts.cseq?.number ?? -1)
  writer.text(parts.branch)
  writeBothCases(writer, parts.userAgent)
  writer.bool(parts.hasSdp)
  writer.uint32(record.payload.length)
  const isPlain = !message || message.cseq === null || message.cseq.method === message.method
  writer.text(isPlain ? '' : view.sightingKey)
  writeTexts(writer, view.problems)

  writeTexts(writer, record.notes)
  writer.bytes(record.payload)
  writer.text(isUtf8(record.payload) ? '' : view.text)
  const framesBegin = writer.begin()
  writeFrames(writer, record.frames, record.payload, record)
  writer.end(framesBegin)
}

/** A text, and as `fold` makes it. */
function writeBothCases(writer: BinaryWriter, text: string): void {
  writer.text(text)
  writer.text(fold(text))
}

function writeParty(writer: BinaryWriter, party: MessageView['row']['from']): void {
  const isNameAscii = writer.text(party.displayName)
  const isAscii = writer.text(party.uri) && isNameAscii
  writer.text(party.user)
  writer.text(party.host)
  writer.text(party.tag)
  writer.text(isAscii ? '' : foldParty(party))
}

function writeTexts(writer: BinaryWriter, texts: readonly string[]): void {
  writer.length(texts.length)
  for (const text of texts) writer.text(text)
}
