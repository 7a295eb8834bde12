import { deepStrictEqual } from 'node:assert'
import t from 'tap'
import { unpackRecords } from '@sip-capture/contract/bus/record-batch-reader.ts'
import { packRecords } from '@sip-capture/contract/bus/record-batch.ts'
import {
  messageSources,
  sipRecord,
  sipTransports,
  type SipRecord,
} from '@sip-capture/contract/bus/sip-record.ts'
import { decodeBatch, decodeRecords, encodeRecords, maxBatchItems } from '@sip-capture/contract/codec.ts'
import { maxMicros } from '@sip-capture/contract/time.ts'
import { packInAnyForm } from './any-form.ts'
import { Chance } from './chance.ts'

const nodes = ['pbx1', 'pbx2.example.com', 'n'.repeat(65), 'x'.repeat(256), '']
const addresses = ['192.0.2.1', '198.51.100.33', '2001:db8::1', '', 'a'.repeat(64)]

function someRecord(chance: Chance, texts: readonly string[] = []): SipRecord {
  const text = (own: readonly string[]) => chance.of(chance.is(0.2) && texts.length > 0 ? texts : own)
  const hostPort = () => ({ address: text(addresses), port: chance.of([0, 127, 128, 5060, 65_535]) })
  const frames = Array.from({ length: chance.of([0, 1, 1, 1, 2, 16]) }, () => ({
    linkType: chance.of([0, 1, 113, 276, 65_535]),
    atMicros: chance.of([0, 1, maxMicros, chance.upTo(maxMicros)]),
    nanos: chance.of([0, 0, 1, 999]),
    bytes: chance.bytes(chance.of([0, 42, 127, 128, 700])),
    originalLength: chance.of([0, 700, 2 ** 32, Number.MAX_SAFE_INTEGER]),
    ...(chance.is(0.5) ? { interfaceName: text(['eth0', '', 'any', 'i'.repeat(256)]) } : {}),
  }))
  const [first] = frames
  const from = first === undefined ? 0 : chance.upTo(first.bytes.length)
  const payload = first?.bytes.subarray(from, from + chance.upTo(first.bytes.length - from))
  return {
    v: 1,
    id: Array.from({ length: 32 }, () => chance.upTo(15).toString(16)).join(''),
    atMicros: chance.of([0, 127, 128, 2 ** 32 - 1, 2 ** 32, maxMicros, chance.upTo(maxMicros)]),
    nanos: chance.of([0, 0, 1, 999]),
    precisionMicros: chance.of([0, 1, 1, 1_000_000, Number.MAX_SAFE_INTEGER]),
    source: chance.of(messageSources),
    node: text(nodes),
    transport: chance.of(sipTransports),
    src: hostPort(),
    dst: hostPort(),
    direction: chance.of(['in', 'out', 'unknown']),
    payload: payload === undefined || chance.is(0.3) ? chance.bytes(chance.upTo(300)) : payload,
    frames,
    copies: chance.of([1, 1, 2, Number.MAX_SAFE_INTEGER]),
    ...(chance.is(0.3) ? { channel: text(['PJSIP/trunk-00000001', '', 'c'.repeat(512)]) } : {}),
    notes: chance.is(0.7)
      ? []
      : Array.from({ length: chance.upTo(16) }, () => text(['', 'truncated', 'n'.repeat(64)])),
  }
}

/** Both readers of the same bytes, types and all. Answers whether there were records without a fault. */
function isReadAlike(packed: Buffer): boolean {
  const fields = ['v', '1', 'n', '1', 'b', packed]
  const general = decodeBatch(sipRecord, fields)
  const records = decodeRecords(fields)
  deepStrictEqual(records, general, packed.toString('base64'))
  return general.rejected.length === 0 && general.items.length > 0
}

t.test(
  'what packRecords writes of ASCII is read, as the general reader and the schema read it',
  async (t) => {
    const chance = new Chance(1)
    for (let round = 0; round < 300; round += 1) {
      const packed = packRecords(Array.from({ length: chance.of([0, 1, 3, 20]) }, () => someRecord(chance)))
      t.ok(unpackRecords(packed) !== undefined)
      isReadAlike(packed)
    }
    t.ok(isReadAlike(packRecords(Array.from({ length: maxBatchItems }, () => someRecord(chance)))))
  },
)

t.test('under Brotli alike', async (t) => {
  const chance = new Chance(2)
  const fields = encodeRecords(Array.from({ length: 64 }, () => someRecord(chance)))
  t.equal(fields[1], '2')
  deepStrictEqual(decodeRecords(fields), decodeBatch(sipRecord, fields))
})

t.test('texts that are not ASCII are left to the general reader', async (t) => {
  const chance = new Chance(3)
  const texts = ['höst', '€'.repeat(64), '\ufeffx', '\ud800', '😀', 'é'.repeat(33), '\u0000']
  for (let round = 0; round < 300; round += 1)
    isReadAlike(packRecords(Array.from({ length: chance.of([1, 3]) }, () => someRecord(chance, texts))))
  t.equal(unpackRecords(packRecords([{ ...someRecord(chance), node: 'höst' }])), undefined)
})

t.test('what breaks a constraint is left to the general reader', async (t) => {
  const chance = new Chance(4)
  const host = { address: '192.0.2.1', port: 5060 }
  const frame = { linkType: 1, atMicros: 1, nanos: 0, bytes: chance.bytes(4), originalLength: 4 }
  const numbers = [
    -1,
    0.5,
    -0,
    Number.NaN,
    Infinity,
    -Infinity,
    2 ** 53,
    1e300,
    65_536,
    1000,
    0,
    maxMicros + 1,
  ]
  const faults: object[] = [
    ...numbers.flatMap((number) => [
      ...['v', 'atMicros', 'nanos', 'precisionMicros', 'copies'].map((name) => ({ [name]: number })),
      ...['linkType', 'atMicros', 'nanos', 'originalLength'].map((name) => ({
        frames: [{ ...frame, [name]: number }],
      })),
      { src: { ...host, port: number } },
    ]),
    ...['', 'A'.repeat(32), 'g'.repeat(32), '0'.repeat(31), '0'.repeat(33), `${'0'.repeat(31)}\n`].map(
      (id) => ({ id }),
    ),
    { source: 'wir' },
    { source: 'wire2' },
    { transport: 'udp' },
    { direction: 'up' },
    { node: 'n'.repeat(257) },
    { channel: 'c'.repeat(513) },
    { dst: { ...host, address: 'a'.repeat(65) } },
    { notes: Array.from({ length: 17 }, () => 'x') },
    { notes: ['n'.repeat(65)] },
    { frames: Array.from({ length: 257 }, () => frame) },
    { frames: [{ ...frame, interfaceName: 'i'.repeat(257) }] },
  ]
  for (const fault of faults) {
    const record = { ...someRecord(chance), ...fault } as SipRecord
    isReadAlike(packRecords([someRecord(chance), record]))
  }
  t.notOk(isReadAlike(packRecords([{ ...someRecord(chance), ...faults.at(-1) }])))
  const many = packRecords(Array.from({ length: maxBatchItems + 1 }, () => someRecord(chance)))
  t.notOk(isReadAlike(many))
})

t.test('a place of the payload outside its frame', async (t) => {
  const bytes = Buffer.alloc(100, 7)
  const record = { ...someRecord(new Chance(5)), payload: bytes.subarray(42), nanos: 0, notes: [] }
  const frame = { linkType: 1, atMicros: 1, nanos: 0, bytes, originalLength: 100 }
  const packed = packRecords([{ ...record, frames: [frame] }])
  const at = packed.indexOf('payloadAt') + 'payloadAt'.length
  t.equal(packed[at + 1], 42)
  t.ok(isReadAlike(packed))
  for (const [offset, length] of [
    [0, 100],
    [100, 0],
    [101, 0],
    [0, 101],
    [43, 58],
    [127, 127],
  ]) {
    packed[at + 1] = offset ?? 0
    packed[at + 2] = length ?? 0
    t.equal(isReadAlike(packed), (offset ?? 0) + (length ?? 0) <= 100)
  }
})

t.test('other orders, other forms and further members', async (t) => {
  const chance = new Chance(6)
  let good = 0
  for (let round = 0; round < 2_000; round += 1) {
    const record: Record<string, unknown> = { ...someRecord(chance) }
    if (chance.is(0.3))
      record[chance.of(['more', 'payloadAt', 'frame', '__proto__x'])] = chance.of([1, 'x', null])
    if (chance.is(0.1)) delete record[chance.of(Object.keys(record))]
    const members = Object.entries(record)
    const item = Object.fromEntries(chance.is(0.5) ? members : chance.shuffle(members))
    if (isReadAlike(packInAnyForm([item], chance))) good += 1
  }
  t.ok(good > 1_000)
})

t.test('damaged bytes', async (t) => {
  const chance = new Chance(7)
  let good = 0
  for (let round = 0; round < 6_000; round += 1) {
    let packed = packRecords(Array.from({ length: chance.of([1, 2]) }, () => someRecord(chance)))
    for (let left = chance.of([1, 1, 1, 2, 4]); left > 0; left -= 1) {
      // Most of what can go wrong is in the first members and the last.
      const at = chance.of([chance.upTo(packed.length), chance.upTo(260), packed.length - chance.upTo(80)])
      const [before, behind] = [packed.subarray(0, at), packed.subarray(at)]
      packed = Buffer.concat(
        chance.of([
          () => [before],
          () => [before, behind.subarray(chance.of([1, 2, 8]))],
          () => [before, chance.bytes(chance.of([1, 2, 8])), behind],
          () => [before, chance.bytes(1), behind.subarray(1)],
          () => [before, Buffer.from([(behind[0] ?? 0) ^ (1 << chance.upTo(7))]), behind.subarray(1)],
          () => [before, behind.subarray(0, 20), behind],
        ])(),
      )
    }
    if (isReadAlike(packed)) good += 1
  }
  t.ok(good > 300, String(good))
})
