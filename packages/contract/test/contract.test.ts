import t from 'tap'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { brotliCompressSync } from 'node:zlib'
import { decodeBatch, encodeBatch, maxBatchBytes } from '@sip-capture/contract/codec.ts'
import { callEvent } from '@sip-capture/contract/bus/call-event.ts'
import { sipRecord, type SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { toSipRecord, toTrafficMessage, trafficMessage } from '@sip-capture/contract/bus/traffic-message.ts'
import { messageFilter } from '@sip-capture/contract/rest/message.ts'
import { parseTime, toRfc3339 } from '@sip-capture/contract/time.ts'
import { clientFrame } from '@sip-capture/contract/live.ts'

const record: SipRecord = {
  v: 1,
  id: '0123456789abcdef0123456789abcdef',
  atMicros: 1_795_391_929_123_456,
  nanos: 789,
  precisionMicros: 1,
  source: 'wire',
  node: 'pbx1',
  transport: 'UDP',
  src: { address: '192.0.2.1', port: 5060 },
  dst: { address: '2001:db8::1', port: 5080 },
  direction: 'in',
  payload: new Uint8Array([0x4f, 0x50, 0xff, 0x00, 0x0d, 0x0a]),
  frames: [
    {
      linkType: 1,
      atMicros: 1_795_391_929_123_456,
      nanos: 789,
      bytes: new Uint8Array([1, 2, 3]),
      originalLength: 9,
    },
  ],
  copies: 2,
  notes: ['truncated'],
}

t.test('keys carry the prefix', async (t) => {
  t.equal(createBusKeys('x:').trafficLog, 'x:sip-traffic:log')
  t.equal(createBusKeys().own('ami-bridge', 'cursor'), 'callytics:ami-bridge:cursor')
})

t.test('a batch comes back byte for byte', async (t) => {
  const decoded = decodeBatch(sipRecord, encodeBatch([record]))
  t.same(decoded.rejected, [])
  const [back] = decoded.items
  t.same(Buffer.from(back?.payload ?? []), Buffer.from(record.payload))
  t.same(Buffer.from(back?.frames[0]?.bytes ?? []), Buffer.from([1, 2, 3]))
  t.equal(back?.atMicros, record.atMicros)
})

t.test('garbage on the bus is rejected with a sentence and never throws', async (t) => {
  for (const fields of [
    [],
    ['v', '1'],
    ['v', '1', 'b', Buffer.from('not msgpack \xff')],
    ['v', '1', 'n', '1', 'b', Buffer.from([0xc1])],
    ['v', 'x', 'b', Buffer.from([0x90])],
    encodeBatch([{ v: 1, id: 'short' }]),
    encodeBatch(['a string', null, 7]),
  ]) {
    const decoded = decodeBatch(sipRecord, fields)
    t.equal(decoded.items.length, 0)
    t.ok(decoded.rejected.length > 0)
    t.ok(decoded.rejected.every((entry) => entry.problem.length > 0))
  }
  t.same(decodeBatch(sipRecord, null).rejected, [], 'a trimmed entry is not garbage')
})

t.test('a batch of many is compressed, one of few is not, and both come back byte for byte', async (t) => {
  const payload = new Uint8Array(600).fill(65)
  const many = Array.from({ length: 64 }, (_, n) => ({ ...record, atMicros: n, payload }))
  const [, version, , count, , packed] = encodeBatch(many)
  t.same([version, count], ['2', '64'])
  t.ok(packed.length < 64 * 600 * 0.2, `${packed.length} bytes`)
  const decoded = decodeBatch(sipRecord, encodeBatch(many))
  t.same(decoded.rejected, [])
  t.same(
    decoded.items.map(({ atMicros }) => atMicros),
    many.map(({ atMicros }) => atMicros),
  )
  t.ok(decoded.items.every((item) => Buffer.compare(item.payload, payload) === 0))
  t.equal(encodeBatch([record])[1], '1')
})

t.test('of a batch that unpacks to more than a batch may have only a sentence is left', async (t) => {
  const bomb = brotliCompressSync(Buffer.alloc(maxBatchBytes + 1))
  t.ok(bomb.length < 1_000)
  for (const bytes of [bomb, bomb.subarray(0, 10), Buffer.from('no Brotli'), Buffer.alloc(0)]) {
    const { items, rejected } = decodeBatch(sipRecord, ['v', '2', 'n', '1', 'b', bytes])
    t.same(items, [])
    t.match(rejected, [{ problem: /Brotli/ }])
  }
  const newer = decodeBatch(sipRecord, ['v', '3', 'n', '1', 'b', bomb])
  t.same([newer.skippedNewer, newer.rejected], [1, []])
})

t.test('a newer version is skipped and counted, an unknown field ignored', async (t) => {
  const decoded = decodeBatch(
    sipRecord,
    encodeBatch([
      { ...record, v: 2 },
      { ...record, later: 1 },
    ]),
  )
  t.equal(decoded.skippedNewer, 1)
  t.equal(decoded.items.length, 1)
  t.notOk('later' in (decoded.items[0] ?? {}))
})

t.test(
  'a call event of a kind that a newer bridge writes is skipped and counted, one without a kind is rejected',
  async (t) => {
    const ended = {
      v: 1,
      kind: 'leg-ended',
      node: 'pbx1',
      atMicros: 1,
      channel: 'PJSIP/a-00000001',
      uniqueid: '1.1',
      linkedid: '1.1',
      cause: 16,
    }
    const decoded = decodeBatch(
      callEvent,
      encodeBatch([ended, { ...ended, kind: 'leg-teleported' }, { ...ended, kind: 7 }, { v: 1 }]),
    )
    t.equal(decoded.items.length, 1)
    t.equal(decoded.skippedNewer, 1)
    t.equal(decoded.rejected.length, 2)
  },
)

t.test('a published message gives the same bytes back, also where they are not UTF-8', async (t) => {
  for (const payload of [record.payload, new TextEncoder().encode('OPTIONS sip:ü SIP/2.0\r\n\r\n')]) {
    const json = JSON.parse(JSON.stringify(toTrafficMessage({ ...record, payload })))
    const back = toSipRecord(trafficMessage.parse(json))
    t.same(Buffer.from(back.payload), Buffer.from(payload))
  }
})

t.test('times', async (t) => {
  t.equal(toRfc3339(1_795_391_929_000_001), '2026-11-22T23:58:49.000001Z')
  t.equal(parseTime('2026-11-22T23:58:49.000001Z'), 1_795_391_929_000_001)
  t.equal(parseTime('2026-11-23T00:58:49.5+01:00'), 1_795_391_929_500_000)
  t.equal(parseTime('1795391929000001'), 1_795_391_929_000_001)
  for (const bad of ['', 'now', '2026-11-22', '2026-11-22T23:18:49', '9'.repeat(20), '-1', 'NaN', '9e15'])
    t.equal(parseTime(bad), undefined, bad)
})

t.test('a filter takes one or many, and names an unknown word', async (t) => {
  t.same(messageFilter.parse({ method: 'INVITE', status: ['4XX', '200'] }), {
    method: ['INVITE'],
    status: ['4xx', '200'],
  })
  t.same(messageFilter.parse({}), {})
  t.match(messageFilter.safeParse({ metod: 'INVITE' }).error?.message, /metod/)
  t.match(messageFilter.safeParse({ status: 'errors' }).error?.message, /status code/)
})

t.test('a subscription needs no filter', async (t) => {
  t.same(clientFrame.parse({ type: 'subscribe' }), { type: 'subscribe', filter: {} })
  t.notOk(clientFrame.safeParse({ type: 'subscribe', filter: {}, extra: 1 }).success)
})
