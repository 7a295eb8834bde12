import t from 'tap'
import { inTurns } from '../src/in-turns.ts'

t.test('long work lets go ahead what waits, and does each item once, in order', async (t) => {
  const done: (number | string)[] = []
  setImmediate(() => done.push('what waited'))
  await inTurns([1, 2, 3], (item) => {
    // Longer than a turn.
    for (const until = performance.now() + 20; performance.now() < until;);
    done.push(item)
  })
  t.same(done, [1, 'what waited', 2, 3])
})

t.test('a fault of the work is the caller’s', async (t) => {
  await t.rejects(
    inTurns([1], () => {
      throw new Error('no')
    }),
    { message: 'no' },
  )
})
