import type { Frame, SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { createDirectory } from '../src/directory.ts'
import { writeFrames } from '../src/history/frames-column.ts'
import { insertMessages, type InsertOutcome } from '../src/history/message-writer.ts'
import { PackedMessages } from '../src/history/packed-messages.ts'
import { BinaryWriter } from '../src/history/binary-writer.ts'
import type { Store } from '../src/history/store.ts'
import { toNaming, MessageView } from '../src/ingest/message-row.ts'

/** One trunk, one phone, the PBX at 192.0.2.20. */
export const directory = createDirectory([
  {
    v: 1,
    node: 'pbx1',
    atMicros: 1,
    ownAddresses: [{ address: '192.0.2.20', port: 5080 }],
    endpoints: [
      {
        name: 'phone-100',
        deviceState: '',
        addresses: [{ address: '192.0.2.10', port: 5060 }],
        matches: [],
        isTrunk: false,
        contacts: [],
        registrations: [],
      },
      {
        name: 'acme',
        deviceState: '',
        addresses: [],
        matches: ['203.0.113.0/24', '2001:db8:1::/48'],
        isTrunk: true,
        contacts: [],
        registrations: [],
      },
    ],
  },
])

export function viewOf(record: SipRecord, capture = ''): MessageView {
  return new MessageView(record, { ...toNaming(record, directory), capture })
}

export function pack(views: readonly MessageView[]): PackedMessages {
  const packed = new PackedMessages()
  for (const view of views) packed.add(view)
  return packed
}

/** The value of the `frames` column. */
export function packFrames(
  frames: readonly Frame[],
  payload: Uint8Array,
  stamp: { atMicros: number; nanos: number },
): Buffer {
  const writer = new BinaryWriter(64)
  writeFrames(writer, frames, payload, stamp)
  return writer.written()
}

export function insertViews(store: Store, views: readonly MessageView[]): Promise<InsertOutcome> {
  return insertMessages(store, pack(views))
}
