import { RowBinaryReader } from '../row-binary-reader.ts'
import type { Store } from '../store.ts'
import { hashGrams, keyWords, maxSizeBits, minSizeBits, toWordKey, wordBits } from './text-grams.ts'
import type { TextNeeds } from './text-needs.ts'

/** Both inclusive. */
export interface SlotRange {
  readonly first: number
  readonly last: number
}

/** Of a text: so many tell a message that has it from all others. */
const maxGrams = 32
/** A list of more helps nobody, nor one of more than these that names half of all there are. */
const maxSlots = 100_000
const fewSlots = 1_000
/** Words of spans that have all their bits: more are of a text that is nearly anywhere. */
const maxWords = 1_000_000

/**
 * The slots of `messages` where these texts may be, in order: each message that has them is in one of these. Undefined where they
 * may be nearly anywhere. @throws StoreError
 */
export async function findTextSlots(
  store: Store,
  needs: TextNeeds,
  range: SlotRange,
): Promise<readonly number[] | undefined> {
  const answers = await Promise.all([
    readSlotsOutside(store, range),
    ...needs.map((texts) => readSpans(store, texts, range)),
  ])
  const found = new Set<number>()
  for (const spans of answers) {
    if (!spans) return undefined
    for (const { slot, slots } of spans) {
      const last = Math.min(range.last, slot + slots - 1)
      for (let one = Math.max(range.first, slot); one <= last; one++) found.add(one)
      if (found.size > maxSlots) return undefined
    }
  }
  const inOrder = [...found].toSorted((a, b) => a - b)
  const between = (inOrder.at(-1) ?? 0) - (inOrder[0] ?? 0)
  return inOrder.length > fewSlots && inOrder.length * 2 > between ? undefined : inOrder
}

interface Span {
  readonly slot: number
  readonly slots: number
}

/** Messages of versions that wrote no index. */
async function readSlotsOutside(store: Store, { first, last }: SlotRange): Promise<Span[]> {
  return await store.query<Span>(
    `SELECT DISTINCT slot, 1 AS slots FROM messages
     WHERE NOT inTextIndex AND slot >= {first:UInt32} AND slot <= {last:UInt32} LIMIT {limit:UInt32}
     SETTINGS max_threads = 1`,
    { first, last, limit: maxSlots + 1 },
  )
}

/** Spans whose signatures have each gram of all the texts; undefined where they are too many. @throws StoreError */
async function readSpans(
  store: Store,
  texts: readonly string[],
  { first, last }: SlotRange,
): Promise<Span[] | undefined> {
  const masks = toMasks(texts)
  // Which words have all their bits; whether these are all words of a span is told here, for a third of the engine's time.
  const bytes = await store.queryBinary(
    `WITH {words:Array(UInt32)} AS words,
       arrayMap(mask -> reinterpretAsUInt256(unhex(mask)), {masks:Array(String)})[indexOf(words, word)] AS mask
     SELECT word, slots, slot FROM textIndex
     WHERE word IN words AND slot <= {last:UInt32} AND slot + slots > {first:UInt32}
     GROUP BY word, slots, slot HAVING bitAnd(groupBitOr(grams), mask) = mask
     LIMIT {limit:UInt32} SETTINGS max_threads = 1`,
    {
      limit: maxWords,
      words: [...masks.keys()],
      masks: [...masks.values()].map((mask) => mask.toString('hex')),
      first,
      last,
    },
  )
  if (bytes.length >= maxWords * wordRowBytes) return undefined
  const wanted = new Map<number, number>()
  for (const word of masks.keys()) wanted.set(sizeOf(word), (wanted.get(sizeOf(word)) ?? 0) + 1)
  const found = new Map<string, Span & { words: number }>()
  const spans: Span[] = []
  for (const rows = new RowBinaryReader(bytes); !rows.isEnd;) {
    const size = sizeOf(rows.uint32())
    const [slots, slot] = [rows.uint16(), rows.uint32()]
    const key = `${size} ${slots} ${slot}`
    const span = found.get(key) ?? { slot, slots, words: 0 }
    found.set(key, span)
    span.words += 1
    if (span.words === wanted.get(size)) spans.push(span)
  }
  return spans
}

/** Two UInt32 and a UInt16. */
const wordRowBytes = 10

const sizeOf = (word: number): number => Math.floor(word / keyWords)

/** By the key of its word, the bits that must be set in it, for signatures of every size. */
function toMasks(texts: readonly string[]): Map<number, Buffer> {
  const masks = new Map<number, Buffer>()
  for (const hash of texts.flatMap((text) => spread(hashGrams(text), maxGrams)))
    for (let size = minSizeBits; size <= maxSizeBits; size++) {
      const bit = hash >>> (32 - size)
      const key = toWordKey(size, Math.floor(bit / wordBits))
      const mask = masks.get(key) ?? Buffer.alloc(wordBits / 8)
      masks.set(key, mask)
      const inWord = bit % wordBits
      mask[inWord >> 3] = (mask[inWord >> 3] ?? 0) | (1 << (inWord & 7))
    }
  return masks
}

/** At most so many, from all along the list. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items]
  return Array.from({ length: count }, (_, n) => items[Math.floor((n * items.length) / count)] as T)
}
