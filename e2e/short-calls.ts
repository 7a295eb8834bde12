import type { Test } from 'tap'
import { allTold, compareCalls, placeNumberedCalls } from './numbered-calls.ts'
import { ofSize } from './sizes.ts'
import { startSystem } from './system.ts'

const calls = ofSize({ usual: 100, full: 1_000 })

/** Calls that the trunk refuses at once, 100 a second: most channels are gone before Asterisk can be asked. */
export async function checkShortCalls(t: Test, { hep }: { hep: boolean }): Promise<void> {
  const system = await startSystem(t, { hep })
  const truth = await placeNumberedCalls(system, {
    scenario: 'busy-each',
    number: '29000',
    calls,
    callsPerSecond: 100,
  })
  t.equal(truth.numberOf.size, calls * 2, 'Call-IDs')
  const counters = await allTold(system, calls * 2)
  const outcome = await compareCalls(system, truth, 'phone')
  t.comment(JSON.stringify(outcome))
  t.same(outcome.wrong, [], 'none linked wrongly')
  t.equal(outcome.guessesWithoutReason, 0, 'a guess says that it is one')
  t.ok(outcome.exact > 0, 'some calls have both legs')
  t.equal(counters['legs_unlinked'], outcome.sources['none'] ?? 0, 'what could not be linked is counted')
}
