import t from 'tap'
import { createRecordId, RecordIds, slotOfId, slotStart, toSlot } from '../src/bus/record-id.ts'

const digest = 'ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100'
const atMicros = 1_795_391_929_123_456

t.test('an id tells the slot of its record, and the digest', async (t) => {
  const id = createRecordId(atMicros, digest)
  t.match(id, /^[0-9a-f]{32}$/)
  t.equal(slotOfId(id), toSlot(atMicros))
  t.equal(id.slice(16), digest.slice(0, 16))
  t.equal(createRecordId(atMicros, digest), id)
})

t.test('ids of other slots, before and after, have another first half', async (t) => {
  const begin = slotStart(toSlot(atMicros))
  for (const [micros, slot] of [
    [begin, toSlot(atMicros)],
    [begin - 1, toSlot(atMicros) - 1],
    [begin + 9_999_999, toSlot(atMicros)],
    [begin + 10_000_000, toSlot(atMicros) + 1],
    [0, 0],
  ] as const)
    t.equal(slotOfId(createRecordId(micros, digest)), slot)
})

t.test('an id that is a digest alone tells no slot', async (t) => {
  for (const id of [digest.slice(0, 32), '', 'no id', '0000000000000000', `00000000${digest}`])
    t.equal(slotOfId(id), undefined, id)
})

t.test('ids of what is seen live tell the slot and go in order; another process has others', async (t) => {
  const [ours, theirs] = [new RecordIds(), new RecordIds()]
  const ids = Array.from({ length: 70_000 }, (_, n) => ours.next(atMicros + n * 10_000))
  t.equal(new Set(ids).size, ids.length)
  t.same(ids.toSorted(), ids)
  t.equal(ids[0]?.slice(24), '00000000')
  t.equal(ids[65_536 + 255]?.slice(24), '000100ff')
  for (const [n, id] of ids.entries())
    if (!/^[0-9a-f]{32}$/.test(id) || slotOfId(id) !== toSlot(atMicros + n * 10_000)) t.fail(id)
  t.not(theirs.next(atMicros), ids[0])
})
