import { toSlot } from '@sip-capture/contract/bus/record-id.ts'
import type { MessageFilter, MessageRow } from '@sip-capture/contract/rest/message.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import { hashIdentity, toIdentity } from '@sip-capture/sip/sightings.ts'
import { type SqlCondition, slotsOf, toFilterSql } from './filter-sql.ts'
import type { RowKey } from './message-reader.ts'
import type { MessageTable } from './record-rows.ts'
import { rowColumnNames } from './schema.ts'
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

/** The longest a search may take, seconds; beyond it the caller is asked to narrow the time. */
const maxSearchSeconds = 20

const rowSelect = rowColumnNames
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
  const { filter, limit } = query
  if (from !== 'messages') return await readSlotsOf(store, query, from, allSlots)
  if (filter.callId?.length)
    return await readSlotsOf(store, query, from, await slotsOfCalls(store, filter.callId))
  const rows: MessageColumns[] = []
  for (const slots of await slotsInOrder(store, query))
    if (rows.length < limit)
      rows.push(...(await readSlotsOf(store, { ...query, limit: limit - rows.length }, from, slots)))
  return rows
}

async function readSlotsOf(
  store: Store,
  query: MessageQuery,
  from: MessageTable,
  slots: Slots,
): Promise<MessageColumns[]> {
  const { sql, params } = toCondition(query, slots)
  const inOrder = toOrder(query.order)
  // The keys first, so that of the other columns only what the filter asks for is read.
  const where = slots.areOfCalls
    ? sql
    : `${slots.sql} AND (slot, callId, messages.at, messages.id) IN (
        SELECT slot, callId, messages.at, messages.id FROM ${from} WHERE ${sql} ${inOrder})`
  return await store.query<MessageColumns>(
    `SELECT ${rowSelect} FROM ${from} WHERE ${where} ${inOrder}
     SETTINGS max_execution_time = ${maxSearchSeconds}${slots.areOfCalls ? `, ${ofCall}` : ''}`,
    params,
  )
}

function toOrder(order: MessageQuery['order']): string {
  const direction = order === 'desc' ? 'DESC' : 'ASC'
  return `ORDER BY slot ${direction}, messages.at ${direction}, messages.id ${direction}
     LIMIT 1 BY messages.at, messages.id LIMIT {limit:UInt32}`
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

/** A part of the slots. `areOfCalls`: few, and most of their rows that match are on the page. */
interface Slots {
  readonly sql: string
  readonly params: Readonly<Record<string, unknown>>
  readonly areOfCalls?: boolean
}

/** To share so little among threads, or to begin with what is first of it, costs the engine more than to read all of it. */
const ofCall = 'max_threads = 1, optimize_read_in_order = 0'
/** Most pages are full with what is this near to their edge, and for that the engine need not look at all its parts. */
const nearSlots = 1
const fewSlots = 16
const maxListedSlots = 1_000
const allSlots: Slots = { sql: '1', params: {} }

/** All slots, in the order of the page: those at its edge first. Words in the text are mostly rare, and all is read for them; an
 *  import may be of any time. */
async function slotsInOrder(
  store: Store,
  { filter, order, since, until, after }: MessageQuery,
): Promise<readonly Slots[]> {
  if (filter.text?.length || filter.q || filter.capture?.length) return [allSlots]
  if (order === 'asc') {
    const start = Math.max(since ?? 0, after?.atMicros ?? 0)
    if (start === 0) return [allSlots]
    const params = { near: toSlot(start) + nearSlots }
    return [
      { sql: 'slot < {near:UInt32}', params },
      { sql: 'slot >= {near:UInt32}', params },
    ]
  }
  const [newest] = await store.query<{ slot: number }>('SELECT max(slot) AS slot FROM messages')
  // A row of an odd clock may be of the future.
  const bound = toSlot(Math.min(until ?? Infinity, after?.atMicros ?? Infinity, nowMicros()))
  const params = { near: Math.max(0, Math.min(newest?.slot ?? 0, bound) - nearSlots) }
  return [
    { sql: 'slot > {near:UInt32}', params },
    { sql: 'slot <= {near:UInt32}', params },
  ]
}

async function slotsOfCalls(store: Store, callIds: readonly string[]): Promise<Slots> {
  const rows = await store.query<{ slot: number }>(
    `SELECT DISTINCT slot FROM callSlots WHERE callId IN {callIds:Array(String)} LIMIT {limit:UInt32}
     SETTINGS max_threads = 1`,
    { callIds, limit: maxListedSlots + 1 },
  )
  if (rows.length > maxListedSlots)
    return { sql: slotsOf('{slotCallIds:Array(String)}'), params: { slotCallIds: callIds } }
  return {
    sql: 'slot IN {slots:Array(UInt32)}',
    params: { slots: rows.map(({ slot }) => slot) },
    areOfCalls: rows.length <= fewSlots,
  }
}

interface RecordColumns {
  atMicros: number
  nanos: number
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
  fromUser: string
  fromHost: string
  fromTag: string
  toDisplayName: string
  toUri: string
  toUser: string
  toHost: string
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
      user: columns.fromUser,
      host: columns.fromHost,
      tag: columns.fromTag,
    },
    to: {
      displayName: columns.toDisplayName,
      uri: columns.toUri,
      user: columns.toUser,
      host: columns.toHost,
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
