import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import type { Naming } from '../ingest/message-row.ts'
import { decodeFrames } from './frames-column.ts'
import { RowBinaryReader } from './row-binary-reader.ts'
import type { Store } from './store.ts'

/** A stored record with who was who at its time. */
export interface StoredMessage {
  readonly record: SipRecord
  readonly naming: Naming
  /** As indexed: `''` for what is not SIP. */
  readonly callId: string
}

/** What `readMessage` reads, in its order; `frames` behind it. */
const columns = [
  'toUnixTimestamp64Micro(messages.at)',
  'nanos',
  'messages.id',
  'callId',
  'precisionMicros',
  'source',
  'node',
  'transport',
  'direction',
  'srcAddress',
  'srcPort',
  'srcName',
  'dstAddress',
  'dstPort',
  'dstName',
  'trunk',
  'channel',
  'copies',
  'capture',
  'notes',
  'payload',
].join(', ')

/** Where messages are: what retention takes, and what is kept for calls that are pinned. */
export const messageTables = ['messages', 'pinnedMessages AS messages'] as const
export type MessageTable = (typeof messageTables)[number]

/** Whole messages, without their frames where nobody asks for these; `clauses` begin with WHERE and are constants.
 *  @throws StoreError */
export async function queryRecords(
  store: Store,
  clauses: string,
  params: Record<string, unknown>,
  { from = 'messages', withFrames = true }: { from?: MessageTable; withFrames?: boolean } = {},
): Promise<StoredMessage[]> {
  const frames = withFrames ? 'frames' : "''"
  const rows = new RowBinaryReader(
    await store.queryBinary(`SELECT ${columns}, ${frames} FROM ${from} ${clauses}`, params),
  )
  const messages: StoredMessage[] = []
  while (!rows.isEnd) messages.push(readMessage(rows))
  return messages
}

export function groupByCallId(messages: readonly StoredMessage[]): Map<string, StoredMessage[]> {
  const groups = new Map<string, StoredMessage[]>()
  for (const message of messages) {
    const group = groups.get(message.callId)
    if (group) group.push(message)
    else groups.set(message.callId, [message])
  }
  return groups
}

function readMessage(rows: RowBinaryReader): StoredMessage {
  const atMicros = rows.integer64()
  const nanos = rows.uint16()
  const id = rows.uuid()
  const callId = rows.text()
  const precisionMicros = rows.integer64()
  // Words that were checked by their schema before they were stored.
  const source = rows.word() as SipRecord['source']
  const node = rows.word()
  const transport = rows.word() as SipRecord['transport']
  const direction = rows.word() as SipRecord['direction']
  const src = { address: rows.word(), port: rows.uint16() }
  const srcName = rows.word()
  const dst = { address: rows.word(), port: rows.uint16() }
  const dstName = rows.word()
  const trunk = rows.word()
  const channel = rows.text()
  const copies = rows.uint32()
  const capture = rows.word()
  const notes: string[] = []
  for (let left = rows.length(); left > 0; left--) notes.push(rows.word())
  const inside = rows.piece()
  const frames = decodeFrames(rows.piece(), inside, { atMicros, nanos })
  const record: SipRecord = {
    v: 1,
    id,
    atMicros,
    nanos,
    precisionMicros,
    source,
    node,
    transport,
    src,
    dst,
    direction,
    payload: inside.bytes.subarray(inside.from, inside.to),
    frames,
    copies,
    notes,
  }
  if (channel !== '') record.channel = channel
  return { record, naming: { direction, srcName, dstName, trunk, capture }, callId }
}
