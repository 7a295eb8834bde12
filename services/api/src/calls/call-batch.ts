import { findCall, type FoundCall } from '../history/leg-store.ts'
import { readCallMessages } from '../history/message-reader.ts'
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

/** Of one call, as `GET /calls/{id}` judges it too. */
const maxACall = 5_000
/** Of calls that are read together. */
const maxTogether = 20_000

/** The calls that these Call-IDs belong to, each once, with their messages; undefined where they have too many together: fewer calls
 *  must be asked for. @throws StoreError */
export async function readCalls(
  store: Store,
  query: { callIds: readonly string[]; capture: string },
): Promise<CallHistory[] | undefined> {
  const { callIds, capture } = query
  const calls =
    capture === ''
      ? await findCalls(store, callIds)
      : await Promise.all(callIds.map((id) => findCall(store, { id, capture })))
  const limit = callIds.length === 1 ? maxACall : maxTogether
  const messages = await readCallMessages(store, {
    callIds: calls.flatMap((call) => call.callIds),
    capture,
    limit,
    withFrames: false,
  })
  if (messages.length === limit && callIds.length > 1) return undefined
  const ends = await readEnds(store, calls)
  const byCallId = groupByCallId(messages)
  return calls.map((call) => ({
    call,
    messages: call.callIds.flatMap((callId) => byCallId.get(callId) ?? []).slice(0, maxACall),
    ends: endsOf(call, ends),
  }))
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
