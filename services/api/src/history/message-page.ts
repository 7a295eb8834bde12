import type { MessageFilter, MessageRow } from '@sip-capture/contract/rest/message.ts'
import { MessageView } from '../ingest/message-row.ts'
import { type SqlCondition, toFilterSql } from './filter-sql.ts'
import type { RowKey } from './message-reader.ts'
import { allSlots, slotsInOrder, type Slots } from './page-slots.ts'
import { queryRecords, type MessageTable, type StoredMessage } from './record-rows.ts'
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

/** There is nothing to do for more threads; and what costs least is told first, the time. */
const inOrderOfConditions = 'max_threads = 1, allow_reorder_prewhere_conditions = 0'
/** The engine reads the other columns for the rows of the page alone (its lazy materialisation), whatever the page's limit is. Of a call
 *  nearly all that is read is shown. */
const lateColumns = (isOfCalls: boolean): string =>
  isOfCalls
    ? 'query_plan_optimize_lazy_materialization = 0'
    : 'query_plan_max_limit_for_lazy_materialization = 0'
/** The longest a search may take, seconds; beyond it the caller is asked to narrow the time. */
const maxSearchSeconds = 20

/** Newest or oldest first; a page and the key to go on from. @throws StoreError */
export async function listMessages(
  store: Store,
  query: MessageQuery,
  from: MessageTable = 'messages',
): Promise<MessagePage> {
  const { limit } = query
  const messages = await findMessages(store, { ...query, limit: limit + 1 }, from)
  const shown = messages.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(({ record, naming }) => new MessageView(record, naming).row),
    next: messages.length > limit && last ? toKey(last) : null,
  }
}

async function findMessages(store: Store, query: MessageQuery, from: MessageTable): Promise<StoredMessage[]> {
  if (from !== 'messages') return await readFar(store, query, from, allSlots)
  const messages: StoredMessage[] = []
  for await (const slots of slotsInOrder(store, query, messages)) {
    const rest = { ...query, limit: query.limit - messages.length }
    messages.push(
      ...(await (slots.kind === 'far' ? readFar(store, rest, from, slots) : readNear(store, rest, slots))),
    )
    if (messages.length === query.limit) break
  }
  return messages
}

/** The keys first, so that of the other columns only what the filter asks for is read. */
async function readFar(
  store: Store,
  query: MessageQuery,
  from: MessageTable,
  slots: Slots,
): Promise<StoredMessage[]> {
  const { sql, params } = toCondition(query, slots)
  const inOrder = `${toOrder(query.order, slotKey)} LIMIT 1 BY messages.at, messages.id LIMIT {limit:UInt32}`
  return await queryRecords(
    store,
    `WHERE ${slots.sql} AND (slot, callId, messages.at, messages.id) IN (
       SELECT slot, callId, messages.at, messages.id FROM ${from} WHERE ${sql} ${inOrder})
     ${inOrder} SETTINGS max_execution_time = ${maxSearchSeconds}`,
    params,
    { from, withFrames: false },
  )
}

/** In one statement. For that each row may come twice, as one that was stored twice does until the engine merges. */
async function readNear(store: Store, query: MessageQuery, slots: Slots): Promise<StoredMessage[]> {
  const messages = new Map<string, StoredMessage>()
  const late = lateColumns((query.filter.callId ?? []).length > 0)
  let { after } = query
  for (;;) {
    const limit = query.limit - messages.size
    const { sql, params } = toCondition({ ...query, limit, after }, slots)
    const found = await queryRecords(
      store,
      `WHERE ${sql} ${toOrder(query.order, timeKey)} LIMIT {limit:UInt32}
       SETTINGS max_execution_time = ${maxSearchSeconds}, ${inOrderOfConditions}, ${late}`,
      params,
      { withFrames: false },
    )
    for (const message of found) messages.set(`${message.record.atMicros} ${message.record.id}`, message)
    const last = found.at(-1)
    if (last === undefined || found.length < limit || messages.size === query.limit)
      return [...messages.values()]
    after = toKey(last)
  }
}

function toKey({ record }: StoredMessage): RowKey {
  return { atMicros: record.atMicros, id: record.id }
}

const timeKey = ['messages.at', 'messages.id']
/** The same order, told so that much can be read in it. */
const slotKey = ['slot', ...timeKey]

function toOrder(order: MessageQuery['order'], key: readonly string[]): string {
  const direction = order === 'desc' ? 'DESC' : 'ASC'
  return `ORDER BY ${key.map((column) => `${column} ${direction}`).join(', ')}`
}

function toCondition(query: MessageQuery, slots: Slots): SqlCondition {
  const { filter, order, limit, after } = query
  const { since = query.since, until = query.until } = slots
  const condition = toFilterSql(filter, { findsSlots: false })
  const conditions = [slots.sql]
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
  conditions.push(condition.sql)
  return { sql: conditions.join(' AND '), params }
}
