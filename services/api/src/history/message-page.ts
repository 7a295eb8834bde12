import type { MessageFilter, MessageRow } from '@sip-capture/contract/rest/message.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { hashIdentity, toIdentity } from '@sip-capture/sip/sightings.ts'
import { parseUserHost } from '@sip-capture/sip/uri.ts'
import { type SqlCondition, toFilterSql } from './filter-sql.ts'
import type { RowKey } from './message-reader.ts'
import type { MessageTable } from './record-rows.ts'
import { allSlots, slotsInOrder, type Slots } from './page-slots.ts'
import { pageColumnNames } from './schema.ts'
import type { Store } from './store.ts'
import { atOrAfter, atOrBefore, before, micros } from './time-sql.ts'

export interface MessageQuery {
  readonly filter: MessageFilter
  /** At or after, epoch microseconds. */
  readonly since?: number | undefined
  /** Before. */
  readonly until?: number | undefined
  readonly order: 'asc' | 'desc'
  readonly limit: number
  readonly after?: RowKey | undefined
}

export interface MessagePage {
  readonly items: MessageRow[]
  /** Key of the last item when there are more. */
  readonly next: RowKey | null
}

/** To share so little among threads, or to begin with what is first of it, costs the engine more than to read all of it. */
const ofCall = 'max_threads = 1, optimize_read_in_order = 0'
/** Whatever the limit of a page is. */
const readLate = 'query_plan_max_limit_for_lazy_materialization = 0'
/** The longest a search may take, seconds; beyond it the caller is asked to narrow the time. */
const maxSearchSeconds = 20

const rowSelect = pageColumnNames
  .map((name) =>
    name === 'at'
      ? 'toUnixTimestamp64Micro(messages.at) AS atMicros'
      : name === 'id'
        ? 'lower(hex(messages.id)) AS idHex'
        : name,
  )
  .join(', ')

/** Newest or oldest first; a page and the key to go on from. @throws StoreError */
export async function listMessages(
  store: Store,
  query: MessageQuery,
  from: MessageTable = 'messages',
): Promise<MessagePage> {
  const { limit } = query
  const rows = await findRows(store, { ...query, limit: limit + 1 }, from)
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(toRow),
    next: rows.length > limit && last ? { atMicros: last.atMicros, id: last.idHex } : null,
  }
}

async function findRows(store: Store, query: MessageQuery, from: MessageTable): Promise<MessageColumns[]> {
  const { limit } = query
  if (from !== 'messages') return await readSlotsOf(store, query, from, allSlots)
  const rows: MessageColumns[] = []
  for await (const slots of slotsInOrder(store, query)) {
    rows.push(...(await readSlotsOf(store, { ...query, limit: limit - rows.length }, from, slots)))
    if (rows.length === limit) break
  }
  return rows
}

async function readSlotsOf(
  store: Store,
  query: MessageQuery,
  from: MessageTable,
  slots: Slots,
): Promise<MessageColumns[]> {
  if (slots.kind === 'near') return await readNear(store, query, slots)
  const { sql, params } = toCondition(query, slots)
  const inOrder = `${toOrder(query.order)} LIMIT 1 BY messages.at, messages.id LIMIT {limit:UInt32}`
  const isCall = slots.kind === 'call'
  // The keys first, so that of the other columns only what the filter asks for is read.
  const where = isCall
    ? sql
    : `${slots.sql} AND (slot, callId, messages.at, messages.id) IN (
        SELECT slot, callId, messages.at, messages.id FROM ${from} WHERE ${sql} ${inOrder})`
  return await store.query<MessageColumns>(
    `SELECT ${rowSelect} FROM ${from} WHERE ${where} ${inOrder}
     SETTINGS max_execution_time = ${maxSearchSeconds}${isCall ? `, ${ofCall}` : ''}`,
    params,
  )
}

/** In one statement, whose other columns the engine reads for the rows of the page alone. For that each row may come twice, as
 *  one that was stored twice does until the engine merges. */
async function readNear(store: Store, query: MessageQuery, slots: Slots): Promise<MessageColumns[]> {
  const rows = new Map<string, MessageColumns>()
  let { after } = query
  for (;;) {
    const limit = query.limit - rows.size
    const { sql, params } = toCondition({ ...query, limit, after }, slots)
    const found = await store.query<MessageColumns>(
      `SELECT ${rowSelect} FROM messages WHERE ${sql} ${toOrder(query.order)} LIMIT {limit:UInt32}
       SETTINGS max_execution_time = ${maxSearchSeconds}, ${readLate}`,
      params,
    )
    for (const row of found) rows.set(`${row.atMicros} ${row.idHex}`, row)
    const last = found.at(-1)
    if (last === undefined || found.length < limit || rows.size === query.limit) return [...rows.values()]
    after = { atMicros: last.atMicros, id: last.idHex }
  }
}

function toOrder(order: MessageQuery['order']): string {
  const direction = order === 'desc' ? 'DESC' : 'ASC'
  return `ORDER BY slot ${direction}, messages.at ${direction}, messages.id ${direction}`
}

function toCondition(query: MessageQuery, slots: Slots): SqlCondition {
  const { filter, since, until, order, limit, after } = query
  const condition = toFilterSql(filter, { findsSlots: false })
  const conditions = [slots.sql, condition.sql]
  const params: Record<string, unknown> = { ...condition.params, ...slots.params, limit }
  if (since !== undefined) {
    conditions.push(atOrAfter('{since:Int64}'))
    params['since'] = since
  }
  if (until !== undefined) {
    conditions.push(before('{until:Int64}'))
    params['until'] = until
  }
  if (after !== undefined) {
    const compare = order === 'desc' ? '<' : '>'
    conditions.push(
      (order === 'desc' ? atOrBefore : atOrAfter)('{afterAt:Int64}'),
      `(messages.at ${compare} ${micros('afterAt')} OR messages.id ${compare} {afterId:UUID})`,
    )
    params['afterAt'] = after.atMicros
    params['afterId'] = after.id
  }
  return { sql: conditions.join(' AND '), params }
}

interface RecordColumns {
  atMicros: number
  idHex: string
  callId: string
  precisionMicros: number
  source: MessageRow['source']
  node: string
  transport: MessageRow['transport']
  direction: MessageRow['direction']
  srcAddress: string
  srcPort: number
  srcName: string
  dstAddress: string
  dstPort: number
  dstName: string
  trunk: string
  channel: string
  copies: number
  capture: string
}

interface MessageColumns extends RecordColumns {
  kind: MessageRow['kind']
  method: string
  status: number
  reason: string
  requestUri: string
  fromDisplayName: string
  fromUri: string
  fromTag: string
  toDisplayName: string
  toUri: string
  toTag: string
  cseq: number
  branch: string
  userAgent: string
  hasSdp: boolean
  sizeBytes: number
  sightingKey: string
  problems: string[]
}

function toRow(columns: MessageColumns): MessageRow {
  return {
    id: columns.idHex,
    at: toRfc3339(columns.atMicros),
    precisionMicros: columns.precisionMicros,
    source: columns.source,
    node: columns.node,
    transport: columns.transport,
    direction: columns.direction,
    src: toParty(columns.srcAddress, columns.srcPort, columns.srcName),
    dst: toParty(columns.dstAddress, columns.dstPort, columns.dstName),
    kind: columns.kind,
    method: columns.method,
    status: columns.status === 0 ? null : columns.status,
    reason: columns.reason,
    requestUri: columns.requestUri,
    callId: columns.callId,
    from: {
      displayName: columns.fromDisplayName,
      uri: columns.fromUri,
      ...parseUserHost(columns.fromUri),
      tag: columns.fromTag,
    },
    to: {
      displayName: columns.toDisplayName,
      uri: columns.toUri,
      ...parseUserHost(columns.toUri),
      tag: columns.toTag,
    },
    cseq: columns.cseq === -1 ? null : columns.cseq,
    branch: columns.branch,
    userAgent: columns.userAgent,
    trunk: columns.trunk === '' ? null : columns.trunk,
    channel: columns.channel === '' ? null : columns.channel,
    hasSdp: columns.hasSdp,
    sizeBytes: columns.sizeBytes,
    copies: columns.copies,
    sightingKey: columns.sightingKey || toSightingKey(columns),
    problems: columns.problems,
    capture: columns.capture === '' ? null : columns.capture,
  }
}

/** A key that was not kept follows from the rest (`message-writer.ts`); a message that nothing tells apart is like no other. */
function toSightingKey(columns: MessageColumns): string {
  const { kind, method, status, cseq, fromTag, toTag, branch, callId, idHex } = columns
  const identity = toIdentity({
    start: kind === 'response' ? (status === 0 ? '' : String(status)) : method,
    cseq: cseq === -1 ? null : { number: cseq, method },
    fromTag,
    toTag,
    branch,
    callId,
  })
  return hashIdentity(identity) || idHex
}

function toParty(address: string, port: number, name: string): MessageRow['src'] {
  return { address, port, ...(name === '' ? {} : { name }) }
}
