import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { callLeg } from '@sip-capture/contract/rest/call.ts'
import type { PinnedCall } from '@sip-capture/contract/rest/watch.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import { z } from 'zod'
import { callSelect, toCallRecord, type StoredCall } from '../../calls/call-columns.ts'
import { toCallKey } from '../../calls/call-record.ts'
import { findCall, type FoundCall } from '../leg-store.ts'
import { addGuessedLegs } from '../legs/guessed-legs.ts'
import { ofCalls } from '../message-reader.ts'
import type { Store } from '../store.ts'
import { copyRows, removeCopies } from './pin-copies.ts'

/** A call that is kept, with the legs that were known of it when it was last copied. */
export interface Pin {
  /** 32 hex digits; that of the call's row, unless the call has joined another since. */
  readonly id: string
  readonly capture: string
  readonly pinnedAtMicros: number
  /** Name of the watch; `''`: a person. */
  readonly pinnedBy: string
  readonly call: FoundCall
  /** Messages that are kept; 0: not yet copied. */
  readonly messages: number
}

const maxListed = 10_000
const maxNames = 2_000

const storedCall = z.object({
  callIds: z.array(z.string()),
  legs: z.array(callLeg),
  node: z.string(),
  linkedids: z.array(z.string()),
})

interface PinRow {
  idHex: string
  pinnedAtMicros: number
  pinnedBy: string
  capture: string
  call: string
  messages: number
}

const columns =
  'lower(hex(pins.id)) AS idHex, toUnixTimestamp64Micro(pinnedAt) AS pinnedAtMicros, pinnedBy, capture, call, messages'

const toPin = ({ idHex, ...row }: PinRow): Pin => ({
  ...row,
  id: idHex,
  call: storedCall.parse(JSON.parse(row.call)),
})

/** The pin of the call that one of these names: Call-ID, Uniqueid, Linkedid, channel. @throws StoreError */
export async function findPin(
  store: Store,
  { names, capture }: { names: readonly string[]; capture: string },
): Promise<Pin | undefined> {
  const [row] = await store.query<PinRow>(
    `SELECT ${columns} FROM pins FINAL
     WHERE capture = {capture:String} AND hasAny(names, {names:Array(String)}) ORDER BY pinnedAt LIMIT 1`,
    { names, capture },
  )
  return row && toPin(row)
}

/** Newest first. @throws StoreError */
export async function listPins(store: Store): Promise<PinnedCall[]> {
  const rows = await store.query<PinRow>(
    `SELECT ${columns} FROM pins FINAL ORDER BY pinnedAt DESC LIMIT ${maxListed}`,
  )
  const stored = await store.query<StoredCall & { pinIdHex: string }>(
    `SELECT lower(hex(pinId)) AS pinIdHex, ${callSelect} FROM pinnedCalls AS calls FINAL LIMIT ${maxListed}`,
  )
  const callOf = new Map(stored.map((one) => [one.pinIdHex, toCallRecord(one).row]))
  return rows.map((row) => toView(toPin(row), callOf.get(row.idHex)))
}

async function readView(store: Store, pin: Pin): Promise<PinnedCall> {
  const [stored] = await store.query<StoredCall>(
    `SELECT ${callSelect} FROM pinnedCalls AS calls FINAL WHERE pinId = {pin:UUID}`,
    { pin: pin.id },
  )
  return toView(pin, stored && toCallRecord(stored).row)
}

function toView(pin: Pin, row: CallRow | undefined): PinnedCall {
  const { id, capture, call, pinnedAtMicros, pinnedBy, messages } = pin
  return {
    id,
    callId: call.callIds[0] ?? id,
    capture: capture === '' ? null : capture,
    pinnedAt: toRfc3339(pinnedAtMicros),
    pinnedBy,
    messages,
    call: row ?? null,
  }
}

/** When a look at a store found nothing kept: pages ask it again and again. */
const emptyAtMillis = new WeakMap<Store, number>()
const emptyMillis = 1_000

/** False also for a second after the first pin of another process. @throws StoreError */
export async function hasPins(store: Store): Promise<boolean> {
  if (performance.now() - (emptyAtMillis.get(store) ?? -Infinity) < emptyMillis) return false
  const [kept] = await store.query<{ rows: number }>('SELECT count() AS rows FROM pins')
  const isEmpty = kept?.rows === 0
  if (isEmpty) emptyAtMillis.set(store, performance.now())
  return !isEmpty
}

export async function countPins(store: Store): Promise<number> {
  const [row] = await store.query<{ pins: number }>('SELECT count() AS pins FROM pins FINAL')
  return row?.pins ?? 0
}

/** `none`: history has no message of such a call. `full`: as many as may be are kept. */
export type PinOutcome = { readonly pin: PinnedCall } | { readonly problem: 'none' | 'full' }

/** Keeps the call that `id` names beyond retention. A call that is kept already stays as it is, with what came since.
 *  @throws StoreError */
export async function pinCall(
  store: Store,
  order: { id: string; capture?: string | undefined; by: string; max: number },
): Promise<PinOutcome> {
  const { id, capture = '', by, max } = order
  const call = await findWholeCall(store, id, capture)
  const known = await findPin(store, { names: [id, ...call.callIds], capture })
  if (known) return { pin: await readView(store, await copyCall(store, known)) }
  const [stored] = await store.query<{ messages: number }>(
    `SELECT count() AS messages FROM messages WHERE ${ofCalls}`,
    { callIds: call.callIds, capture },
  )
  if (!stored?.messages) return { problem: 'none' }
  if ((await countPins(store)) >= max) return { problem: 'full' }
  const pin: Pin = {
    id: toCallKey(capture, call.callIds[0] ?? id),
    capture,
    pinnedAtMicros: nowMicros(),
    pinnedBy: by,
    call,
    messages: 0,
  }
  // The mark first: what is written of the call from now on is copied too.
  await writePin(store, pin)
  return { pin: await readView(store, await copyCall(store, pin)) }
}

async function findWholeCall(store: Store, id: string, capture: string): Promise<FoundCall> {
  const named = capture === '' ? undefined : capture
  return await addGuessedLegs(store, await findCall(store, { id, capture: named }), named)
}

async function writePin(store: Store, pin: Pin, isDeleted = false): Promise<void> {
  const { id, capture, pinnedAtMicros, pinnedBy, call, messages } = pin
  const names = [
    ...call.callIds,
    ...call.linkedids,
    ...call.legs.flatMap(({ uniqueid, channel }) => [uniqueid, channel].filter((name) => name !== null)),
  ]
  const time = toRfc3339(pinnedAtMicros).replace('T', ' ').slice(0, -1)
  const row = [
    id,
    nowMicros(),
    Number(isDeleted),
    time,
    pinnedBy,
    capture,
    [...new Set(names)].slice(0, maxNames),
    JSON.stringify(call),
    messages,
  ]
  await store.insert(
    'pins',
    ['id', 'version', 'isDeleted', 'pinnedAt', 'pinnedBy', 'capture', 'names', 'call', 'messages'],
    Buffer.from(`${JSON.stringify(row)}\n`),
  )
  emptyAtMillis.delete(store)
}

/** Copies what history has of the call and the pin has not. Safe to do again. */
async function copyCall(store: Store, pin: Pin): Promise<Pin> {
  const { id, capture } = pin
  const found = await findWholeCall(store, pin.call.callIds[0] ?? id, capture)
  const call = joinCalls(pin.call, found)
  const messages = await copyRows(store, { id, capture, call })
  const next = { ...pin, call, messages }
  if (next.messages !== pin.messages || JSON.stringify(call) !== JSON.stringify(pin.call))
    await writePin(store, next)
  return next
}

/** Legs that retention took, and those that came since. */
export function joinCalls(kept: FoundCall, now: FoundCall): FoundCall {
  const sure = now.legs.filter(({ link }) => link !== 'asked')
  const legs = [...sure, ...kept.legs.filter((leg) => !sure.some((one) => isSameLeg(one, leg)))]
  return {
    callIds: [...new Set([...kept.callIds, ...(sure.length > 0 ? now.callIds : [])])],
    legs: legs.filter(({ link, callId }) => link !== 'asked' || !sure.some((leg) => leg.callId === callId)),
    node: now.node || kept.node,
    linkedids: [...new Set([...kept.linkedids, ...now.linkedids])],
  }
}

const isSameLeg = (a: FoundCall['legs'][number], b: FoundCall['legs'][number]): boolean =>
  a.callId === b.callId && a.uniqueid === b.uniqueid

/** Copies what these calls got since they were pinned. @throws StoreError */
export async function completePins(
  store: Store,
  { callIds, capture }: { callIds: readonly string[]; capture: string },
): Promise<void> {
  const rows = await store.query<PinRow>(
    `SELECT ${columns} FROM pins FINAL WHERE capture = {capture:String} AND hasAny(names, {callIds:Array(String)})`,
    { callIds, capture },
  )
  for (const row of rows) await copyCall(store, toPin(row))
}

/** Copies those that a crash left without their rows. @throws StoreError */
export async function repairPins(store: Store): Promise<void> {
  const rows = await store.query<PinRow>(`SELECT ${columns} FROM pins FINAL WHERE messages = 0 LIMIT 100`)
  for (const row of rows) await copyCall(store, toPin(row))
}

/** Lets retention have it again: the copies go at once. False: it was not kept. @throws StoreError */
export async function unpinCall(store: Store, id: string): Promise<boolean> {
  const [row] = await store.query<PinRow>(`SELECT ${columns} FROM pins FINAL WHERE pins.id = {id:UUID}`, {
    id,
  })
  if (!row) return false
  await removeCopies(store, id)
  await writePin(store, toPin(row), true)
  return true
}

/** The calls of a capture that goes. @throws StoreError */
export async function unpinCapture(store: Store, capture: string): Promise<void> {
  const rows = await store.query<PinRow>(
    `SELECT ${columns} FROM pins FINAL WHERE capture = {capture:String}`,
    { capture },
  )
  for (const { idHex } of rows) await unpinCall(store, idHex)
}
