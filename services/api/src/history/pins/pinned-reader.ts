import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import type { Resolution } from '@sip-capture/contract/rest/call-log.ts'
import { parseTime } from '@sip-capture/contract/time.ts'
import type { CallRecord } from '../../calls/call-record.ts'
import { findCallRecords, listCalls, type CallPage } from '../../calls/call-store.ts'
import { resolveCall } from '../../calls/resolve.ts'
import { readRtcpReports, type RtcpReports } from '../../quality/rtcp-store.ts'
import { toSpans, type TimeSpan } from '../call-spans.ts'
import { findCall, readCallEvents, type FoundCall } from '../leg-store.ts'
import { addGuessedLegs, findOpening, isTold } from '../legs/guessed-legs.ts'
import { listMessages, type MessagePage } from '../message-page.ts'
import {
  findMessage,
  ofCalls,
  readCallSlots,
  readCallSpan,
  readCallTimes,
  readSlots,
  type CallRows,
  type RowKey,
} from '../message-reader.ts'
import { queryRecords, type MessageTable, type StoredMessage } from '../record-rows.ts'
import type { Store } from '../store.ts'
import { findPin, hasPins, joinCalls, type Pin } from './pin-store.ts'

/**
 * What the API asks of history, with the calls that are kept: a call is read from its copy once retention has taken any of its
 * messages, and its copy is as whole as the call ever was. What writes history does not look here.
 */

export async function findKeptCall(
  store: Store,
  { id, capture }: { id: string; capture?: string | undefined },
): Promise<FoundCall> {
  const [found, pin] = await Promise.all([
    findCall(store, { id, capture }).then((call) => addGuessedLegs(store, call, capture)),
    findPin(store, { names: [id], capture: capture ?? '' }),
  ])
  return pin ? joinCalls(pin.call, found) : found
}

/** Retention took of the call itself: its copy must be read. */
async function hasMore(store: Store, pin: Pin, { callIds, capture }: CallRows): Promise<boolean> {
  const [row] = await store.query<{ messages: number }>(
    `SELECT uniqExact(messages.id) AS messages FROM messages WHERE ${ofCalls}`,
    { callIds, capture },
  )
  return (row?.messages ?? 0) < pin.messages
}

/** A call that is opened: which it is, how much there is of it, and the first of its messages. */
export interface OpenedCall {
  readonly call: FoundCall
  /** Where its messages are. */
  readonly from: MessageTable
  /** How many messages it has; counted to one more than `max`. */
  readonly count: number
  /** Where in time to read them; the first is read already. */
  readonly spans: readonly TimeSpan[]
  readonly first: StoredMessage[]
}

interface OpenQuery {
  readonly id: string
  readonly capture?: string | undefined
  readonly max: number
  /** Messages of the first span, and of each other. */
  readonly rows: { readonly first: number; readonly others: number }
}

export async function openKeptCall(store: Store, query: OpenQuery): Promise<OpenedCall> {
  const { id, capture = '' } = query
  const open = async (callIds: readonly string[]) => {
    const rows: CallRows = { callIds, capture, from: 'messages' }
    // Hardly any call is kept: the call itself is read meanwhile.
    const [pin, own] = await Promise.all([
      findPin(store, { names: [id, ...callIds], capture }),
      openRows(store, rows, query),
    ])
    return { rows, pin, own }
  }
  const told = await findCall(store, query)
  // What Asterisk told nothing of is mostly a dialog by itself, and what it says is needed to look for others.
  const alone = isTold(told) ? undefined : await open(told.callIds)
  const found = alone ? await addGuessedLegs(store, told, query.capture, findOpening(alone.own.first)) : told
  const isAlone = found.callIds.length === told.callIds.length
  const { rows, pin, own } = alone && isAlone ? alone : await open(found.callIds)
  if (!pin) return { call: found, ...own }
  const call = joinCalls(pin.call, found)
  const kept = { ...rows, callIds: call.callIds }
  const from = (await hasMore(store, pin, kept)) ? 'pinnedMessages AS messages' : 'messages'
  return { call, ...(await openRows(store, { ...kept, from }, query)) }
}

/** Of 10 s: most calls have messages in no more. */
const fewSlots = 8

async function openRows(
  store: Store,
  rows: CallRows,
  { max, rows: sizes }: OpenQuery,
): Promise<Omit<OpenedCall, 'call'>> {
  const { from } = rows
  // Cheaper than to ask when each message was, and enough for a call that is short.
  const slots = from === 'messages' ? await readCallSlots(store, { ...rows, limit: fewSlots + 1 }) : []
  const readBegin = () =>
    readSlots(store, { ...rows, slots: slots.slice(0, fewSlots), limit: sizes.first + 1 })
  const isShort = from === 'messages' && slots.length <= fewSlots
  const begin = isShort && slots.length > 0 ? await readBegin() : []
  if (isShort && begin.length <= Math.min(sizes.first, max)) {
    const times = begin.map(({ record }) => record.atMicros)
    return { from, count: begin.length, spans: toSpans(times, sizes), first: begin }
  }
  const limit = max + 1
  const [times, read] = await Promise.all([
    readCallTimes(store, { ...rows, limit }),
    isShort || slots.length === 0 ? begin : readBegin(),
  ])
  const spans = toSpans(times, sizes)
  const [span] = spans
  if (!span) return { from, count: 0, spans, first: [] }
  const isOfFirst = (atMicros: number) => atMicros < span.untilMicros
  const first = read.filter(({ record }) => isOfFirst(record.atMicros))
  const isWhole = first.length === times.filter(isOfFirst).length
  return {
    from,
    count: times.length,
    spans,
    first: isWhole ? first : await readCallSpan(store, { ...rows, ...span, limit }),
  }
}

export async function findKeptMessage(store: Store, id: string): Promise<StoredMessage | undefined> {
  const found = await findMessage(store, id)
  if (found) return found
  const [kept] = await queryRecords(
    store,
    'WHERE messages.id = {id:UUID} LIMIT 1',
    { id },
    { from: 'pinnedMessages AS messages' },
  )
  return kept
}

export async function findKeptRecord(
  store: Store,
  query: Parameters<typeof findCallRecords>[1],
): Promise<CallRecord | undefined> {
  const [record] = await findCallRecords(store, query)
  return record ?? (await findCallRecords(store, query, 'pinnedCalls AS calls'))[0]
}

export async function readKeptEvents(store: Store, call: FoundCall): Promise<CallEvent[]> {
  const [events, kept] = await Promise.all([
    readCallEvents(store, call),
    readCallEvents(store, call, 'pinnedCallEvents'),
  ])
  return events.length < kept.length ? kept : events
}

export async function readKeptRtcpReports(store: Store, call: FoundCall): Promise<RtcpReports> {
  const [found, kept] = await Promise.all([
    readRtcpReports(store, call),
    readRtcpReports(store, call, 'pinnedCallEvents'),
  ])
  return found.reports.length < kept.reports.length ? kept : found
}

export async function listKeptCalls(store: Store, query: Parameters<typeof listCalls>[1]): Promise<CallPage> {
  const [page, kept] = await Promise.all([
    listCalls(store, query),
    ifKept(store, () => listCalls(store, query, 'pinnedCalls AS calls')),
  ])
  return mergePages(page, kept, query, ({ id, startedAt }) => ({ id, atMicros: parseTime(startedAt) ?? 0 }))
}

export async function listKeptMessages(
  store: Store,
  query: Parameters<typeof listMessages>[1],
): Promise<MessagePage> {
  const [page, kept] = await Promise.all([
    listMessages(store, query),
    ifKept(store, () => listMessages(store, query, 'pinnedMessages AS messages')),
  ])
  return mergePages(page, kept, query, ({ id, at }) => ({ id, atMicros: parseTime(at) ?? 0 }))
}

/** Mostly nothing is kept, and to see that is cheaper than a page of it. */
async function ifKept<T>(store: Store, list: () => Promise<Page<T>>): Promise<Page<T>> {
  return (await hasPins(store)) ? await list() : { items: [], next: null }
}

interface Page<T> {
  readonly items: T[]
  readonly next: RowKey | null
}

/** Two pages of one question behind the same key, each row once. */
function mergePages<T>(
  page: Page<T>,
  kept: Page<T>,
  { order, limit }: { order: 'asc' | 'desc'; limit: number },
  keyOf: (item: T) => RowKey,
): Page<T> {
  if (kept.items.length === 0) return page
  const sign = order === 'asc' ? 1 : -1
  const known = new Set(page.items.map((item) => keyOf(item).id))
  const others = kept.items.filter((item) => !known.has(keyOf(item).id))
  const all = [...page.items, ...others].toSorted((a, b) => sign * compareKeys(keyOf(a), keyOf(b)))
  const items = all.slice(0, limit)
  const last = items.at(-1)
  const hasMore = all.length > limit || page.next !== null || kept.next !== null
  return { items, next: hasMore && last !== undefined ? keyOf(last) : null }
}

/** ClickHouse orders UUIDs by their second half first. */
const turned = ({ id }: RowKey): string => id.slice(16) + id.slice(0, 16)

function compareKeys(a: RowKey, b: RowKey): number {
  return a.atMicros - b.atMicros || (turned(a) < turned(b) ? -1 : Number(turned(a) > turned(b)))
}

/** A deep link to a call that only its copy still knows. */
export async function resolveKeptCall(
  store: Store,
  query: Parameters<typeof resolveCall>[1],
): Promise<Resolution> {
  const found = await resolveCall(store, query)
  const { id } = query
  if (id === undefined || found.match === 'exact' || found.match === 'linked') return found
  const pin = await findPin(store, { names: [id], capture: '' })
  if (!pin) return found
  const callId = pin.call.callIds.includes(id) ? id : (pin.call.callIds[0] ?? id)
  const record = await findKeptRecord(store, { callIds: pin.call.callIds, capture: '' })
  return {
    match: callId === id ? 'exact' : 'linked',
    callId,
    candidates: record ? [{ call: record.row, distanceSeconds: null, why: [] }] : [],
  }
}
