import { slotSeconds, toSlot } from '@sip-capture/contract/bus/record-id.ts'
import { toMessageQuery } from '@sip-capture/contract/search/message-query.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { slotsOf } from './filter-sql.ts'
import type { MessageQuery } from './message-page.ts'
import type { StoredMessage } from './record-rows.ts'
import type { Store } from './store.ts'
import { findTextSlots, type SlotRange } from './text-index/text-index-reader.ts'
import { asksText, toTextNeeds, type TextNeeds } from './text-index/text-needs.ts'

/** A part of the slots of `messages`, and what can be expected of it. */
export interface Slots {
  /** For a WHERE, with its parameters. */
  readonly sql: string
  readonly params: Readonly<Record<string, unknown>>
  /** `near`: little to read; `far`: much, of which little may match. */
  readonly kind: 'near' | 'far'
  /** In place of the query's, where not all of the slots is meant. */
  readonly since?: number | undefined
  readonly until?: number | undefined
}

export const allSlots: Slots = { sql: '1', params: {}, kind: 'far' }

const slotMicros = slotSeconds * 1_000_000
/** What is read first: where much comes a page is full with it, and it lies in parts of its own for a while. */
const nearMicros = 3_000_000
/** Where the filter is known to find much, as little as this: what is of one moment is stored in one piece. */
const minNearMicros = 200_000
/** Then as much time as holds the rest of the page if it goes on like that, and more for the case that it does not: of the other slots
 *  the engine need not look at all parts. Few rows tell little, and where few come much costs little. */
const spare = { few: 4, many: 1.5 } as const
const manyRows = 16
const minGrowth = 2
/** Where nothing was found. */
const blindMicros = 16 * slotMicros
const blindGrowth = 32
/** Beyond, all that is left is read at once. */
const maxNearMicros = 512 * slotMicros
const maxSlot = 0xffff_ffff
/** Of many slots where a text may be: what is common is found in the first few. */
const textSlots = [2, 64] as const
const fewTextSlots = 256
const maxTextSlots = 8_192

/** The slots that a page may be made of, in its order: as soon as it is full the rest is not needed. `found`: its rows by
 *  now. @throws StoreError */
export async function* slotsInOrder(
  store: Store,
  query: MessageQuery,
  found: readonly StoredMessage[],
): AsyncGenerator<Slots> {
  const { callId, capture } = query.filter
  const asked = toMessageQuery(query.filter, { nowMicros: nowMicros() })
  const needs = toTextNeeds(asked)
  if (callId?.length) yield slotsOfCalls(callId)
  else if (capture?.length || (asksText(asked) && !needs)) yield* slotsAnywhere(store, query, needs)
  else yield* slotsFromEdge(store, query, { needs, found })
}

/** An import may be of any time, and where the index knows nothing of a text all may have to be read: the edge of the page is nothing to
 *  them. */
async function* slotsAnywhere(
  store: Store,
  query: MessageQuery,
  needs: TextNeeds | undefined,
): AsyncGenerator<Slots> {
  const all = rangeOf(query)
  const listed = needs && (await findTextSlots(store, needs, all))
  if (listed) yield* inPieces(listed, query)
  else yield toSlots(all, 'far')
}

/** Those at the edge of the page first. */
async function* slotsFromEdge(
  store: Store,
  query: MessageQuery,
  { needs, found }: { needs: TextNeeds | undefined; found: readonly StoredMessage[] },
): AsyncGenerator<Slots> {
  const edge = await edgeOf(store, query)
  const { order } = query
  let rest: Times = { since: query.since, until: query.until }
  let isAsked = needs === undefined
  let read = 0
  const density = densitiesOf(store)
  let next = density.firstMicros(query)
  while (edge !== undefined && isMore(query, rest) && read < maxNearMicros) {
    // What is common is in the first; where what is rare may be is known without going on step by step.
    if (!isAsked && needs && (read >= slotMicros || (read > 0 && found.length === 0))) {
      isAsked = true
      const listed = await findTextSlots(store, needs, rangeOf({ ...query, ...rest }))
      if (listed) {
        for (const slots of inPieces(listed, query)) yield { ...slots, ...rest }
        return
      }
    }
    const [near, others] = split(rest, order, timeFrom(edge, next, order))
    read = next
    try {
      yield { ...toSlots(rangeOf({ ...query, ...near }), 'near'), ...near }
    } finally {
      // Also when the page is full, and nobody comes back for more.
      density.note(query, found, read)
    }
    rest = others
    next = Math.min(maxNearMicros, nextMicros(read, found.length, query.limit))
  }
  if (!isMore(query, rest)) return
  const range = rangeOf({ ...query, ...rest })
  const listed = !isAsked && needs && (await findTextSlots(store, needs, range))
  for (const slots of listed ? inPieces(listed, query) : [toSlots(range, 'far')]) yield { ...slots, ...rest }
}

/** How far to read, from the edge on, after so much with so many rows. */
function nextMicros(read: number, found: number, limit: number): number {
  if (found === 0) return Math.max(blindMicros, read * blindGrowth)
  const times = found < manyRows ? spare.few : spare.many
  return Math.max((read * limit * times) / found, read * minGrowth)
}

type Times = Pick<MessageQuery, 'since' | 'until'>
type Order = MessageQuery['order']

/** So far from the edge; of more than a slot to the end of one, for what is read of it is read whole. */
function timeFrom(edge: number, far: number, order: Order): number {
  const at = Math.round(order === 'desc' ? edge - far : edge + far)
  if (far < slotMicros) return at
  return (order === 'desc' ? Math.floor(at / slotMicros) : Math.ceil(at / slotMicros)) * slotMicros
}

/** What a page in this order has on this side of a moment, and the rest. */
function split({ since, until }: Times, order: Order, moment: number): [Times, Times] {
  if (order === 'asc') {
    const at = Math.min(until ?? Infinity, moment)
    return [
      { since, until: at },
      { since: at, until },
    ]
  }
  const at = Math.max(since ?? 0, moment)
  return [
    { since: at, until },
    { since, until: at },
  ]
}

function isMore({ order, after }: MessageQuery, { since = 0, until = Infinity }: Times): boolean {
  return order === 'asc' ? since < until : Math.min(until, after ? after.atMicros + 1 : Infinity) > since
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
  // A row of an odd clock may be of the future.
  return Math.min(await readNewest(store), until ?? Infinity, after?.atMicros ?? Infinity, nowMicros())
}

/** Who types asks again and again. */
const newestMillis = 1_000
const newestOf = new WeakMap<Store, { readonly at: number; readonly readMillis: number }>()

/** How many rows a microsecond each filter found last: whoever reads on, page by page, or looks again reads no more than makes a page. */
class Densities {
  readonly #known = new Map<string, number>()

  /** How far to read at first, from the edge on. Never further than where nothing is known: it may have been a quiet night. */
  firstMicros({ filter, limit }: MessageQuery): number {
    const density = this.#known.get(JSON.stringify(filter))
    if (density === undefined) return nearMicros
    return Math.min(nearMicros, Math.max(minNearMicros, (limit * spare.many) / density))
  }

  /** `found`: of the time `read`, or where the page is full of as much of it as was needed. */
  note({ filter, limit }: MessageQuery, found: readonly StoredMessage[], read: number): void {
    const [first, last] = [found[0], found.at(-1)]
    const key = JSON.stringify(filter)
    this.#known.delete(key)
    if (!first || !last) return
    const micros =
      found.length < limit ? read : Math.max(1, Math.abs(first.record.atMicros - last.record.atMicros))
    this.#known.set(key, found.length / micros)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxDensities) break
      this.#known.delete(oldest)
    }
  }
}

const maxDensities = 64
const densities = new WeakMap<Store, Densities>()

function densitiesOf(store: Store): Densities {
  const known = densities.get(store) ?? new Densities()
  densities.set(store, known)
  return known
}

/** When the newest message is of, as of a second ago; 0: none. */
async function readNewest(store: Store): Promise<number> {
  const known = newestOf.get(store)
  if (known && performance.now() - known.readMillis < newestMillis) return known.at
  const readMillis = performance.now()
  const [newest] = await store.query<{ at: number }>(
    'SELECT toUnixTimestamp64Micro(max(messages.at)) AS at FROM messages',
  )
  const at = newest?.at ?? 0
  if (at > 0) newestOf.set(store, { at, readMillis })
  return at
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

function slotsOfCalls(callIds: readonly string[]): Slots {
  return {
    sql: slotsOf('{slotCallIds:Array(String)}'),
    params: { slotCallIds: callIds },
    kind: 'near',
  }
}
