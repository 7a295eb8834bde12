import { callEvent, type CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import type { CallDetail } from '@sip-capture/contract/rest/call.ts'
import { insertEventRows } from './legs/event-rows.ts'
import type { Store } from './store.ts'

export type Leg = CallDetail['legs'][number]

export interface FoundCall {
  /** In order of their legs. */
  readonly callIds: string[]
  readonly legs: Leg[]
  /** The Linkedids that are this call, on this PBX; empty where no leg is known. */
  readonly node: string
  readonly linkedids: string[]
}

/** A call has a handful of legs; a conference room of days may have many. */
const maxLegs = 500
const maxLinkedids = 500
/** Joined calls are a few steps apart: a transfer, then another, then a conference. */
const maxJoinSteps = 16
const maxEvents = 2_000

/** Which channel had which Call-ID, and how it ended. The same event twice is one row. @throws StoreError */
export async function insertCallEvents(store: Store, events: readonly CallEvent[]): Promise<void> {
  if (events.length > 0) await insertEventRows(store, events)
}

/**
 * All legs of the call that `id` names: a Call-ID, else Uniqueid, Linkedid or channel. Calls that Asterisk joined (transfer,
 * conference) are one. Without any leg known, an `id` stands for itself as a Call-ID; whether such a call exists the messages
 * say. @throws StoreError
 */
export async function findCall(
  store: Store,
  { id, capture }: { id: string; capture?: string | undefined },
): Promise<FoundCall> {
  // Legs are of live traffic; a file may hold the same Call-ID by chance.
  const anchor = capture === undefined ? await findAnchor(store, id) : undefined
  if (!anchor) return { callIds: [id], legs: [toAskedLeg(id)], node: '', linkedids: [] }
  const { node, linkedid } = anchor
  // Few calls are joined with others: its own legs are read while that is asked.
  const [linkedids, own] = await Promise.all([
    joinedLinkedids(store, node, linkedid),
    readLegs(store, node, [linkedid]),
  ])
  const legs = linkedids.length === 1 ? own : await readLegs(store, node, linkedids)
  const callIds = new Set(legs.map((leg) => leg.callId))
  return { callIds: [...callIds], legs, node, linkedids }
}

/** Every Call-ID of the calls that these events are about: what must be looked at again. @throws StoreError */
export async function findChangedCallIds(store: Store, events: readonly CallEvent[]): Promise<string[]> {
  const changed = new Map<string, Set<string>>()
  const add = (node: string, linkedid: string) =>
    changed.set(node, (changed.get(node) ?? new Set()).add(linkedid))
  for (const event of events) {
    if (event.kind === 'calls-joined') add(event.node, event.linkedid)
    else if (event.kind === 'leg-linked' || event.kind === 'leg-ended') add(event.node, event.linkedid)
  }
  const callIds = new Set<string>()
  for (const [node, linkedids] of changed) {
    const all = await joinedLinkedids(store, node, ...linkedids)
    const rows = await store.query<{ callId: string }>(
      `SELECT DISTINCT callId FROM legs
       WHERE kind = 'leg-linked' AND node = {node:String} AND linkedid IN {linkedids:Array(String)}`,
      { node, linkedids: all },
    )
    for (const { callId } of rows) callIds.add(callId)
  }
  return [...callIds]
}

/** Where events are: what retention takes, and what is kept for calls that are pinned. */
export type EventTable = 'callEvents' | 'pinnedCallEvents'

/** What Asterisk told of a call beside its links, oldest first. @throws StoreError */
export async function readCallEvents(
  store: Store,
  call: Pick<FoundCall, 'node' | 'linkedids'>,
  from: EventTable = 'callEvents',
): Promise<CallEvent[]> {
  if (call.linkedids.length === 0) return []
  const rows = await store.query<{ detail: string }>(
    `SELECT detail FROM ${from} WHERE node = {node:String} AND linkedid IN {linkedids:Array(String)}
     ORDER BY at, id LIMIT 1 BY at, id LIMIT ${maxEvents}`,
    { node: call.node, linkedids: call.linkedids },
  )
  return rows.flatMap(({ detail }) => {
    const parsed = callEvent.safeParse(JSON.parse(detail))
    return parsed.success ? [parsed.data] : []
  })
}

/** Asterisk's ids repeat on another PBX: the newest node that knows the id is meant. A sure link goes before a guess. */
async function findAnchor(store: Store, id: string): Promise<{ node: string; linkedid: string } | undefined> {
  const [anchor] = await store.query<{ node: string; linkedid: string }>(
    `SELECT node, linkedid FROM legs
     WHERE kind = 'leg-linked' AND (callId = {id:String} OR uniqueid = {id:String} OR linkedid = {id:String} OR channel = {id:String})
     ORDER BY callId = {id:String} DESC, callId = {id:String} AND link = 'guess', at DESC LIMIT 1`,
    { id },
  )
  return anchor
}

/** The Linkedids and all that were joined with them, over any number of steps. */
async function joinedLinkedids(store: Store, node: string, ...linkedids: string[]): Promise<string[]> {
  const all = new Set(linkedids)
  let latest = [...all]
  for (let step = 0; latest.length > 0 && step < maxJoinSteps && all.size < maxLinkedids; step++) {
    const rows = await store.query<{ other: string }>(
      `SELECT DISTINCT other FROM callJoins WHERE node = {node:String} AND linkedid IN {latest:Array(String)} LIMIT ${maxLinkedids}`,
      { node, latest },
    )
    latest = rows.map(({ other }) => other).filter((other) => !all.has(other))
    for (const other of latest) all.add(other)
  }
  return [...all]
}

interface LegRow {
  atMicros: number
  callId: string
  channel: string
  uniqueid: string
  linkedid: string
  link: 'getvar' | 'hep' | 'guess'
  reason: string
}

async function readLegs(store: Store, node: string, linkedids: readonly string[]): Promise<Leg[]> {
  const rows = await store.query<LegRow>(
    `SELECT toUnixTimestamp64Micro(at) AS atMicros, callId, channel, uniqueid, linkedid, link, reason FROM legs
     WHERE kind = 'leg-linked' AND node = {node:String} AND linkedid IN {linkedids:Array(String)}
     ORDER BY link = 'guess', link = 'hep', at LIMIT 1 BY callId, uniqueid LIMIT ${maxLegs}`,
    { node, linkedids },
  )
  const sure = new Set(rows.filter(({ link }) => link === 'getvar').map(({ callId }) => callId))
  const unsure = rows.filter(({ callId }) => !sure.has(callId)).map(({ callId }) => callId)
  const elsewhere = await surelyElsewhere(store, node, unsure, linkedids)
  return rows
    .filter(({ link, callId }) => link === 'getvar' || !(sure.has(callId) || elsewhere.has(callId)))
    .toSorted((a, b) => a.atMicros - b.atMicros)
    .map(({ callId, channel, uniqueid, linkedid, link, reason }) => ({
      callId,
      channel,
      uniqueid,
      linkedid,
      link,
      ...(reason === '' ? {} : { reason }),
    }))
}

/** Of these Call-IDs, those that Asterisk itself answered to be another call's: what HEP or a guess said is void. */
async function surelyElsewhere(
  store: Store,
  node: string,
  callIds: readonly string[],
  linkedids: readonly string[],
): Promise<Set<string>> {
  if (callIds.length === 0) return new Set()
  const rows = await store.query<{ callId: string }>(
    `SELECT DISTINCT callId FROM legs
     WHERE kind = 'leg-linked' AND node = {node:String} AND link = 'getvar' AND callId IN {callIds:Array(String)}
     AND linkedid NOT IN {linkedids:Array(String)}`,
    { node, callIds, linkedids },
  )
  return new Set(rows.map(({ callId }) => callId))
}

function toAskedLeg(callId: string): Leg {
  return { callId, channel: null, uniqueid: null, linkedid: null, link: 'asked' }
}
