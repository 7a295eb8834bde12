import t from 'tap'
import { allTold, compareCalls, placeNumberedCalls } from '../numbered-calls.ts'
import { ofSize } from '../sizes.ts'
import { startSystem } from '../system.ts'

t.setTimeout(1_800_000)

const calls = ofSize({ usual: 100, full: 500 })

t.test(
  'two-leg calls at 20 a second with nothing but an AMI login: every one linked exactly, none wrongly',
  async (t) => {
    const system = await startSystem(t)
    const truth = await placeNumberedCalls(system, {
      scenario: 'answered-each',
      number: '2000',
      calls,
      callsPerSecond: 20,
    })
    t.equal(truth.numberOf.size, calls * 2)
    const counters = await allTold(system, calls * 2)
    for (const askBy of ['phone', 'trunk'] as const) {
      const outcome = await compareCalls(system, truth, askBy)
      t.comment(`asked by the ${askBy}'s leg: ${JSON.stringify(outcome)}`)
      t.same(outcome.wrong, [])
      t.equal(outcome.exact, calls, 'each call has both its legs')
      // By an answer of Asterisk's, unless the machine is too busy to ask within the life of a channel.
      t.notOk(outcome.sources['none'])
      t.equal(outcome.guessesWithoutReason, 0)
    }
    t.equal(counters['ami_suspect'], 0)
  },
)
