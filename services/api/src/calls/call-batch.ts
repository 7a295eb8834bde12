import { findCall, type FoundCall } from '../history/leg-store.ts'
import { readCallMessages, type RowKey } from '../history/message-reader.ts'
import { groupByCallId, type StoredMessage } from '../history/record-rows.ts'
import type { Store } from '../history/store.ts'
import { findCalls } from './find-calls.ts'
import type { ChannelEnd } from './summarise-call.ts'

/** A call with all that history knows of it. */
export interface CallHistory {
  readonly call: FoundCall
  /** Every sighting of every leg, in order of time, without frames. */
  readonly messages: readonly StoredMessage[]
  readonly ends: readonly ChannelEnd[]
}

const pageRows = 5_000
/** Of one call, as `GET /calls/{id}` judges it too. */
const maxACall = 5_000
/** Of a batch together; beyond, its calls are read one by one. */
const maxABatch = 20_000

/** The calls that these Call-IDs belong to, each once, with their messages. @throws StoreError */
export async function readCalls(
  store: Store,
  query: { callIds: readonly string[]; capture: string },
): Promise<CallHistory[]> {
  const { callIds, capture } = query
  const calls =
    capture === ''
      ? await findCalls(store, callIds)
      : await Promise.all(callIds.map((id) => findCall(store, { id, capture })))
  const ends = await readEnds(store, calls)
  const all = await readMessages(
    store,
    calls.flatMap((call) => call.callIds),
    capture,
    maxABatch,
  )
  const byCallId = groupByCallId(all ?? [])
  const histories: CallHistory[] = []
  for (const call of calls) {
    const messages =
      all === undefined
        ? ((await readMessages(store, call.callIds, capture, maxACall, true)) ?? [])
        : call.callIds.flatMap((callId) => byCallId.get(callId) ?? []).slice(0, maxACall)
    histories.push({ call, messages, ends: endsOf(call, ends) })
  }
  return histories
}

/** In order of time; undefined when there are more than `max`, unless the first ones will do. */
async function readMessages(
  store: Store,
  callIds: readonly string[],
  capture: string,
  max: number,
  isCut = false,
): Promise<StoredMessage[] | undefined> {
  const messages: StoredMessage[] = []
  let after: RowKey | undefined
  for (;;) {
    const found = await readCallMessages(store, {
      callIds,
      capture,
      limit: pageRows,
      after,
      withFrames: false,
    })
    messages.push(...found)
    const last = found.at(-1)
    if (!last || found.length < pageRows) return messages.slice(0, max)
    if (messages.length >= max) return isCut ? messages.slice(0, max) : undefined
    after = { atMicros: last.record.atMicros, id: last.record.id }
  }
}

interface EndRow extends ChannelEnd {
  readonly node: string
}

async function readEnds(store: Store, calls: readonly FoundCall[]): Promise<EndRow[]> {
  const uniqueids = calls.flatMap(({ legs }) =>
    legs.flatMap(({ uniqueid }) => (uniqueid === null ? [] : [uniqueid])),
  )
  if (uniqueids.length === 0) return []
  const nodes = [...new Set(calls.map(({ node }) => node))]
  return await store.query<EndRow>(
    `SELECT node, uniqueid, cause, causeText, techCause FROM legs
     WHERE kind = 'leg-ended' AND node IN {nodes:Array(String)} AND uniqueid IN {uniqueids:Array(String)}
     ORDER BY at LIMIT 1 BY node, uniqueid`,
    { nodes, uniqueids },
  )
}

function endsOf(call: FoundCall, ends: readonly EndRow[]): ChannelEnd[] {
  const own = new Set(call.legs.map(({ uniqueid }) => uniqueid))
  return ends.filter(({ node, uniqueid }) => node === call.node && own.has(uniqueid))
}
