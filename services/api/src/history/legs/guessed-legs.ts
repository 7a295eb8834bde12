import { correlate, type OpeningInvite } from '@sip-capture/sip/correlate.ts'
import { parseMessage } from '@sip-capture/sip/message.ts'
import type { FoundCall, Leg } from '../leg-store.ts'
import { ofCalls } from '../message-reader.ts'
import type { StoredMessage } from '../record-rows.ts'
import type { Store } from '../store.ts'
import { atOrAfter, atOrBefore } from '../time-sql.ts'

/** As far as a second leg may be from the first. */
const aroundMicros = 30_000_000
/** With more calls than this through the same hosts in that time, nothing would be unique. */
const maxCandidates = 500

/**
 * A call without any leg that Asterisk told of (captured on the wire alone, or imported): the dialogs that belong to it by
 * what their INVITEs say, each marked as a guess with its reason. `known`: where it began. @throws StoreError
 */
export async function addGuessedLegs(
  store: Store,
  call: FoundCall,
  capture: string | undefined,
  known?: Opening,
): Promise<FoundCall> {
  const [callId] = call.callIds
  if (callId === undefined || isTold(call)) return call
  const opening = known ?? (await readOpening(store, callId, capture ?? ''))
  if (!opening) return call
  const invites = await readInvitesAround(store, opening, capture ?? '')
  const found = correlate(callId, invites)
  const legs: Leg[] = found.map((other) => ({
    callId: other.callId,
    channel: null,
    uniqueid: null,
    linkedid: null,
    link: 'guess',
    reason: other.reason,
  }))
  const atOf = new Map(invites.map((invite) => [invite.callId, invite.atMicros]))
  const inOrder = [...call.legs, ...legs].toSorted(
    (a, b) => (atOf.get(a.callId) ?? 0) - (atOf.get(b.callId) ?? 0),
  )
  return { ...call, callIds: inOrder.map((leg) => leg.callId), legs: inOrder }
}

/** Asterisk told of its legs. */
export function isTold({ legs }: FoundCall): boolean {
  return legs.some(({ link }) => link !== 'asked')
}

interface InviteRow {
  callId: string
  atMicros: number
  endedAtMicros: number
  srcAddress: string
  dstAddress: string
  payload: string
}

/** Where and when a dialog began. */
export interface Opening {
  readonly atMicros: number
  readonly srcAddress: string
  readonly dstAddress: string
}

/** Of messages of one Call-ID in order: where its first INVITE was; undefined where it is not among them. */
export function findOpening(messages: readonly StoredMessage[]): Opening | undefined {
  for (const { record } of messages) {
    if (!startsInvite(record.payload)) continue
    const parsed = parseMessage(record.payload)
    if (parsed.ok && parsed.message.to.tag === '')
      return { atMicros: record.atMicros, srcAddress: record.src.address, dstAddress: record.dst.address }
  }
  return undefined
}

const inviteLine = Buffer.from('INVITE ')
const startsInvite = (payload: Uint8Array): boolean =>
  Buffer.compare(payload.subarray(0, inviteLine.length), inviteLine) === 0

async function readOpening(store: Store, callId: string, capture: string): Promise<Opening | undefined> {
  const [opening] = await store.query<Opening>(
    `SELECT toUnixTimestamp64Micro(at) AS atMicros, srcAddress, dstAddress FROM messages
     WHERE ${ofCalls} AND kind = 'request' AND method = 'INVITE' AND toTag = '' ORDER BY at LIMIT 1`,
    { callIds: [callId], capture },
  )
  return opening
}

/** The first INVITE of each dialog through the hosts of this one; empty where there are too many. */
async function readInvitesAround(store: Store, own: Opening, capture: string): Promise<OpeningInvite[]> {
  const keys = await store.query<{ callId: string; atMicros: number }>(
    `SELECT callId, toUnixTimestamp64Micro(min(messages.at)) AS atMicros FROM messages
     WHERE ${atOrAfter('{from:Int64}')} AND ${atOrBefore('{to:Int64}')} AND capture = {capture:String}
     AND kind = 'request' AND method = 'INVITE' AND toTag = '' AND callId != ''
     AND (srcAddress IN {hosts:Array(String)} OR dstAddress IN {hosts:Array(String)})
     AND callId NOT IN (SELECT callId FROM legs WHERE kind = 'leg-linked' AND {capture:String} = '')
     GROUP BY callId LIMIT ${maxCandidates + 1}`,
    {
      from: own.atMicros - aroundMicros,
      to: own.atMicros + aroundMicros,
      hosts: [own.srcAddress, own.dstAddress],
      capture,
    },
  )
  if (keys.length < 2 || keys.length > maxCandidates) return []
  const rows = await store.query<InviteRow>(
    `SELECT callId, toUnixTimestamp64Micro(min(messages.at)) AS atMicros, toUnixTimestamp64Micro(max(messages.at)) AS endedAtMicros,
     argMin(srcAddress, (messages.at, messages.id)) AS srcAddress, argMin(dstAddress, (messages.at, messages.id)) AS dstAddress,
     argMin(if(startsWith(payload, 'INVITE '), payload, ''), (if(startsWith(payload, 'INVITE '), 0, 1), messages.at)) AS payload
     FROM messages WHERE ${ofCalls} GROUP BY callId`,
    { callIds: keys.map((key) => key.callId), capture },
  )
  return rows.flatMap((row) => {
    const parsed = parseMessage(Buffer.from(row.payload))
    if (!parsed.ok) return []
    const { callId, atMicros, endedAtMicros, srcAddress, dstAddress } = row
    return [{ callId, atMicros, endedAtMicros, srcAddress, dstAddress, message: parsed.message }]
  })
}
