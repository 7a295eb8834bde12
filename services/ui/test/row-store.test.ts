import t from 'tap'
import { type MessageEntry, RowStore } from '../src/state/row-store.ts'
import { answeredCall, busyCall, phone, pbx, toRow } from './sip-calls.ts'

const start = 1_795_412_000_000_000
const call = (n: number, sources: Parameters<typeof busyCall>[0]['sources'] = ['wire']) =>
  busyCall({ callId: `c${n}@h`, startMicros: start + n * 1_000_000, ...(sources ? { sources } : {}) })
const messages = (store: RowStore) =>
  store.entries.filter((entry): entry is MessageEntry => entry.kind === 'message')

t.test('a row that comes again after a resume or a reconnect is held once', async (t) => {
  const store = new RowStore(100)
  t.equal(store.add(call(1)), 4)
  t.equal(store.add([...call(1), ...call(1), ...call(2)]), 4)
  t.equal(store.entries.length, 8)
})

t.test(
  'one message seen by three sources is one row with three badges, best source first, no record lost',
  async (t) => {
    const store = new RowStore(100)
    const rows = call(1, ['ami-history', 'ami-hep', 'wire'])
    store.add(rows)
    t.equal(store.entries.length, 4)
    for (const entry of messages(store)) {
      t.same(
        entry.sightings.map((row) => row.source),
        ['wire', 'ami-hep', 'ami-history'],
      )
      t.equal(entry.row.source, 'wire')
    }
  },
)

t.test('a retransmission in one source stays a row of its own, and pairs with its own twin', async (t) => {
  const [invite] = call(1)
  if (invite === undefined) return t.fail('no call')
  const again = (source: 'wire' | 'ami-hep', ms: number) =>
    toRow({
      text: Buffer.from(invite.rawBase64, 'base64').toString(),
      atMicros: start + ms * 1000,
      src: phone,
      dst: pbx,
      source,
    })
  const store = new RowStore(100)
  store.add([again('wire', 0), again('wire', 500), again('ami-hep', 1), again('ami-hep', 501)])
  t.equal(store.entries.length, 2)
  t.same(
    messages(store).map((entry) => entry.sightings.map((row) => row.at.slice(-8))),
    [
      [again('wire', 0).at.slice(-8), again('ami-hep', 1).at.slice(-8)],
      [again('wire', 500).at.slice(-8), again('ami-hep', 501).at.slice(-8)],
    ],
  )
})

t.test('the same words a minute later are another message', async (t) => {
  const [invite] = call(1)
  if (invite === undefined) return t.fail('no call')
  const later = {
    ...invite,
    id: 'f'.repeat(32),
    source: 'ami-hep' as const,
    at: '2099-01-01T00:00:00.000000Z',
  }
  const store = new RowStore(100)
  store.add([invite, later])
  t.equal(store.entries.length, 2)
})

t.test('equal keys of different Call-IDs are not shown as one', async (t) => {
  const [invite] = call(1)
  if (invite === undefined) return t.fail('no call')
  const forged = { ...invite, id: 'e'.repeat(32), source: 'ami-hep' as const, callId: 'someone-else@h' }
  const store = new RowStore(100)
  store.add([invite, forged])
  t.equal(store.entries.length, 2)
})

t.test('rows stand in order of time, however they arrive', async (t) => {
  const store = new RowStore(100)
  const rows = answeredCall({ callId: 'x', startMicros: start })
  store.add([...rows].reverse())
  store.add(call(-5))
  const times = store.entries.map((entry) => entry.atMicros)
  t.same(
    times,
    [...times].sort((a, b) => a - b),
  )
})

t.test('the store is bounded, what it lets go is counted, and its ids are forgotten with it', async (t) => {
  const store = new RowStore(10)
  for (let n = 0; n < 10; n += 1) store.add(call(n))
  t.equal(store.entries.length, 10)
  t.equal(store.letGo, 30)
  t.notOk(store.has(call(0)[0]?.id ?? ''))
  t.ok(store.has(call(9)[0]?.id ?? ''))
})

t.test('a gap is an entry at the place of what is missing', async (t) => {
  const store = new RowStore(100)
  store.add(call(0))
  store.add(call(9))
  const before = store.entries[3]
  store.addGap({
    from: '2026-11-23T05:33:21.000000Z',
    to: new Date(start / 1000 + 5000).toISOString(),
    missed: 12,
    reason: 'slow',
  })
  t.equal(store.entries[3], before)
  t.equal(store.entries[4]?.kind, 'gap')
  t.equal(store.entries[5]?.kind, 'message')
})

t.test('ten thousand equal messages of one source do not make adding slow or lose a row', async (t) => {
  const [invite] = call(1)
  if (invite === undefined) return t.fail('no call')
  const store = new RowStore(20_000)
  store.add(Array.from({ length: 10_000 }, (_, n) => ({ ...invite, id: String(n) })))
  t.equal(store.entries.length, 10_000)
})
