import { callColumnNames } from '../../calls/call-columns.ts'
import type { FoundCall } from '../leg-store.ts'
import { ofCalls } from '../message-reader.ts'
import { callEventColumnNames, pinnedColumnNames } from '../schema.ts'
import type { Store } from '../store.ts'

/** Of one call. More is what no page shows. */
const maxMessages = 50_000
const maxEvents = 80_000

const columns = (names: readonly string[], table: string): string =>
  names.map((name) => (name === 'id' || name === 'at' ? `${table}.${name}` : name)).join(', ')

/** Ids that the pin has already. */
const copied = (table: string): string => `(SELECT ${table}.id FROM ${table} WHERE pinId = {pin:UUID})`

const copyMessages = `INSERT INTO pinnedMessages (pinId, ${pinnedColumnNames.join(', ')})
  SELECT {pin:UUID}, ${columns(pinnedColumnNames, 'messages')} FROM messages
  WHERE ${ofCalls} AND messages.id NOT IN ${copied('pinnedMessages')}
  ORDER BY messages.at, messages.id LIMIT 1 BY messages.id LIMIT ${maxMessages}`

const copyCallRow = `INSERT INTO pinnedCalls (pinId, ${callColumnNames.join(', ')})
  SELECT {pin:UUID}, ${callColumnNames.join(', ')} FROM calls FINAL
  WHERE (startedAt, calls.id) IN (
    SELECT startedAt, calls.id FROM calls WHERE capture = {capture:String} AND hasAny(callIds, {callIds:Array(String)}))
  ORDER BY startedAt LIMIT 1`

const copyEvents = `INSERT INTO pinnedCallEvents (pinId, ${callEventColumnNames.join(', ')})
  SELECT {pin:UUID}, ${columns(callEventColumnNames, 'callEvents')} FROM callEvents
  WHERE node = {node:String} AND linkedid IN {linkedids:Array(String)}
  AND callEvents.id NOT IN ${copied('pinnedCallEvents')} LIMIT 1 BY callEvents.id LIMIT ${maxEvents}`

/** Copies what history has of a call and its pin has not; safe to do again. How many messages the pin has then. @throws StoreError */
export async function copyRows(
  store: Store,
  { id, capture, call }: { id: string; capture: string; call: FoundCall },
): Promise<number> {
  const { callIds, node, linkedids } = call
  const params = { pin: id, callIds, capture }
  await store.command(copyMessages, params)
  await store.command(copyCallRow, params)
  if (linkedids.length > 0) await store.command(copyEvents, { pin: id, node, linkedids })
  const [kept] = await store.query<{ messages: number }>(
    'SELECT uniqExact(pinnedMessages.id) AS messages FROM pinnedMessages WHERE pinId = {pin:UUID}',
    { pin: id },
  )
  return kept?.messages ?? 0
}

const tables = ['pinnedMessages', 'pinnedCalls', 'pinnedCallEvents'] as const

/** @throws StoreError, RangeError for what is no id */
export async function removeCopies(store: Store, id: string): Promise<void> {
  // A mutation takes no bound values: only what is surely an id goes into the statement.
  const parts = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(id)?.slice(1)
  if (!parts) throw new RangeError('pin: not an id')
  for (const table of tables)
    await store.define(
      store.tables.alter(
        table,
        `DELETE WHERE pinId = toUUID('${parts.join('-')}') SETTINGS mutations_sync = 1`,
      ),
    )
}
