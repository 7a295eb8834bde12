import type { MessageFilter } from '@sip-capture/contract/rest/message.ts'
import { toFilterSql } from '../filter-sql.ts'
import type { RowKey } from '../message-reader.ts'
import { queryRecords, type StoredMessage } from '../record-rows.ts'
import type { Store } from '../store.ts'
import { atOrAfter, atOrBefore, before, micros } from '../time-sql.ts'

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
  readonly params: Record<string, unknown>
}

function toCondition({ filter, since, until, wholeCalls }: ExportQuery): Condition {
  const found = toFilterSql(filter)
  const conditions = [found.sql]
  const params: Record<string, unknown> = { ...found.params }
  if (since !== undefined) {
    conditions.push(atOrAfter('{since:Int64}'))
    params['since'] = since
  }
  if (until !== undefined) {
    conditions.push(before('{until:Int64}'))
    params['until'] = until
  }
  const sql = conditions.join(' AND ')
  if (!wholeCalls) return { sql, params }
  const capture = toFilterSql({ capture: filter.capture })
  return {
    sql: `${capture.sql} AND callId IN (SELECT callId FROM messages WHERE ${sql} AND callId != '')`,
    params: { ...params, ...capture.params },
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

interface PageEnd {
  count: number
  bytes: number
  atMicros: number
  idHex: string
}

/**
 * The next messages, at most `limit` and not many more bytes than `pageBytes`: first where the page ends, then what is in
 * between. The table is in order of time by slots, so that no page reads what another has read.
 * @throws StoreError
 */
export async function readExportPage(
  store: Store,
  query: ExportQuery,
  page: { limit: number; after: RowKey | null },
): Promise<ExportPage> {
  const { limit, after } = page
  const condition = toCondition(query)
  const sql = `${condition.sql} ${behind(after)}`
  const params = { ...condition.params, ...(after ? { afterAt: after.atMicros, afterId: after.id } : {}) }
  const [end] = await store.query<PageEnd>(
    `SELECT count() AS count, sum(sizeBytes) AS bytes,
       toUnixTimestamp64Micro(max(key).1) AS atMicros, lower(hex(max(key).2)) AS idHex
     FROM (SELECT (messages.at, messages.id) AS key, sizeBytes FROM messages WHERE ${sql}
       ORDER BY slot, messages.at, messages.id LIMIT {limit:UInt32})`,
    { ...params, limit },
  )
  if (!end || end.count === 0) return { items: [], next: null }
  if (end.bytes > maxPageBytes && limit > 1)
    return readExportPage(store, query, { limit: Math.ceil(end.count * (pageBytes / end.bytes)), after })
  const items = await queryRecords(store, `WHERE ${sql} AND ${upToEnd}`, {
    ...params,
    endAt: end.atMicros,
    endId: end.idHex,
  })
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

const upToEnd = `${atOrBefore('{endAt:Int64}')} AND (messages.at < ${micros('endAt')} OR messages.id <= {endId:UUID})`

function behind(after: RowKey | null): string {
  if (!after) return ''
  return `AND ${atOrAfter('{afterAt:Int64}')} AND (messages.at > ${micros('afterAt')} OR messages.id > {afterId:UUID})`
}
