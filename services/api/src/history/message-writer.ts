import { toSlot } from '@sip-capture/contract/bus/record-id.ts'
import { insertRegisters } from '../registrations/register-store.ts'
import type { PackedMessage, PackedMessages } from './packed-messages.ts'
import { RowBinaryWriter } from './row-binary-writer.ts'
import { callSlotColumnNames, writtenColumnNames } from './schema.ts'
import type { Store } from './store.ts'
import { insertTextIndex, type SlotCounts } from './text-index/text-index-writer.ts'
import { toDay } from './time-sql.ts'

export interface InsertOutcome {
  readonly stored: number
  /** Rows that were there already: redelivered. */
  readonly duplicates: number
}

/**
 * Stores messages of `packed`, all unless told; a message whose id is there already is left out. `messages` is written last and
 * decides what is there: what a death before it left of the others shows nobody, and is written again. Durable when it resolves.
 * `areNew`: none of them can be there, so nobody need look. `counts`: of all that the caller writes.
 * @throws StoreError
 */
export async function insertMessages(
  store: Store,
  packed: PackedMessages,
  messages: readonly PackedMessage[] = packed.all,
  { areNew = false, counts }: { areNew?: boolean; counts?: SlotCounts } = {},
): Promise<InsertOutcome> {
  const unique = [...new Map(messages.map((message) => [message.id, message])).values()]
  const known = areNew ? new Set<string>() : await findKnownIds(store, unique)
  const fresh = known.size === 0 ? unique : unique.filter(({ id }) => !known.has(id))
  if (fresh.length > 0) {
    await insertCallSlots(store, fresh)
    await insertTextIndex(store, packed, fresh, counts)
    await insertRegisters(
      store,
      fresh.flatMap(({ register }) => register ?? []),
    )
    await store.insertBinary('messages', writtenColumnNames, packed.rowsOf(fresh))
  }
  return { stored: fresh.length, duplicates: messages.length - fresh.length }
}

async function findKnownIds(store: Store, messages: readonly PackedMessage[]): Promise<Set<string>> {
  if (messages.length === 0) return new Set()
  const rows = await store.query<{ id: string }>(
    `SELECT lower(hex(id)) AS id FROM messages
     WHERE slot IN {slots:Array(UInt32)} AND messages.id IN {ids:Array(UUID)}`,
    {
      ids: messages.map(({ id }) => id),
      slots: [...new Set(messages.map(({ atMicros }) => toSlot(atMicros)))],
    },
  )
  return new Set(rows.map((row) => row.id))
}

async function insertCallSlots(store: Store, messages: readonly PackedMessage[]): Promise<void> {
  const writer = new RowBinaryWriter(messages.length * 64)
  const written = new Set<string>()
  for (const { atMicros, callId, capture } of messages) {
    const slot = toSlot(atMicros)
    const key = `${slot} ${capture} ${callId}`
    if (written.has(key)) continue
    written.add(key)
    writer.text(callId)
    writer.text(capture)
    writer.uint32(slot)
    writer.uint32(toDay(atMicros))
  }
  await store.insertBinary('callSlots', callSlotColumnNames, writer.written())
}
