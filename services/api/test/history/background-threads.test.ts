import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import t from 'tap'
import { makeMergesNice } from '../../src/history/background-threads.ts'
import { openTestStore } from '../test-store.ts'

t.test('threads that merge are nice, and no others', async (t) => {
  const store = await openTestStore(t)
  const before = getPriority()
  t.ok((await makeMergesNice()) > 0)
  const nice = readdirSync('/proc/self/task').filter((id) => getPriority(Number(id)) === before + 10)
  t.same(
    nice.map((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8')),
    nice.map(() => 'MergeMutate\n'),
  )
  t.ok(nice.length > 0)
  t.same(await store.query('SELECT 1 AS one'), [{ one: 1 }])
})
