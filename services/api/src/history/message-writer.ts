import { toSlot } from '@sip-capture/contract/bus/record-id.ts'
import { RecentIds } from '../recent-ids.ts'
import { insertRegisters } from '../registrations/register-store.ts'
import type { PackedCall, PackedMessages } from './packed-messages.ts'
import { RowBinaryReader } from './row-binary-reader.ts'
import { BinaryWriter } from './binary-writer.ts'
import { callSlotColumnNames, writtenColumnNames } from './schema.ts'
import type { Store } from './store.ts'
import { insertTextIndex, SlotCounts } from './text-index/text-index-writer.ts'
import { atOrAfter, atOrBefore, toDay } from './time-sql.ts'

export interface InsertOutcome {
  readonly stored: number
  /** Rows that were there already: redelivered. */
  readonly duplicates: number
}

/** What was written of late: what one batch alone cannot tell. */
export class InsertMemory {
  readonly counts = new SlotCounts()
  /** Most messages of a call come while its slot goes on. */
  readonly callSlots = new RecentIds(maxCallSlots)
}

const maxCallSlots = 50_000

/**
 * Stores rows of `packed`, all unless told; a message whose id is there already is left out. `messages` is written last and
 * decides what is there: what a death before it left of the others shows nobody, and is written again. Durable when it resolves.
 * `areNew`: none of them can be there, so nobody need look. `memory`: of all that the caller writes.
 * @throws StoreError
 */
export async function insertMessages(
  store: Store,
  packed: PackedMessages,
  rows: readonly number[] = packed.rows,
  { areNew = false, memory = new InsertMemory() }: { areNew?: boolean; memory?: InsertMemory } = {},
): Promise<InsertOutcome> {
  const unique = uniqueOf(packed, rows)
  const known = areNew || unique.length === 0 ? new Set<string>() : await findKnownIds(store, packed, unique)
  const fresh = known.size === 0 ? unique : unique.filter((row) => !known.has(packed.idOf(row)))
  if (fresh.length > 0) {
    await insertCallSlots(store, packed, fresh, memory.callSlots)
    await insertTextIndex(store, packed, fresh, memory.counts)
    await insertRegisters(
      store,
      fresh.flatMap((row) => packed.registerOf(row) ?? []),
    )
    await store.insertColumns('messages', writtenColumnNames, packed.blockOf(fresh))
  }
  return { stored: fresh.length, duplicates: rows.length - fresh.length }
}

/** Each id once. */
function uniqueOf(packed: PackedMessages, rows: readonly number[]): readonly number[] {
  const byId = new Map<string, number>()
  for (const row of rows) byId.set(packed.idOf(row), row)
  return byId.size === rows.length ? rows : [...byId.values()]
}

/** What a batch of live traffic lasts, at most, with what came late. */
const maxBatchMicros = 30_000_000
const maxListedIds = 100_000

/** Ids that are there already, of these rows and perhaps of others. */
async function findKnownIds(
  store: Store,
  packed: PackedMessages,
  rows: readonly number[],
): Promise<ReadonlySet<string>> {
  const stamps = rows.map((row) => packed.atMicrosOf(row))
  const from = stamps.reduce((a, b) => Math.min(a, b), Infinity)
  const to = stamps.reduce((a, b) => Math.max(a, b), 0)
  const slots = [...new Set(stamps.map(toSlot))]
  if (to - from <= maxBatchMicros) {
    // Mostly nothing is of their time yet: that is known without a look at thousands of ids.
    const ids = await readIds(
      store,
      `slot IN {slots:Array(UInt32)} AND ${atOrAfter('{from:Int64}')} AND ${atOrBefore('{to:Int64}')}
       LIMIT {limit:UInt32}`,
      { slots, from, to, limit: maxListedIds },
    )
    if (ids.length < maxListedIds) return new Set(ids)
  }
  const asked = { slots, ids: rows.map((row) => packed.idOf(row)) }
  return new Set(
    await readIds(store, 'slot IN {slots:Array(UInt32)} AND messages.id IN {ids:Array(UUID)}', asked),
  )
}

async function readIds(store: Store, where: string, params: Record<string, unknown>): Promise<string[]> {
  const rows = new RowBinaryReader(
    await store.queryBinary(`SELECT messages.id FROM messages WHERE ${where}`, params),
  )
  const ids: string[] = []
  while (!rows.isEnd) ids.push(rows.uuid())
  return ids
}

async function insertCallSlots(
  store: Store,
  packed: PackedMessages,
  rows: readonly number[],
  recent: RecentIds,
): Promise<void> {
  const writer = new BinaryWriter(64 * 1024)
  const written = new Set<string>()
  const lastSlots = new Map<PackedCall, number>()
  for (const row of rows) {
    const atMicros = packed.atMicrosOf(row)
    const call = packed.callOf(row)
    const slot = toSlot(atMicros)
    if (lastSlots.get(call) === slot) continue
    lastSlots.set(call, slot)
    const { callId, capture } = call
    const key = `${slot} ${capture} ${callId}`
    if (written.has(key) || recent.has(key)) continue
    written.add(key)
    writer.text(callId)
    writer.text(capture)
    writer.uint32(slot)
    writer.uint32(toDay(atMicros))
  }
  if (written.size === 0) return
  await store.insertBinary('callSlots', callSlotColumnNames, writer.written())
  for (const key of written) recent.add(key)
}
