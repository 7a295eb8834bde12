import t from 'tap'
import { decodeBatch, encodeBatch, encodeRecords } from '@sip-capture/contract/codec.ts'
import { sipRecord, type SipRecord } from '@sip-capture/contract/bus/sip-record.ts'

const payload = Buffer.from('OPTIONS sip:ü@example.com SIP/2.0\r\n\r\n')
const whole: SipRecord = {
  v: 1,
  id: '0123456789abcdef0123456789abcdef',
  atMicros: 1_795_391_929_123_456,
  nanos: 789,
  precisionMicros: 1_000_000,
  source: 'wire',
  node: 'höst '.repeat(50),
  transport: 'UDP',
  src: { address: '192.0.2.1', port: 5060 },
  dst: { address: '2001:db8::1', port: 127 },
  direction: 'in',
  payload: new Uint8Array(payload),
  frames: [0, 128, 65_536].map((size) => ({
    linkType: 1,
    atMicros: 1_795_391_929_123_456,
    nanos: 1,
    bytes: new Uint8Array(size).fill(size),
    originalLength: size + 9,
    interfaceName: 'eth0',
  })),
  copies: 2,
  channel: 'PJSIP/ü-00000001',
  notes: Array.from({ length: 16 }, (_, index) => '€'.repeat(index)),
}
const plain: SipRecord = {
  ...whole,
  nanos: 0,
  precisionMicros: 1,
  frames: [],
  copies: 1,
  channel: undefined,
  notes: [],
}

/** A record whose payload is a view of its frame, as the sidecar has it. */
function framed(before: number, behind: number): SipRecord {
  const bytes = new Uint8Array(before + payload.length + behind).fill(7)
  bytes.set(payload, before)
  const frame = { linkType: 1, atMicros: 1, nanos: 0, bytes, originalLength: bytes.length }
  return { ...plain, payload: bytes.subarray(before, before + payload.length), frames: [frame] }
}

function toPlainBytes(record: SipRecord): unknown {
  const { channel, ...rest } = record
  return {
    ...rest,
    ...(channel === undefined ? {} : { channel }),
    payload: [...record.payload],
    frames: record.frames.map((frame) => ({ ...frame, bytes: [...frame.bytes] })),
  }
}

t.test('records come back as they were', async (t) => {
  const records = [whole, plain, framed(42, 0), framed(0, 0), framed(300, 4)]
  const decoded = decodeBatch(sipRecord, encodeRecords(records))
  t.same(decoded.rejected, [])
  t.same(decoded.items.map(toPlainBytes), records.map(toPlainBytes))
  t.same(decodeBatch(sipRecord, encodeRecords([])).items, [])
})

t.test('what a general packer wrote is read alike', async (t) => {
  const records = [whole, framed(42, 0)]
  t.same(
    decodeBatch(sipRecord, encodeRecords(records)).items.map(toPlainBytes),
    decodeBatch(sipRecord, encodeBatch(records)).items.map(toPlainBytes),
  )
})

t.test('a payload inside its frame is in the batch once', async (t) => {
  const record = framed(42, 0)
  const [, , , , , packed] = encodeRecords([record])
  const first = packed.indexOf(payload)
  t.ok(first > 0)
  t.equal(packed.indexOf(payload, first + 1), -1)
})

t.test('equal bytes in other memory are not taken for the frame’s', async (t) => {
  const record = { ...framed(42, 0), payload: new Uint8Array(payload) }
  const [, , , , , packed] = encodeRecords([record])
  t.ok(packed.indexOf(payload, packed.indexOf(payload) + 1) > 0)
})

t.test('a place outside the frame is rejected with a sentence', async (t) => {
  const { payload: _, ...rest } = framed(42, 0)
  for (const payloadAt of [[42, 1_000], [-1, 4], [0.5, 4], ['0', 4], [42], [], null, 'x', [42, Number.NaN]]) {
    const { items, rejected } = decodeBatch(sipRecord, encodeBatch([{ ...rest, payloadAt }]))
    t.same(items, [])
    t.match(rejected[0]?.problem, /payload/)
  }
  const withoutFrames = { ...rest, frames: [], payloadAt: [0, 4] }
  t.equal(decodeBatch(sipRecord, encodeBatch([withoutFrames])).rejected.length, 1)
})
