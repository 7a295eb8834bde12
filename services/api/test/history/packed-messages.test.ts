import t from 'tap'
import { pack, viewOf } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

const views = ['a', 'b', 'c'].map((callId, n) =>
  viewOf(sipRecordOf(sipText({ callId }), { atMicros: 1_795_305_600_000_000 + n })),
)

t.test('rows lie one behind the other, and some of them are what they are alone', async (t) => {
  const packed = pack(views)
  const alone = views.map((view) => pack([view]))
  const rows = alone.map((one) => one.rowsOf(one.all))
  t.same(packed.rowsOf(packed.all), Buffer.concat(rows))
  t.same(packed.rowsOf(packed.all.slice(1)), Buffer.concat(rows.slice(1)))
  t.same(packed.rowsOf(packed.all.toSpliced(1, 1)), Buffer.concat(rows.toSpliced(1, 1)))
})

t.test('cleared, it holds what comes then and nothing of before', async (t) => {
  const packed = pack(views)
  packed.clear()
  t.same(packed.all, [])
  t.equal(packed.rowsOf(packed.all).length, 0)
  const [, second] = views
  if (second === undefined) throw new Error('there are three')
  packed.add(second)
  const alone = pack([second])
  t.same(packed.rowsOf(packed.all), alone.rowsOf(alone.all))
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
