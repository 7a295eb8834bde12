import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import type { Naming } from '../ingest/message-row.ts'
import { type Envelope, envelopeColumns, readEnvelope, readEnvelopeColumns } from './envelope.ts'
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

/** What `readMessage` reads, in its order: the envelope or what it is made of, and `frames` behind it. */
const columns = [
  'toUnixTimestamp64Micro(messages.at)',
  'nanos',
  'messages.id',
  'callId',
  'srcPort',
  'dstPort',
  'channel',
  'capture',
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
  const read = async (envelope: string, readFrom: EnvelopeReader) => {
    const frames = withFrames ? 'frames' : "''"
    const selected = `${columns}, ${envelope}, ${frames}`
    return readMessages(
      await store.queryBinary(`SELECT ${selected} FROM ${from} ${clauses}`, params),
      readFrom,
    )
  }
  return (
    (await read('envelope', (rows) => readEnvelope(rows.bytes()))) ??
    (await read(envelopeColumns, readEnvelopeColumns)) ??
    []
  )
}

/** Undefined where a row has no envelope. */
type EnvelopeReader = (rows: RowBinaryReader) => Envelope | undefined

/** Undefined where one of them has no envelope. */
function readMessages(bytes: Uint8Array<ArrayBuffer>, readFrom: EnvelopeReader): StoredMessage[] | undefined {
  const rows = new RowBinaryReader(bytes)
  const messages: StoredMessage[] = []
  while (!rows.isEnd) {
    const message = readMessage(rows, readFrom)
    if (!message) return undefined
    messages.push(message)
  }
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

function readMessage(rows: RowBinaryReader, readFrom: EnvelopeReader): StoredMessage | undefined {
  const atMicros = rows.integer64()
  const nanos = rows.uint16()
  const id = rows.uuid()
  const callId = rows.text()
  const srcPort = rows.uint16()
  const dstPort = rows.uint16()
  const channel = rows.text()
  const capture = rows.word()
  const inside = rows.piece()
  const envelope = readFrom(rows)
  if (!envelope) return undefined
  const frames = decodeFrames(rows.piece(), inside, { atMicros, nanos })
  const { direction, srcName, dstName, trunk } = envelope
  const record: SipRecord = {
    v: 1,
    id,
    atMicros,
    nanos,
    precisionMicros: envelope.precisionMicros,
    source: envelope.source,
    node: envelope.node,
    transport: envelope.transport,
    src: { address: envelope.srcAddress, port: srcPort },
    dst: { address: envelope.dstAddress, port: dstPort },
    direction,
    payload: inside.bytes.subarray(inside.from, inside.to),
    frames,
    copies: envelope.copies,
    notes: envelope.notes,
  }
  if (channel !== '') record.channel = channel
  return { record, naming: { direction, srcName, dstName, trunk, capture }, callId }
}
