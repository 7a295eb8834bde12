import { slotSeconds, toSlot } from '@sip-capture/contract/bus/record-id.ts'
import { inTurns } from '../../in-turns.ts'
import type { PackedMessages } from '../packed-messages.ts'
import { BinaryWriter } from '../binary-writer.ts'
import { textIndexColumnNames } from '../schema.ts'
import type { Store } from '../store.ts'
import { toDay } from '../time-sql.ts'
import { GramSignature, maxSizeBits, minSizeBits, toWordKey } from './text-grams.ts'

/** Lengths of spans, in slots: long ones where little comes. All divide a day, so that a span goes with the day of its messages. */
const spanSlots = [60, 6, 1] as const
/** More would fill the largest signature, which then tells nothing. */
const maxSpanMessages = 80_000
/** Bits for each message that a span may come to hold, or half of them: so that about half of them stay empty. */
const bitsPerMessage = 64

/** How many messages were written of each slot of late: what one batch alone cannot tell. */
export class SlotCounts {
  /** The one that was written to last is the last. */
  readonly #counts = new Map<number, number>()

  add(slot: number, messages: number): void {
    const count = this.of(slot) + messages
    this.#counts.delete(slot)
    this.#counts.set(slot, count)
    const [oldest] = this.#counts.keys()
    if (this.#counts.size > maxCountedSlots && oldest !== undefined) this.#counts.delete(oldest)
  }

  of(slot: number): number {
    return this.#counts.get(slot) ?? 0
  }
}

const maxCountedSlots = 1_000

/** Messages of a time, and how many of that time there may be in all if they go on coming as here. */
interface Span {
  readonly slot: number
  readonly slots: number
  readonly expected: number
  readonly rows: readonly number[]
}

/**
 * Writes which grams these messages have. Before the messages themselves: what is in no signature is not found.
 * @throws StoreError
 */
export async function insertTextIndex(
  store: Store,
  packed: PackedMessages,
  rows: readonly number[],
  counts: SlotCounts,
): Promise<void> {
  const writer = new BinaryWriter(64 * 1024)
  const { payloads, numbers } = packed
  for (const [slot, group] of groupBySlot(packed, rows, 1)) counts.add(slot, group.length)
  for (const span of spansOf(packed, rows, counts)) {
    const signature = new GramSignature(sizeBitsOf(span))
    await inTurns(span.rows, (row) => {
      signature.add(payloads, packed.payloadFrom(row), packed.payloadTo(row))
      signature.add(numbers, packed.numbersFrom(row), packed.numbersTo(row))
    })
    const day = toDay(span.slot * slotSeconds * 1_000_000)
    for (const [index, grams] of signature.words()) {
      writer.uint32(day)
      writer.uint32(toWordKey(signature.sizeBits, index))
      writer.uint16(span.slots)
      writer.uint32(span.slot)
      writer.fixed(grams)
    }
  }
  // Payloads of less than five bytes have no gram.
  if (writer.size > 0) await store.insertBinary('textIndex', textIndexColumnNames, writer.written())
}

function* spansOf(
  packed: PackedMessages,
  rows: readonly number[],
  counts: SlotCounts,
  level = 0,
): Generator<Span> {
  const slots = spanSlots[level] ?? 1
  for (const [slot, group] of groupBySlot(packed, rows, slots)) {
    const expected = perSecond(packed, group, counts) * slots * slotSeconds
    if (expected > maxSpanMessages && level + 1 < spanSlots.length)
      yield* spansOf(packed, group, counts, level + 1)
    else yield { slot, slots, expected: Math.max(expected, group.length), rows: group }
  }
}

/** By the first slot of the span of so many that each is in. */
function groupBySlot(packed: PackedMessages, rows: readonly number[], slots: number): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const row of rows) {
    const slot = Math.floor(toSlot(packed.atMicrosOf(row)) / slots) * slots
    const group = groups.get(slot)
    if (group) group.push(row)
    else groups.set(slot, [row])
  }
  return groups
}

/** How fast they come: as these did, or as in their last slot and the one before. What came within a second counts as a second's. */
function perSecond(packed: PackedMessages, rows: readonly number[], counts: SlotCounts): number {
  let first = Infinity
  let last = -Infinity
  for (const row of rows) {
    const atMicros = packed.atMicrosOf(row)
    if (atMicros < first) first = atMicros
    if (atMicros > last) last = atMicros
  }
  const slot = toSlot(last)
  return Math.max(
    rows.length / Math.max(1, (last - first) / 1_000_000),
    Math.max(counts.of(slot), counts.of(slot - 1)) / slotSeconds,
  )
}

function sizeBitsOf({ expected }: Span): number {
  const bits = Math.floor(Math.log2(expected * bitsPerMessage))
  return Math.min(maxSizeBits, Math.max(minSizeBits, bits))
}
