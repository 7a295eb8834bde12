import t from 'tap'
import { toSpans } from '../../src/history/call-spans.ts'

const sizes = { first: 2, others: 3 }

t.test('each message is in exactly one span, and in order', (t) => {
  const times = [1, 4, 9, 9, 12, 20, 21, 30]
  const spans = toSpans(times, sizes)
  t.same(spans, [
    { fromMicros: 1, untilMicros: 5 },
    { fromMicros: 9, untilMicros: 13 },
    { fromMicros: 20, untilMicros: 31 },
  ])
  for (const time of times)
    t.equal(spans.filter(({ fromMicros, untilMicros }) => time >= fromMicros && time < untilMicros).length, 1)
  t.end()
})

t.test('messages of one moment are not parted, however many they are', (t) => {
  t.same(toSpans([5, 5, 5, 5, 5, 6], sizes), [
    { fromMicros: 5, untilMicros: 6 },
    { fromMicros: 6, untilMicros: 7 },
  ])
  t.end()
})

t.test('no messages have no span', (t) => {
  t.same(toSpans([], sizes), [])
  t.end()
})
