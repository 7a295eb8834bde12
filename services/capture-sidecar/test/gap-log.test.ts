import t from 'tap'
import { GapLog } from '../src/gap-log.ts'

const reason = (packets: number): string => `${packets} lost`

t.test('a gap is open until it is closed, with its first reason', async (t) => {
  const log = new GapLog()
  log.open(100, 'first')
  log.open(200, 'second')
  t.same(log.list(300), [{ fromMicros: 100, toMicros: 300, reason: 'first' }])
  t.equal(log.close(400), 'first')
  t.equal(log.close(500), null)
  t.same(log.list(600), [{ fromMicros: 100, toMicros: 400, reason: 'first' }])
})

t.test(
  'losses that follow each other are one gap with their sum, others are gaps of their own',
  async (t) => {
    const log = new GapLog()
    log.lose(2, { fromMicros: 0, toMicros: 10 }, reason)
    log.lose(3, { fromMicros: 10, toMicros: 20 }, reason)
    log.lose(4, { fromMicros: 30, toMicros: 40 }, reason)
    t.same(log.list(50), [
      { fromMicros: 0, toMicros: 20, reason: '5 lost' },
      { fromMicros: 30, toMicros: 40, reason: '4 lost' },
    ])
    log.open(40, 'away')
    log.close(45)
    log.lose(1, { fromMicros: 40, toMicros: 46 }, reason)
    t.equal(log.list(50).at(-1)?.reason, '1 lost', 'not a part of what lies before another gap')
  },
)

t.test('only the last gaps are kept', async (t) => {
  const log = new GapLog()
  for (let at = 0; at < 100; at += 2) log.lose(1, { fromMicros: at, toMicros: at + 1 }, reason)
  log.open(200, 'open')
  t.equal(log.list(300).length, 32)
  t.match(log.list(300).at(-1), { reason: 'open' })
})
