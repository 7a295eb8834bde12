import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import type { Resolution } from '@sip-capture/contract/rest/call-log.ts'
import { parseTime } from '@sip-capture/contract/time.ts'
import type { CallRecord } from '../../calls/call-record.ts'
import { findCallRecords, listCalls, type CallPage } from '../../calls/call-store.ts'
import { resolveCall } from '../../calls/resolve.ts'
import { readRtcpReports, type RtcpReports } from '../../quality/rtcp-store.ts'
import { findCall, readCallEvents, type FoundCall } from '../leg-store.ts'
import { addGuessedLegs } from '../legs/guessed-legs.ts'
import {
  countCallMessages,
  findMessage,
  listMessages,
  ofCalls,
  readCallMessages,
  type MessagePage,
  type RowKey,
} from '../message-reader.ts'
import { queryRecords, type StoredMessage } from '../record-rows.ts'
import type { Store } from '../store.ts'
import { atOrAfter, micros } from '../time-sql.ts'
import { findPin, joinCalls, type Pin } from './pin-store.ts'

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

/** The pin whose copy must be read, since retention took of the call itself. */
async function findLonePin(
  store: Store,
  { callIds, capture }: { callIds: readonly string[]; capture: string },
): Promise<Pin | undefined> {
  const pin = await findPin(store, { names: callIds, capture })
  if (!pin) return undefined
  const [row] = await store.query<{ messages: number }>(
    `SELECT uniqExact(messages.id) AS messages FROM messages WHERE ${ofCalls}`,
    { callIds, capture },
  )
  return (row?.messages ?? 0) < pin.messages ? pin : undefined
}

type MessagesQuery = Parameters<typeof readCallMessages>[1]

export async function readKeptMessages(store: Store, query: MessagesQuery): Promise<StoredMessage[]> {
  const { callIds, capture = '', limit, after } = query
  if (!(await findLonePin(store, { callIds, capture }))) return await readCallMessages(store, query)
  const keyset = after
    ? `AND ${atOrAfter('{afterAt:Int64}')} AND (messages.at > ${micros('afterAt')} OR messages.id > {afterId:UUID})`
    : ''
  return await queryRecords(
    store,
    `WHERE callId IN {callIds:Array(String)} AND capture = {capture:String} ${keyset}
     ORDER BY messages.at, messages.id LIMIT 1 BY messages.at, messages.id LIMIT {limit:UInt32}`,
    { callIds, capture, limit, ...(after ? { afterAt: after.atMicros, afterId: after.id } : {}) },
    'pinnedMessages AS messages',
  )
}

export async function countKeptMessages(
  store: Store,
  query: Parameters<typeof countCallMessages>[1],
): Promise<number> {
  const { callIds, capture = '', limit } = query
  const pin = await findLonePin(store, { callIds, capture })
  return pin ? Math.min(pin.messages, limit) : await countCallMessages(store, query)
}

export async function findKeptMessage(store: Store, id: string): Promise<StoredMessage | undefined> {
  const found = await findMessage(store, id)
  if (found) return found
  const [kept] = await queryRecords(
    store,
    'WHERE messages.id = {id:UUID} LIMIT 1',
    { id },
    'pinnedMessages AS messages',
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
    listCalls(store, query, 'pinnedCalls AS calls'),
  ])
  return mergePages(page, kept, query, ({ id, startedAt }) => ({ id, atMicros: parseTime(startedAt) ?? 0 }))
}

export async function listKeptMessages(
  store: Store,
  query: Parameters<typeof listMessages>[1],
): Promise<MessagePage> {
  const [page, kept] = await Promise.all([
    listMessages(store, query),
    listMessages(store, query, 'pinnedMessages AS messages'),
  ])
  return mergePages(page, kept, query, ({ id, at }) => ({ id, atMicros: parseTime(at) ?? 0 }))
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
