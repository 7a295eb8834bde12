import { isUtf8 } from 'node:buffer'
import { fold, foldParty } from '../filter-words.ts'
import type { MessageView } from '../ingest/message-row.ts'
import { insertRegisters } from '../registrations/register-store.ts'
import { encodeFrames } from './frames-column.ts'
import { RowBinaryWriter } from './row-binary-writer.ts'
import { callSlotColumnNames, messageColumnNames, toSlot } from './schema.ts'
import type { Store } from './store.ts'

export interface InsertOutcome {
  readonly stored: number
  /** Rows that were there already: redelivered. */
  readonly duplicates: number
}

/**
 * Stores messages; a message whose id is there already is left out. `messages` is written last and decides what is there:
 * what a death before it left of the others shows nobody, and is written again. Durable when it resolves.
 * @throws StoreError
 */
export async function insertMessages(store: Store, views: readonly MessageView[]): Promise<InsertOutcome> {
  const unique = new Map(views.map((view) => [view.record.id, view]))
  const known = await findKnownIds(store, [...unique.values()])
  const fresh = [...unique.values()].filter((view) => !known.has(view.record.id))
  if (fresh.length > 0) {
    await insertCallSlots(store, fresh)
    await insertRegisters(store, fresh)
    const writer = new RowBinaryWriter(fresh.length * rowBytes)
    for (const view of fresh) writeMessage(writer, view)
    await store.insertBinary('messages', messageColumnNames, writer.written())
  }
  return { stored: fresh.length, duplicates: views.length - fresh.length }
}

/** About what a message takes in RowBinary. */
const rowBytes = 1_536

async function findKnownIds(store: Store, views: readonly MessageView[]): Promise<Set<string>> {
  if (views.length === 0) return new Set()
  const rows = await store.query<{ id: string }>(
    `SELECT lower(hex(id)) AS id FROM messages
     WHERE slot IN {slots:Array(UInt32)} AND messages.id IN {ids:Array(UUID)}`,
    {
      ids: views.map((view) => view.record.id),
      slots: [...new Set(views.map((view) => toSlot(view.record.atMicros)))],
    },
  )
  return new Set(rows.map((row) => row.id))
}

async function insertCallSlots(store: Store, views: readonly MessageView[]): Promise<void> {
  const writer = new RowBinaryWriter(views.length * 64)
  const written = new Set<string>()
  for (const { record, row, naming } of views) {
    const slot = toSlot(record.atMicros)
    const key = `${slot} ${naming.capture} ${row.callId}`
    if (written.has(key)) continue
    written.add(key)
    writer.text(row.callId)
    writer.text(naming.capture)
    writer.uint32(slot)
    writer.uint32(toDay(record.atMicros))
  }
  await store.insertBinary('callSlots', callSlotColumnNames, writer.written())
}

/** The partition of `messages` that the moment is in: `20261122`. */
function toDay(atMicros: number): number {
  return Number(new Date(Math.floor(atMicros / 1_000)).toISOString().slice(0, 10).replaceAll('-', ''))
}

/** In the order of `messageColumns`. */
function writeMessage(
  writer: RowBinaryWriter,
  { record, naming, row, numbers, text, message }: MessageView,
): void {
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
  writer.text(isUtf8(record.payload) ? '' : text)
  writer.bytes(encodeFrames(record.frames, record.payload, record))
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
