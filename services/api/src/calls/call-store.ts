import type { CallFilter, CallRow } from '@sip-capture/contract/rest/call-log.ts'
import type { RowKey } from '../history/message-reader.ts'
import type { Store } from '../history/store.ts'
import {
  callColumnNames,
  callSelect,
  toCallLine,
  toCallRecord,
  tombstoneColumnNames,
  toTombstoneLine,
  type StoredCall,
  type Tombstone,
} from './call-columns.ts'
import { callMethods } from './call-methods.ts'
import { toCallFilterSql } from './call-sql.ts'
import type { CallRecord } from './call-record.ts'
import type { CallSummary } from './summarise-call.ts'

/** Deleted and replaced rows are left out; a day is a partition and no row is in two. */
const finalSettings = 'do_not_merge_across_partitions_select_final = 1'
/** The longest a search may take, seconds. */
const maxSearchSeconds = 20

const moment = (name: string) => `fromUnixTimestamp64Micro({${name}:Int64}, 'UTC')`
const lines = (all: readonly string[]): Buffer => Buffer.from(all.map((line) => `${line}\n`).join(''))

/** `version`: when the messages were read; a row of a later reading wins. @throws StoreError */
export async function insertCalls(
  store: Store,
  rows: { summaries: readonly CallSummary[]; tombstones: readonly Tombstone[]; version: number },
): Promise<void> {
  const { summaries, tombstones, version } = rows
  if (summaries.length > 0)
    await store.insert('calls', callColumnNames, lines(summaries.map((one) => toCallLine(one, version))))
  if (tombstones.length > 0)
    await store.insert(
      'calls',
      tombstoneColumnNames,
      lines(tombstones.map((one) => toTombstoneLine(one, version))),
    )
}

/** A row may begin this much before or after the messages that are now known of its call: a leg may have left it. */
const rowSlackMicros = 3_600_000_000

/** Rows in the log that hold one of these Call-IDs, whose messages came between the two times. @throws StoreError */
export async function findRowsOf(
  store: Store,
  query: { callIds: readonly string[]; capture: string; fromMicros: number; toMicros: number },
): Promise<Tombstone[]> {
  return await store.query<Tombstone>(
    `SELECT toUnixTimestamp64Micro(startedAt) AS startedAtMicros, lower(hex(id)) AS id,
       argMax(callIds, version) AS callIds, {capture:String} AS capture
     FROM (SELECT startedAt, calls.id AS id, version, isDeleted, callIds FROM calls
       WHERE startedAt >= ${moment('fromMicros')} AND startedAt <= ${moment('toMicros')}
       AND capture = {capture:String} AND hasAny(callIds, {callIds:Array(String)}))
     GROUP BY startedAt, id HAVING argMax(isDeleted, version) = 0`,
    {
      ...query,
      fromMicros: Math.max(0, query.fromMicros - rowSlackMicros),
      toMicros: query.toMicros + rowSlackMicros,
    },
  )
}

export interface CallPage {
  readonly items: CallRow[]
  readonly next: RowKey | null
}

export interface CallQuery {
  readonly filter: CallFilter
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly nowMicros: number
}

/** The filter and the bounds in time for a WHERE over `calls FINAL`. */
export function toCallCondition({ filter, since, until, nowMicros }: CallQuery) {
  const found = toCallFilterSql(filter, nowMicros)
  const conditions = [found.sql]
  const params: Record<string, unknown> = { ...found.params }
  if (since !== undefined) {
    conditions.push(`startedAt >= ${moment('since')}`)
    params['since'] = since
  }
  if (until !== undefined) {
    conditions.push(`startedAt < ${moment('until')}`)
    params['until'] = until
  }
  return { sql: conditions.join(' AND '), params }
}

/** Most pages are of recent calls: these stretches before the newest wanted moment are tried before all of the log. */
const triedMicros = [3_600_000_000, 86_400_000_000]

/** Where rows are: the log, or what is kept of calls that are pinned. */
export type CallTable = 'calls' | 'pinnedCalls AS calls'

/** Newest or oldest first. @throws StoreError */
export async function listCalls(
  store: Store,
  query: CallQuery & { order: 'asc' | 'desc'; limit: number; after?: RowKey | undefined },
  from: CallTable = 'calls',
): Promise<CallPage> {
  const { order, limit, after, since, until, nowMicros } = query
  if (order === 'desc' && since === undefined && from === 'calls') {
    const newest = Math.min(after?.atMicros ?? nowMicros, until ?? nowMicros)
    for (const micros of triedMicros) {
      const rows = await readPage(store, { ...query, since: Math.max(0, newest - micros) }, from)
      if (rows.length > limit) return toPage(rows, limit)
    }
  }
  return toPage(await readPage(store, query, from), limit)
}

/** One row more than the limit, when there is one. */
async function readPage(
  store: Store,
  query: CallQuery & { order: 'asc' | 'desc'; limit: number; after?: RowKey | undefined },
  from: CallTable,
): Promise<StoredCall[]> {
  const { order, limit, after } = query
  const { sql, params } = toCallCondition(query)
  const compare = order === 'desc' ? '<' : '>'
  const keyset = after
    ? `AND startedAt ${compare}= ${moment('afterAt')} AND (startedAt ${compare} ${moment('afterAt')} OR calls.id ${compare} {afterId:UUID})`
    : ''
  const direction = order === 'desc' ? 'DESC' : 'ASC'
  const inOrder = `ORDER BY startedAt ${direction}, calls.id ${direction}`
  // The keys first, so that only what the filter asks for is read of the others.
  return await store.query<StoredCall>(
    `SELECT ${callSelect} FROM ${from} FINAL
     WHERE (startedAt, calls.id) IN (
       SELECT startedAt, calls.id FROM ${from} FINAL WHERE ${sql} ${keyset} ${inOrder} LIMIT {limit:UInt32})
     ${inOrder} SETTINGS ${finalSettings}, max_execution_time = ${maxSearchSeconds}`,
    { ...params, limit: limit + 1, ...(after ? { afterAt: after.atMicros, afterId: after.id } : {}) },
  )
}

function toPage(rows: readonly StoredCall[], limit: number): CallPage {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map((stored) => toCallRecord(stored).row),
    next: rows.length > limit && last ? { atMicros: last.startedAtMicros, id: last.idHex } : null,
  }
}

/** Rows by our own id, or that hold one of these Call-IDs. @throws StoreError */
export async function findCallRecords(
  store: Store,
  query: { id: string } | { callIds: readonly string[]; capture: string },
  from: CallTable = 'calls',
): Promise<CallRecord[]> {
  const condition =
    'id' in query
      ? 'calls.id = {id:UUID}'
      : 'capture = {capture:String} AND hasAny(callIds, {callIds:Array(String)})'
  // The key first: with FINAL the engine would not use the indexes that find it.
  const rows = await store.query<StoredCall>(
    `SELECT ${callSelect} FROM ${from} FINAL
     WHERE (startedAt, calls.id) IN (SELECT startedAt, calls.id FROM ${from} WHERE ${condition}) AND ${condition}
     ORDER BY startedAt LIMIT 100 SETTINGS ${finalSettings}`,
    { ...query },
  )
  return rows.map(toCallRecord)
}

/** A call that goes on is looked at for this long. */
const longestCallMicros = 3 * 86_400_000_000

/** Calls whose verdict may have changed with time alone, by their first Call-ID. @throws StoreError */
export async function findDueCalls(
  store: Store,
  query: { nowMicros: number; limit: number },
): Promise<{ capture: string; callId: string }[]> {
  return await store.query(
    `SELECT capture, callIds[1] AS callId FROM calls FINAL
     WHERE startedAt >= ${moment('sinceMicros')} AND lookAgainAt > 0 AND lookAgainAt <= {nowMicros:Int64}
     LIMIT {limit:UInt32} SETTINGS ${finalSettings}`,
    { ...query, sinceMicros: Math.max(0, query.nowMicros - longestCallMicros) },
  )
}

/** Call-IDs with messages that were stored at or after `sinceSeconds` (epoch) and after their call was last summarised, the
 *  oldest first. `storedAt` has whole seconds: `graceSeconds` 1 brings also what may have come in the same second.
 *  @throws StoreError */
export async function findUnsummarised(
  store: Store,
  query: { sinceSeconds: number; graceSeconds: 0 | 1; limit: number },
): Promise<{ capture: string; callId: string }[]> {
  return await store.query(
    `SELECT capture, callId FROM (
       SELECT capture, callId, toUnixTimestamp(max(storedAt)) AS storedSeconds FROM messages
       WHERE storedAt >= toDateTime({sinceSeconds:UInt32}) AND callId != '' AND method IN {methods:Array(String)}
       GROUP BY capture, callId) AS touched
     LEFT JOIN (
       SELECT capture, arrayJoin(callIds) AS callId, max(version) AS readMicros FROM calls
       WHERE storedAt >= toDateTime({sinceSeconds:UInt32}) GROUP BY capture, callId) AS summarised
     USING (capture, callId)
     WHERE readMicros < (toUInt64(storedSeconds) + {graceSeconds:UInt8}) * 1000000
     ORDER BY storedSeconds LIMIT {limit:UInt32}`,
    { ...query, methods: callMethods },
  )
}

/** The store's own clock, epoch microseconds: what `storedAt` and `version` count by, whichever process writes. */
export async function readStoreClock(store: Store): Promise<number> {
  const [row] = await store.query<{ micros: number }>('SELECT toUnixTimestamp64Micro(now64(6)) AS micros')
  return row?.micros ?? 0
}

/** When the log was last written, epoch seconds; 0: never. @throws StoreError */
export async function lastSummarySeconds(store: Store): Promise<number> {
  const [row] = await store.query<{ seconds: number }>(
    'SELECT toUnixTimestamp(max(storedAt)) AS seconds FROM calls',
  )
  return row?.seconds ?? 0
}
