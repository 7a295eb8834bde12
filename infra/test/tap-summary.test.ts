import t from 'tap'
import { createTapSummary } from '../tap-summary.ts'

const good = `TAP version 14
# Subtest: test/a.test.ts
    # Subtest: adds
        ok 1 - one
        ok 2 - two
        1..2
    ok 1 - adds # time=3ms
    ok 2 - three
    1..2
ok 1 - test/a.test.ts # time=10ms`

const bad = `# Subtest: test/b.test.ts
    # Subtest: subtracts
        not ok 1 - should be equal
          ---
          diff: 1
          ...
        1..1
    not ok 1 - subtracts # time=3ms
    1..1
not ok 2 - test/b.test.ts # time=10ms`

const crashed = `# Subtest: test/c.test.ts
    1..0
not ok 3 - test/c.test.ts # time=10ms
  ---
  exitCode: 1
  ...
1..3`

function feed(...texts: string[]): { passed: number; failed: number; skipped: number; shown: string[] } {
  const summary = createTapSummary()
  const shown = texts.flatMap((text) => text.split('\n')).flatMap((line) => summary.push(line))
  return { passed: summary.passed, failed: summary.failed, skipped: summary.skipped, shown }
}

t.test(
  'counts assertions, not the lines that close subtests, and shows one line for a file that passed',
  async (t) => {
    t.same(feed(good), { passed: 3, failed: 0, skipped: 0, shown: ['ok 1 - test/a.test.ts # time=10ms'] })
  },
)

t.test('shows all that a failed file said', async (t) => {
  const { failed, shown } = feed(good, bad)
  t.equal(failed, 1)
  t.ok(shown.includes('          diff: 1'))
})

t.test('a file that failed without a failed assertion counts as one failure', async (t) => {
  t.match(feed(good, bad, crashed), { passed: 3, failed: 2 })
})

t.test('counts what is skipped', async (t) => {
  t.match(feed('    ok 1 - later # SKIP no time', 'ok 1 - x.test.ts'), { passed: 0, skipped: 1 })
})
