import t from 'tap'
import type { PackedMessages } from '../../src/history/packed-messages.ts'
import { pack, viewOf } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

const views = ['a', 'b', 'c'].map((callId, n) =>
  viewOf(sipRecordOf(sipText({ callId }), { atMicros: 1_795_305_600_000_000 + n })),
)

const rowsOf = (packed: PackedMessages, messages = packed.all): Buffer =>
  Buffer.concat(packed.rowsOf(messages))

t.test('some of them are what they are alone', async (t) => {
  const packed = pack(views)
  for (const some of [[0], [1], [2], [0, 2], [1, 2], [0, 1, 2]]) {
    const alone = pack(some.flatMap((n) => views[n] ?? []))
    const messages = some.flatMap((n) => packed.all[n] ?? [])
    t.same(rowsOf(packed, messages), rowsOf(alone), some.join())
  }
})

t.test('cleared, it holds what comes then and nothing of before', async (t) => {
  const packed = pack(views)
  packed.clear()
  t.same(packed.all, [])
  t.same(rowsOf(packed), rowsOf(pack([])))
  const [, second] = views
  if (second === undefined) throw new Error('there are three')
  packed.add(second)
  t.same(rowsOf(packed), rowsOf(pack([second])))
})

t.test('of one that no column takes nothing is kept', async (t) => {
  const [first, second, third] = views
  if (!first || !second || !third) throw new Error('there are three')
  const packed = pack([first])
  t.throws(() => packed.add(viewOf({ ...second.record, copies: 2 ** 32 })), RangeError)
  packed.add(third)
  t.same(rowsOf(packed), rowsOf(pack([first, third])))
})

t.test('the payload is found in its row', async (t) => {
  const packed = pack(views)
  for (const [n, message] of packed.all.entries())
    t.same(packed.payloadOf(message), Buffer.from(views[n]?.record.payload ?? []))
})

t.test('a REGISTER has its line', async (t) => {
  const [register, options] = pack(
    ['REGISTER', 'OPTIONS'].map((method) =>
      viewOf(sipRecordOf(sipText({ startLine: `${method} sip:example.org SIP/2.0`, cseq: `1 ${method}` }))),
    ),
  ).all
  t.match(register?.register, /^\[.+\]$/)
  t.equal(options?.register, undefined)
})
