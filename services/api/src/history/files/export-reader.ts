import type { MessageFilter } from '@sip-capture/contract/rest/message.ts'
import { toFilterSql } from '../filter-sql.ts'
import { micros, type RowKey } from '../message-reader.ts'
import { queryRecords, type StoredMessage } from '../record-rows.ts'
import type { Store } from '../store.ts'

export interface ExportQuery {
  readonly filter: MessageFilter
  /** At or after, epoch microseconds. */
  readonly since?: number | undefined
  /** Before. */
  readonly until?: number | undefined
  /** Every message of each Call-ID that has a match, at whatever time. */
  readonly wholeCalls: boolean
}

export interface ExportPage {
  /** In order of time. */
  readonly items: readonly StoredMessage[]
  /** Where the next page begins; null: these were the last. */
  readonly next: RowKey | null
}

/** Messages are some 600 bytes and at most 65,535: what a page holds in memory must not depend on who sends them. */
const pageBytes = 16 * 1024 * 1024
const maxPageBytes = 2 * pageBytes

interface Condition {
  readonly sql: string
  /** Asks nothing but what `records` has too. */
  readonly isOfRecords: boolean
  readonly params: Record<string, unknown>
}

function toCondition({ filter, since, until, wholeCalls }: ExportQuery): Condition {
  const time: string[] = []
  const bounds: Record<string, unknown> = {}
  if (since !== undefined) {
    time.push(`at >= ${micros('since')}`)
    bounds['since'] = since
  }
  if (until !== undefined) {
    time.push(`at < ${micros('until')}`)
    bounds['until'] = until
  }
  const found = toFilterSql(filter, time)
  const params = { ...found.params, ...bounds }
  if (!wholeCalls) {
    const { capture: _capture, source: _source, ...rest } = filter
    const isOfRecords = Object.values(rest).every((words) => words === undefined || words.length === 0)
    return { sql: found.sql, params, isOfRecords }
  }
  const capture = toFilterSql({ capture: filter.capture }, [])
  return {
    sql: `${capture.sql} AND callId IN (SELECT callId FROM messages WHERE ${found.sql} AND callId != '')`,
    params: { ...params, ...capture.params },
    isOfRecords: false,
  }
}

/** How many messages an export will read, as of now. @throws StoreError */
export async function countMessages(store: Store, query: ExportQuery): Promise<number> {
  const { sql, params } = toCondition(query)
  const [row] = await store.query<{ count: number }>(
    `SELECT count() AS count FROM messages WHERE ${sql}`,
    params,
  )
  return row?.count ?? 0
}

/**
 * The next messages, at most `limit` and not many more bytes than `pageBytes`, with their bytes: first where the page ends,
 * then what `records` has of that time. Both tables are in order of time, so that no page reads what another has read.
 * @throws StoreError
 */
export async function readExportPage(
  store: Store,
  query: ExportQuery,
  page: { limit: number; after: RowKey | null },
): Promise<ExportPage> {
  const { limit, after } = page
  const condition = toCondition(query)
  const sql = `${condition.sql} ${behind('messages', after)}`
  const params = { ...condition.params, ...(after ? { afterAt: after.atMicros, afterId: after.id } : {}) }
  const [end] = await store.query<PageEnd>(
    `SELECT count() AS count, sum(sizeBytes) AS bytes,
       toUnixTimestamp64Micro(max(key).1) AS atMicros, lower(hex(max(key).2)) AS idHex
     FROM (SELECT (at, messages.id) AS key, sizeBytes FROM messages WHERE ${sql}
       ORDER BY at, messages.id LIMIT {limit:UInt32})`,
    { ...params, limit },
  )
  if (!end || end.count === 0) return { items: [], next: null }
  if (end.bytes > maxPageBytes && limit > 1)
    return readExportPage(store, query, { limit: Math.ceil(end.count * (pageBytes / end.bytes)), after })
  const bound = { ...params, endAt: end.atMicros, endId: end.idHex }
  // What `records` knows itself need not be asked for: half of the work.
  const which = condition.isOfRecords
    ? `${condition.sql} ${behind('records', after)} AND ${upTo('records')}`
    : `${after ? `at >= ${micros('afterAt')} AND` : ''} at <= ${micros('endAt')} AND (callId, at, records.id) IN (
       SELECT callId, at, messages.id FROM messages WHERE ${sql} AND ${upTo('messages')})`
  const items = await queryRecords(store, `WHERE ${which}`, bound)
  return {
    items: toOnce(items),
    next: end.count < limit ? null : { atMicros: end.atMicros, id: end.idHex },
  }
}

/** In order of time, each once. The engine would sort whole rows, which costs it more than all the rest. */
function toOnce(messages: StoredMessage[]): StoredMessage[] {
  messages.sort(compareKeys)
  return messages.filter((message, index) => message.record.id !== messages[index - 1]?.record.id)
}

function compareKeys({ record: a }: StoredMessage, { record: b }: StoredMessage): number {
  return a.atMicros - b.atMicros || (a.id < b.id ? -1 : Number(a.id > b.id))
}

interface PageEnd {
  count: number
  bytes: number
  atMicros: number
  idHex: string
}

function upTo(table: string): string {
  return `at <= ${micros('endAt')} AND (at < ${micros('endAt')} OR ${table}.id <= {endId:UUID})`
}

/** The bound on `at` alone is what the primary key can use. */
function behind(table: string, after: RowKey | null): string {
  if (!after) return ''
  return `AND at >= ${micros('afterAt')} AND (at > ${micros('afterAt')} OR ${table}.id > {afterId:UUID})`
}
