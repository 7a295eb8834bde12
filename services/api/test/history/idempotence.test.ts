import t from 'tap'
import { toSlot } from '@sip-capture/contract/bus/record-id.ts'
import { decodeFrames, type Piece } from '../../src/history/frames-column.ts'
import { listMessages } from '../../src/history/message-page.ts'
import { InsertMemory, insertMessages } from '../../src/history/message-writer.ts'
import { findMessage, readCallMessages } from '../../src/history/message-reader.ts'
import { applyRetentionBytes, applyRetentionDays, readHistoryBytes } from '../../src/history/retention.ts'
import { StoreError, type Store } from '../../src/history/store.ts'
import { insertViews, pack, packFrames, viewOf } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import { openTestStore } from '../test-store.ts'

const start = 1_795_391_929_000_000

const frame = (bytes: Uint8Array<ArrayBuffer>, more = {}) => ({
  linkType: 1,
  atMicros: start,
  nanos: 789,
  originalLength: bytes.length,
  bytes,
  ...more,
})

const someViews = (count: number, callId = 'c') =>
  Array.from({ length: count }, (_, n) =>
    viewOf(sipRecordOf(sipText({ callId, branch: `z9hG4bK${n}` }), { atMicros: start + n })),
  )

const ids = async (store: Store) =>
  (await listMessages(store, { filter: {}, order: 'asc', limit: 1000 })).items.map(({ id }) => id)

t.test('a batch that comes again, whole or in part, makes no second row', async (t) => {
  const store = await openTestStore(t)
  const views = someViews(100)
  t.same(await insertViews(store, views.slice(0, 60)), { stored: 60, duplicates: 0 })
  t.same(await insertViews(store, views), { stored: 40, duplicates: 60 })
  t.same(await insertViews(store, [...views, ...views]), { stored: 0, duplicates: 200 })
  t.same(
    await ids(store),
    views.map(({ record }) => record.id),
  )
  t.equal((await readCallMessages(store, { callIds: ['c'], limit: 1000 })).length, 100)
})

t.test('a process that died between the tables leaves nothing twice and nothing out', async (t) => {
  const store = await openTestStore(t)
  const views = someViews(10)
  const dying: Store = {
    ...store,
    async insertColumns(table, columns, block) {
      if (table === 'messages') throw new StoreError('killed', undefined)
      await store.insertColumns(table, columns, block)
    },
  }
  await t.rejects(insertViews(dying, views))
  t.same(await ids(store), [], 'not shown before all tables have it')
  await insertViews(store, views)
  t.same(
    await ids(store),
    views.map(({ record }) => record.id),
  )
  const raw = await readCallMessages(store, { callIds: ['c'], limit: 1000 })
  t.equal(raw.length, 10, 'the copies in the second table are not seen')
})

t.test('where a call is, is written once a slot, and again where that failed', async (t) => {
  const store = await openTestStore(t)
  const memory = new InsertMemory()
  const views = someViews(30)
  const add = async (into: Store, from: number, to: number) => {
    const packed = pack(views.slice(from, to))
    await insertMessages(into, packed, packed.rows, { memory })
  }
  const failing: Store = {
    ...store,
    async insertBinary(table, columns, body) {
      if (table === 'callSlots') throw new StoreError('away', undefined)
      await store.insertBinary(table, columns, body)
    },
  }
  await t.rejects(add(failing, 0, 10))
  for (let from = 0; from < 30; from += 10) await add(store, from, from + 10)
  const slots = new Set(views.map(({ record }) => toSlot(record.atMicros)))
  const [written] = await store.query<{ rows: number }>('SELECT count() AS rows FROM callSlots')
  t.equal(written?.rows, slots.size)
  t.equal((await readCallMessages(store, { callIds: ['c'], limit: 1000 })).length, 30)
})

t.test('two writers that store the same rows at once show them once', async (t) => {
  const store = await openTestStore(t)
  const views = someViews(200)
  await Promise.all([insertViews(store, views), insertViews(store, views)])
  t.equal((await ids(store)).length, 200)
  t.equal((await readCallMessages(store, { callIds: ['c'], limit: 1000 })).length, 200)
})

t.test('one odd clock in a batch', async (t) => {
  const store = await openTestStore(t)
  const views = [...someViews(3), viewOf(sipRecordOf('OPTIONS sip:a SIP/2.0\r\n\r\n', { atMicros: 0 }))]
  for (let year = 0; year < 150; year++)
    views.push(
      viewOf(sipRecordOf(sipText({}), { atMicros: 1_000_000_000_000_000 + year * 31_557_600_000_000 })),
    )
  t.equal((await insertViews(store, views)).stored, 154, 'also 150 days at once')
  t.equal((await insertViews(store, views)).duplicates, 154)
})

t.test('bytes, frames and nanoseconds come back as they went in', async (t) => {
  const store = await openTestStore(t)
  const payload = Buffer.from(`${sipText({ callId: 'bytes' })}\0\xff\xfe\x80\n`, 'latin1')
  const frames = [
    frame(Buffer.concat([Buffer.alloc(42, 7), payload, Buffer.from('trailer')]), { interfaceName: 'eth0' }),
    frame(payload),
    frame(Buffer.from(payload.subarray(10, 100)), { originalLength: 9000, linkType: 276, nanos: 0 }),
    frame(Buffer.alloc(0)),
  ]
  const view = viewOf(
    sipRecordOf(payload, { frames, nanos: 5, notes: ['truncated'], copies: 3, channel: 'PJSIP/a-1' }),
  )
  await insertViews(store, [view])
  const found = await findMessage(store, view.record.id)
  t.same(found?.record, view.record)
  const withHead = Buffer.concat([Buffer.alloc(42, 9), payload])
  const name = `a"h":"b\\"}]`
  const stamps = { atMicros: start, nanos: 789 }
  const variants = [
    [frame(withHead, { interfaceName: 'eth0' })],
    [frame(withHead, { interfaceName: name })],
    [frame(Buffer.from('other'), { interfaceName: name }), frame(withHead)],
    [frame(withHead), frame(Buffer.from('other'))],
    [frame(withHead, { atMicros: start - 1, nanos: 0 })],
    [frame(withHead, { originalLength: 9000 })],
  ]
  for (const frames of [...variants, ...variants]) {
    const { record } = viewOf(sipRecordOf(payload, { frames, ...stamps, copies: frames.length }))
    t.same(
      decodeFrames(
        toPiece(packFrames(record.frames, record.payload, record)),
        toPiece(record.payload),
        record,
      ),
      frames,
    )
  }
  t.same(found?.naming, view.naming)
  t.equal(await findMessage(store, '0'.repeat(32)), undefined)
  t.equal(await findMessage(store, 'f'.repeat(32)), undefined)
})

t.test('a message is found by its id, also by one of the first versions, which tells no slot', async (t) => {
  const store = await openTestStore(t)
  const [now] = someViews(1, 'now')
  const before = viewOf(sipRecordOf(sipText({ callId: 'before' }), { id: 'a'.repeat(32), atMicros: start }))
  await insertViews(store, [before, ...(now ? [now] : [])])
  t.equal((await findMessage(store, 'a'.repeat(32)))?.callId, 'before')
  t.equal((await findMessage(store, now?.record.id ?? ''))?.callId, 'now')
})

t.test('hostile Call-IDs are opaque', async (t) => {
  const store = await openTestStore(t)
  const callIds = [
    '../../x',
    `'";--`,
    '%2e%2e%2f%00',
    'a\0b',
    '__proto__',
    '\u202Egpj.exe',
    '*?[x]{y}:$',
    'ABC',
    'abc',
    'x'.repeat(60_000),
  ]
  const views = callIds.map((callId, n) => viewOf(sipRecordOf(sipText({ callId }), { atMicros: start + n })))
  await insertViews(store, views)
  for (const callId of callIds) {
    const found = await readCallMessages(store, { callIds: [callId], limit: 10 })
    t.equal(found.length, 1, JSON.stringify(callId).slice(0, 40))
    t.match(Buffer.from(found[0]?.record.payload ?? []).toString(), `Call-ID: ${callId}\r\n`)
  }
})

t.test('retention by age can be set and changed; by bytes the oldest days go', async (t) => {
  const store = await openTestStore(t)
  await applyRetentionDays(store, 30)
  await applyRetentionDays(store, 7)
  await applyRetentionDays(store, 7)
  const day = 86_400_000_000
  for (let n = 0; n < 3; n++)
    await insertViews(store, [viewOf(sipRecordOf(sipText({}), { atMicros: start + n * day }))])
  t.same(await applyRetentionBytes(store, 1e12), [])
  t.equal((await ids(store)).length, 3)
  t.ok((await readHistoryBytes(store)) > 0)
  t.equal((await applyRetentionBytes(store, 1)).length, 2, 'today stays')
  t.equal((await ids(store)).length, 1)
})

function toPiece(bytes: Uint8Array): Piece {
  return { bytes: Buffer.from(bytes), from: 0, to: bytes.length }
}
