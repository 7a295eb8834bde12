import t from 'tap'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { BinaryWriter } from '../../src/history/binary-writer.ts'
import { readEnvelope, writeEnvelope } from '../../src/history/envelope.ts'
import { listMessages } from '../../src/history/message-page.ts'
import { readCallMessages } from '../../src/history/message-reader.ts'
import { RowBinaryReader } from '../../src/history/row-binary-reader.ts'
import type { Store } from '../../src/history/store.ts'
import { MessageView, type Naming } from '../../src/ingest/message-row.ts'
import { insertViews } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import { openTestStore } from '../test-store.ts'
import { insertAsBefore } from './rows-of-before.ts'

const usual: Naming = { direction: 'in', srcName: '', dstName: '', trunk: '', capture: '' }
const kinds: readonly [name: string, record: Partial<SipRecord>, naming: Partial<Naming>][] = [
  ['usual', {}, {}],
  ['named', {}, { srcName: 'carrier', dstName: 'Größe ☎', trunk: 'carrier', direction: 'out' }],
  ['long names', { node: 'n'.repeat(256) }, { srcName: 's'.repeat(200), trunk: 'é'.repeat(100) }],
  ['IPv6', { src: { address: '2001:db8::1', port: 65_535 }, dst: { address: '', port: 0 } }, {}],
  ['many copies', { copies: 2 ** 32 - 1, precisionMicros: 1_000_000, nanos: 999 }, {}],
  ['noted', { notes: ['cut off', 'in fragments', 'ü'], channel: 'PJSIP/carrier-0000002a' }, {}],
  ['over TLS', { transport: 'TLS', source: 'wire' }, { direction: 'unknown' }],
]

const views = kinds.map(
  ([name, record, naming], n) =>
    new MessageView(
      sipRecordOf(sipText({ callId: name }), { atMicros: 1_795_391_929_000_000 + n, ...record }),
      { ...usual, ...naming },
    ),
)

t.test('an envelope is read as it was written, the first time and again', (t) => {
  for (const { record, naming } of views) {
    const writer = new BinaryWriter(16)
    writeEnvelope(writer, record, naming)
    for (let time = 0; time < 2; time++)
      t.match(readEnvelope(new RowBinaryReader(Buffer.from(writer.written())).bytes()), {
        source: record.source,
        node: record.node,
        transport: record.transport,
        direction: naming.direction,
        srcAddress: record.src.address,
        srcName: naming.srcName,
        dstAddress: record.dst.address,
        dstName: naming.dstName,
        trunk: naming.trunk,
        precisionMicros: record.precisionMicros,
        copies: record.copies,
        notes: record.notes,
      })
  }
  t.equal(readEnvelope(Buffer.alloc(0)), undefined)
  t.end()
})

const ways: readonly [name: string, insert: (store: Store) => Promise<unknown>][] = [
  ['all have an envelope', (store) => insertViews(store, views)],
  ['none has one, as versions before wrote them', (store) => insertAsBefore(store, views)],
  [
    'some have one',
    async (store) => {
      await insertViews(store, views.slice(0, 3))
      await insertAsBefore(store, views.slice(3))
    },
  ],
]

for (const [name, insert] of ways)
  t.test(`rows are read as they were written: ${name}`, async (t) => {
    const store = await openTestStore(t)
    await insert(store)
    const stored = await readCallMessages(store, { callIds: kinds.map(([callId]) => callId), limit: 100 })
    t.same(
      stored.map(({ record, naming }) => ({
        naming,
        record: { ...record, payload: new Uint8Array(record.payload) },
      })),
      views.map(({ record, naming }) => ({ naming, record: { ...record, direction: naming.direction } })),
    )
    const page = await listMessages(store, { filter: {}, order: 'asc', limit: 100 })
    t.same(
      page.items,
      views.map(({ row }) => row),
    )
  })
