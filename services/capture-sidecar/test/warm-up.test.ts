import t from 'tap'
import { warmUp } from '../src/warm-up.ts'

t.test('every frame of the warm-up goes the whole way', async (t) => {
  t.equal(warmUp(), 4_000)
})
