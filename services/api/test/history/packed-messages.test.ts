import t from 'tap'
import type { PackedMessages } from '../../src/history/packed-messages.ts'
import { pack, viewOf } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

const views = ['a', 'b', 'c'].map((callId, n) =>
  viewOf(sipRecordOf(sipText({ callId }), { atMicros: 1_795_305_600_000_000 + n })),
)

const blockOf = (packed: PackedMessages, rows = packed.rows): Buffer => Buffer.concat(packed.blockOf(rows))

t.test('some of them are what they are alone', async (t) => {
  const packed = pack(views)
  for (const some of [[0], [1], [2], [0, 2], [1, 2], [0, 1, 2]]) {
    const alone = pack(some.flatMap((n) => views[n] ?? []))
    t.same(blockOf(packed, some), blockOf(alone), some.join())
  }
})

t.test('cleared, it holds what comes then and nothing of before', async (t) => {
  const packed = pack(views)
  packed.clear()
  t.same([packed.size, packed.rows, packed.calls], [0, [], []])
  t.same(blockOf(packed), blockOf(pack([])))
  const [, second] = views
  if (second === undefined) throw new Error('there are three')
  packed.add(second)
  t.same(blockOf(packed), blockOf(pack([second])))
})

t.test('of one that no column takes nothing is kept', async (t) => {
  const [first, second, third] = views
  if (!first || !second || !third) throw new Error('there are three')
  const packed = pack([first])
  t.throws(() => packed.add(viewOf({ ...second.record, copies: 2 ** 32 })), RangeError)
  packed.add(third)
  t.same(blockOf(packed), blockOf(pack([first, third])))
})

t.test('the payload is found in its row', async (t) => {
  const packed = pack(views)
  for (const n of packed.rows) t.same(packed.payloadOf(n), Buffer.from(views[n]?.record.payload ?? []))
})

t.test('a REGISTER has its line', async (t) => {
  const packed = pack(
    ['REGISTER', 'OPTIONS'].map((method) =>
      viewOf(sipRecordOf(sipText({ startLine: `${method} sip:example.org SIP/2.0`, cseq: `1 ${method}` }))),
    ),
  )
  t.match(packed.registerOf(0), /^\[.+\]$/)
  t.equal(packed.registerOf(1), undefined)
})

t.test('each Call-ID is there once, of a call if one of its messages is', async (t) => {
  const messages = [
    ['a', 'OPTIONS', ''],
    ['b', 'OPTIONS', ''],
    ['a', 'INVITE', ''],
    ['a', 'OPTIONS', ''],
    ['a', 'OPTIONS', 'import'],
  ] as const
  const packed = pack(
    messages.map(([callId, method, capture]) =>
      viewOf(
        sipRecordOf(sipText({ callId, startLine: `${method} sip:example.org SIP/2.0`, cseq: `1 ${method}` })),
        capture,
      ),
    ),
  )
  t.same(packed.calls, [
    { callId: 'a', capture: '', isOfCall: true },
    { callId: 'b', capture: '', isOfCall: false },
    { callId: 'a', capture: 'import', isOfCall: false },
  ])
  t.same(
    packed.rows.map((row) => packed.callOf(row)),
    [0, 1, 0, 0, 2].map((n) => packed.calls[n]),
  )
})
