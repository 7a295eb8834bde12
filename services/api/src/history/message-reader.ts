import { slotOfId } from '@sip-capture/contract/bus/record-id.ts'
import type { TimeSpan } from './call-spans.ts'
import { queryRecords, type MessageTable, type StoredMessage } from './record-rows.ts'
import type { Store } from './store.ts'
import { atOrAfter, before } from './time-sql.ts'

/** A place between two rows: the key of the last row that was read. */
export interface RowKey {
  readonly atMicros: number
  readonly id: string
}

/** One message by its id, or undefined. An id of the first versions, which tells no slot, is looked for everywhere.
 *  @throws StoreError */
export async function findMessage(store: Store, id: string): Promise<StoredMessage | undefined> {
  const slot = slotOfId(id)
  const [message] = await queryRecords(
    store,
    `WHERE ${slot === undefined ? '' : 'slot = {slot:UInt32} AND '}messages.id = {id:UUID} LIMIT 1`,
    { id, ...(slot === undefined ? {} : { slot }) },
  )
  return message
}

/** For a WHERE over `messages` with the parameters `callIds` and `capture`: where these calls are, and nothing else. */
export const ofCalls = `(slot, callId) IN (
    SELECT slot, callId FROM callSlots WHERE callId IN {callIds:Array(String)} AND capture = {capture:String})
  AND capture = {capture:String}`

/** Messages of live traffic, or of one named capture, with one of these Call-IDs, oldest first. @throws StoreError */
export async function readCallMessages(
  store: Store,
  query: { callIds: readonly string[]; limit: number; capture?: string | undefined; withFrames?: boolean },
): Promise<StoredMessage[]> {
  const { callIds, limit, capture = '', withFrames = true } = query
  return await queryRecords(
    store,
    `WHERE ${ofCalls}
     ORDER BY messages.at, messages.id LIMIT 1 BY messages.at, messages.id LIMIT {limit:UInt32}
     SETTINGS max_threads = 1`,
    { callIds, limit, capture },
    { withFrames },
  )
}

export interface CallRows {
  readonly callIds: readonly string[]
  /** `''`: live traffic. */
  readonly capture: string
  readonly from: MessageTable
}

const whereOf = (from: MessageTable): string =>
  from === 'messages' ? ofCalls : 'callId IN {callIds:Array(String)} AND capture = {capture:String}'

/** The slots of `messages` that hold something of these calls, in order: at most `limit`. @throws StoreError */
export async function readCallSlots(
  store: Store,
  { callIds, capture, limit }: Omit<CallRows, 'from'> & { readonly limit: number },
): Promise<number[]> {
  const rows = await store.query<{ slot: number }>(
    `SELECT DISTINCT slot FROM callSlots WHERE callId IN {callIds:Array(String)} AND capture = {capture:String}
     ORDER BY slot LIMIT {limit:UInt32}`,
    { callIds, capture, limit },
  )
  return rows.map(({ slot }) => slot)
}

/** Messages of these calls in these slots, oldest first. @throws StoreError */
export async function readSlots(
  store: Store,
  query: Omit<CallRows, 'from'> & { readonly slots: readonly number[]; readonly limit: number },
): Promise<StoredMessage[]> {
  return await queryRecords(
    store,
    `WHERE slot IN {slots:Array(UInt32)} AND callId IN {callIds:Array(String)} AND capture = {capture:String}
     ORDER BY messages.at, messages.id LIMIT 1 BY messages.at, messages.id LIMIT {limit:UInt32}
     SETTINGS max_threads = 1`,
    { ...query },
  )
}

/** When each message of these calls was seen, in order: at most `limit`. Bytes of messages are not touched, so a call of
 *  thousands is known as fast as a short one. @throws StoreError */
export async function readCallTimes(
  store: Store,
  { callIds, capture, from, limit }: CallRows & { readonly limit: number },
): Promise<number[]> {
  const bytes = await store.queryBinary(
    `SELECT toUnixTimestamp64Micro(at) FROM (
       SELECT at, id FROM ${from} WHERE ${whereOf(from)} LIMIT 1 BY at, id)
     ORDER BY at LIMIT {limit:UInt32} SETTINGS max_threads = 1`,
    { callIds, capture, limit },
  )
  const values = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.byteLength / 8 }, (_, n) => Number(values.getBigInt64(n * 8, true)))
}

/** Messages of these calls within a time, oldest first. With the time bounded on both sides each row's bytes are read once,
 *  whatever the length of the call. @throws StoreError */
export async function readCallSpan(
  store: Store,
  {
    callIds,
    capture,
    from,
    fromMicros,
    untilMicros,
    limit,
  }: CallRows & TimeSpan & { readonly limit: number },
): Promise<StoredMessage[]> {
  return await queryRecords(
    store,
    `WHERE ${whereOf(from)} AND ${atOrAfter('{fromAt:Int64}')} AND ${before('{untilAt:Int64}')}
     ORDER BY messages.at, messages.id LIMIT 1 BY messages.at, messages.id LIMIT {limit:UInt32}
     SETTINGS max_threads = 1`,
    {
      callIds,
      capture,
      limit,
      fromAt: fromMicros,
      untilAt: untilMicros,
    },
    { from },
  )
}
