import { slotSeconds, toSlot } from '@sip-capture/contract/bus/record-id.ts'
import { toMessageQuery } from '@sip-capture/contract/search/message-query.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { slotsOf } from './filter-sql.ts'
import type { MessageQuery } from './message-page.ts'
import type { Store } from './store.ts'
import { findTextSlots, type SlotRange } from './text-index/text-index-reader.ts'
import { asksText, toTextNeeds, type TextNeeds } from './text-index/text-needs.ts'

/** A part of the slots of `messages`, and what can be expected of it. */
export interface Slots {
  /** For a WHERE, with its parameters. */
  readonly sql: string
  readonly params: Readonly<Record<string, unknown>>
  /** `call`: most rows that match are on the page; `near`: little to read; `far`: much, of which little may match. */
  readonly kind: 'call' | 'near' | 'far'
  /** In place of the query's, where not all of the slots is meant. */
  readonly since?: number
  readonly until?: number
}

export const allSlots: Slots = { sql: '1', params: {}, kind: 'far' }

/** What is read first: where much comes a page is full with it, and it lies in parts of its own for a while. */
const nearMicros = 1_000_000
/** Then so many slots as hold the rest of the page if it goes on like that, and more for the case that it does not: of the others the
 *  engine need not look at all parts. Few rows tell little, and where few come much costs little. */
const spare = { few: 4, many: 1.5 } as const
const manyRows = 16
/** Where nothing was found. */
const blindSlots = 16
const blindGrowth = 32
const minGrowth = 4
/** Beyond, all that is left is read at once. */
const maxNearSlots = 512
const maxSlot = 0xffff_ffff
/** Of many slots where a text may be: what is common is found in the first few. */
const textSlots = [2, 64] as const
const fewTextSlots = 256
const maxTextSlots = 8_192
const fewSlots = 16
const maxListedSlots = 1_000

/** The slots that a page may be made of, in its order: as soon as it is full the rest is not needed. `found`: how many rows it has
 *  by now. @throws StoreError */
export async function* slotsInOrder(
  store: Store,
  query: MessageQuery,
  found: () => number,
): AsyncGenerator<Slots> {
  const { callId, capture } = query.filter
  const asked = toMessageQuery(query.filter, { nowMicros: nowMicros() })
  const needs = toTextNeeds(asked)
  if (callId?.length) yield* slotsOfCalls(store, callId)
  else if (capture?.length || asksText(asked)) yield* slotsAnywhere(store, query, { needs, found })
  else yield* slotsFromEdge(store, query, { needs, found, kind: 'near' })
}

interface Hints {
  readonly needs: TextNeeds | undefined
  readonly found: () => number
}

/** Words in the text are mostly rare, and an import may be of any time: the edge of the page is nothing to them. */
async function* slotsAnywhere(
  store: Store,
  query: MessageQuery,
  { needs, found }: Hints,
): AsyncGenerator<Slots> {
  const all = rangeOf(query)
  const listed = needs && (await findTextSlots(store, needs, all))
  if (listed) yield* inPieces(listed, query)
  else if (needs) yield* slotsFromEdge(store, query, { needs: undefined, found, kind: 'far' })
  else yield toSlots(all, 'far')
}

/** Those at the edge of the page first. */
async function* slotsFromEdge(
  store: Store,
  query: MessageQuery,
  { needs, found, kind }: Hints & { kind: 'near' | 'far' },
): AsyncGenerator<Slots> {
  const edge = await edgeOf(store, query)
  if (edge === undefined) {
    const range = rangeOf(query)
    const listed = needs && (await findTextSlots(store, needs, range))
    if (listed) yield* inPieces(listed, query)
    else yield toSlots(range, 'far')
    return
  }
  const [second, others] = splitTimes(query, edge)
  yield { ...toSlots(rangeOf({ ...query, ...second }), kind), ...second }
  for await (const slots of slotsBehind(
    store,
    { ...query, ...others },
    { edge: toSlot(edge), needs, found, kind },
  ))
    yield { ...slots, ...others }
}

async function* slotsBehind(
  store: Store,
  query: MessageQuery,
  { edge, needs, found, kind }: Hints & { edge: number; kind: 'near' | 'far' },
): AsyncGenerator<Slots> {
  let rest = rangeOf(query)
  const isMore = (): boolean => rest.first <= rest.last
  let isAsked = needs === undefined
  let read = nearMicros / 1_000_000 / slotSeconds
  while (isMore() && read < maxNearSlots) {
    // What is common is in the first; where what is rare may be is known without going on step by step.
    if (!isAsked && needs && (read >= 1 || found() === 0)) {
      isAsked = true
      const listed = await findTextSlots(store, needs, rest)
      if (listed) {
        yield* inPieces(listed, query)
        return
      }
    }
    read = Math.min(maxNearSlots, nextSlots(read, found(), query.limit))
    const [near, others] = split(rest, query.order === 'desc' ? edge - read : edge + read, query.order)
    if (near.first <= near.last) yield toSlots(near, kind)
    rest = others
  }
  if (isMore()) yield toSlots(rest, 'far')
}

/** How far to read, in slots from the edge on, after so many of them with so many rows. */
function nextSlots(read: number, found: number, limit: number): number {
  if (found === 0) return Math.max(blindSlots, Math.floor(read) * blindGrowth)
  const times = found < manyRows ? spare.few : spare.many
  return Math.ceil(Math.max((read * limit * times) / found, read * minGrowth))
}

type Times = Pick<Slots, 'since' | 'until'>

/** What the page has within a second of its edge, and the rest. */
function splitTimes({ order, since, until }: MessageQuery, edge: number): [Times, Times] {
  if (order === 'asc') {
    const at = Math.min(until ?? Infinity, edge + nearMicros)
    return [{ until: at }, { since: at }]
  }
  const at = Math.max(since ?? 0, edge - nearMicros)
  return [{ since: at }, { until: at }]
}

/** What a page in this order has on this side of a slot, which the rest begins with. */
function split(range: SlotRange, slot: number, order: MessageQuery['order']): [SlotRange, SlotRange] {
  return order === 'desc'
    ? [
        { ...range, first: Math.max(range.first, slot + 1) },
        { ...range, last: Math.min(range.last, slot) },
      ]
    : [
        { ...range, last: Math.min(range.last, slot - 1) },
        { ...range, first: Math.max(range.first, slot) },
      ]
}

function* inPieces(found: readonly number[], { order }: MessageQuery): Generator<Slots> {
  const inOrder = order === 'desc' ? found.toReversed() : found
  const pieces = found.length > fewTextSlots ? textSlots : []
  let at = 0
  for (let n = 0; at < inOrder.length; n++) {
    const slots = inOrder.slice(at, at + (pieces[n] ?? maxTextSlots))
    const kind = slots.length > fewTextSlots ? 'far' : 'near'
    yield { sql: 'slot IN {slots:Array(UInt32)}', params: { slots }, kind }
    at += slots.length
  }
}

/** The moment that the page begins at, epoch microseconds; undefined where nothing tells it. */
async function edgeOf(
  store: Store,
  { order, since, until, after, filter }: MessageQuery,
): Promise<number | undefined> {
  if (filter.capture?.length) return undefined
  if (order === 'asc') {
    const start = Math.max(since ?? 0, after?.atMicros ?? 0)
    return start === 0 ? undefined : start
  }
  const [newest] = await store.query<{ at: number }>(
    'SELECT toUnixTimestamp64Micro(max(messages.at)) AS at FROM messages',
  )
  // A row of an odd clock may be of the future.
  return Math.min(newest?.at ?? 0, until ?? Infinity, after?.atMicros ?? Infinity, nowMicros())
}

/** Slots that hold something of the time that is asked for. */
function rangeOf({ order, since, until, after }: MessageQuery): SlotRange {
  const from = Math.max(since ?? 0, order === 'asc' ? (after?.atMicros ?? 0) : 0)
  const to = Math.min(until ?? Infinity, order === 'desc' ? (after?.atMicros ?? Infinity) : Infinity)
  return { first: Math.max(0, toSlot(from)), last: Math.min(maxSlot, Math.max(0, toSlot(to))) }
}

function toSlots({ first, last }: SlotRange, kind: Slots['kind']): Slots {
  return { sql: 'slot >= {first:UInt32} AND slot <= {last:UInt32}', params: { first, last }, kind }
}

async function* slotsOfCalls(store: Store, callIds: readonly string[]): AsyncGenerator<Slots> {
  const rows = await store.query<{ slot: number }>(
    `SELECT DISTINCT slot FROM callSlots WHERE callId IN {callIds:Array(String)} LIMIT {limit:UInt32}
     SETTINGS max_threads = 1`,
    { callIds, limit: maxListedSlots + 1 },
  )
  if (rows.length > maxListedSlots)
    yield { sql: slotsOf('{slotCallIds:Array(String)}'), params: { slotCallIds: callIds }, kind: 'far' }
  else if (rows.length > 0)
    yield {
      sql: 'slot IN {slots:Array(UInt32)}',
      params: { slots: rows.map(({ slot }) => slot) },
      kind: rows.length <= fewSlots ? 'call' : 'far',
    }
}
