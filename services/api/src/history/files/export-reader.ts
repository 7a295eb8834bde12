import { slotStart } from '@sip-capture/contract/bus/record-id.ts'
import type { MessageFilter } from '@sip-capture/contract/rest/message.ts'
import { toFilterSql } from '../filter-sql.ts'
import type { RowKey } from '../message-reader.ts'
import type { Store } from '../store.ts'
import { atOrAfter, before, micros } from '../time-sql.ts'
import { fileMessageColumns, readFileMessages, type FileMessage } from './file-message.ts'

export interface ExportQuery {
  readonly filter: MessageFilter
  /** At or after, epoch microseconds. */
  readonly since?: number | undefined
  /** Before. */
  readonly until?: number | undefined
  /** Every message of each Call-ID that has a match, at whatever time. */
  readonly wholeCalls: boolean
}

const pageRows = 10_000
/** The more rows a statement answers, the less each costs the engine. */
const readRows = 3 * pageRows
/** Messages are some 600 bytes and at most 65,535: what is in memory must not depend on who sends them. */
const readBytes = 32 * 1024 * 1024
const slotsListed = 20_000

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

/** The messages of some slots of `messages`, the last one included. */
interface Span {
  readonly first: number
  readonly last: number
  readonly count: number
  readonly bytes: number
}

/**
 * The messages of an export, page by page in order of time. A statement reads whole slots as far as they fit, and a slot
 * that is too much for one in pieces; the engine works on the next while the pages of one are taken.
 */
export class ExportReader {
  readonly #store: Store
  readonly #condition: Condition
  #spans: Span[] = []
  #listedTo = 0
  #areListed = false
  /** Of the first span: up to where its pieces were read. */
  #after: RowKey | null = null
  /** What was read but not taken. */
  #messages: readonly FileMessage[] = []
  #coming: Promise<Uint8Array<ArrayBuffer> | null> | undefined

  constructor(store: Store, query: ExportQuery) {
    this.#store = store
    this.#condition = toCondition(query)
  }

  /** Null behind the last page. @throws StoreError */
  async next(): Promise<readonly FileMessage[] | null> {
    if (this.#messages.length === 0) {
      const bytes = await (this.#coming ?? this.#read())
      if (bytes === null) return null
      this.#coming = this.#read()
      // Its fault is told by the call that awaits it; there may be none any more.
      this.#coming.catch(() => {})
      this.#messages = readFileMessages(bytes)
    }
    const page = this.#messages.slice(0, pageRows)
    this.#messages = this.#messages.slice(pageRows)
    return page
  }

  async #read(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#spans.length === 0 && !this.#areListed) await this.#listSpans()
    const [span] = this.#spans
    if (span === undefined) return null
    if (this.#after !== null || span.count > readRows || span.bytes > readBytes) return this.#readPiece(span)
    this.#spans.shift()
    return this.#readRows(span)
  }

  async #listSpans(): Promise<void> {
    const { sql, params } = this.#condition
    const slots = await this.#store.query<{ slot: number; count: number; bytes: number }>(
      `SELECT slot, count() AS count, sum(sizeBytes) AS bytes FROM messages
       WHERE ${sql} AND ${atOrAfter('{listedTo:Int64}')} GROUP BY slot ORDER BY slot LIMIT ${slotsListed}`,
      { ...params, listedTo: slotStart(this.#listedTo) },
    )
    this.#spans = joinSlots(slots)
    this.#listedTo = (slots.at(-1)?.slot ?? 0) + 1
    this.#areListed = slots.length < slotsListed
  }

  #readRows({ first, last }: Span, further = '', params: Record<string, unknown> = {}) {
    return this.#store.queryBinary(
      `SELECT ${fileMessageColumns} FROM messages WHERE ${this.#condition.sql} AND ${ofSpan} ${further}`,
      { ...this.#condition.params, ...params, spanFrom: slotStart(first), spanUntil: slotStart(last + 1) },
      { isLarge: true },
    )
  }

  /** First where the piece ends, then what is in between. */
  async #readPiece(span: Span): Promise<Uint8Array<ArrayBuffer> | null> {
    const after = this.#after
    const limit = Math.max(1, Math.min(readRows, Math.floor(span.count * (readBytes / span.bytes))))
    const behind = after ? `AND ${behindKey}` : ''
    const afterParams = after ? { afterAt: after.atMicros, afterId: after.id } : {}
    const [end] = await this.#store.query<{ count: number; atMicros: number; idHex: string }>(
      `SELECT count() AS count, toUnixTimestamp64Micro(max(key).1) AS atMicros, lower(hex(max(key).2)) AS idHex
       FROM (SELECT (messages.at, messages.id) AS key FROM messages
         WHERE ${this.#condition.sql} AND ${ofSpan} ${behind}
         ORDER BY messages.at, messages.id LIMIT {limit:UInt32})`,
      {
        ...this.#condition.params,
        ...afterParams,
        limit,
        spanFrom: slotStart(span.first),
        spanUntil: slotStart(span.last + 1),
      },
    )
    const isLast = !end || end.count < limit
    this.#after = isLast ? null : { atMicros: end.atMicros, id: end.idHex }
    if (isLast) this.#spans.shift()
    if (!end || end.count === 0) return this.#read()
    return this.#readRows(span, `${behind} AND ${upToKey}`, {
      ...afterParams,
      endAt: end.atMicros,
      endId: end.idHex,
    })
  }
}

const ofSpan = `${atOrAfter('{spanFrom:Int64}')} AND ${before('{spanUntil:Int64}')}`
const behindKey = `(messages.at > ${micros('afterAt')}
  OR (messages.at = ${micros('afterAt')} AND messages.id > {afterId:UUID}))`
const upToKey = `(messages.at < ${micros('endAt')}
  OR (messages.at = ${micros('endAt')} AND messages.id <= {endId:UUID}))`

/** As many in a row as one statement may read. */
function joinSlots(slots: readonly { slot: number; count: number; bytes: number }[]): Span[] {
  const spans: Span[] = []
  for (const { slot, count, bytes } of slots) {
    const open = spans.at(-1)
    if (open && open.count + count <= readRows && open.bytes + bytes <= readBytes)
      spans[spans.length - 1] = {
        first: open.first,
        last: slot,
        count: open.count + count,
        bytes: open.bytes + bytes,
      }
    else spans.push({ first: slot, last: slot, count, bytes })
  }
  return spans
}
