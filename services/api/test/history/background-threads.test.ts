import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import t from 'tap'
import { letMergesWait } from '../../src/history/background-threads.ts'
import { openTestStore } from '../test-store.ts'

const idlePolicy = 5

const nameOf = (id: string) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()

/** sched(7), as proc(5) has it in field 41: the name, field 2, may hold blanks. */
const policyOf = (id: string) =>
  Number(
    readFileSync(`/proc/self/task/${id}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[41 - 3],
  )

const threadsWhere = (test: (id: string) => boolean) =>
  readdirSync('/proc/self/task').filter(test).map(nameOf)

t.test('threads that merge run when nothing else would, and no others', async (t) => {
  const store = await openTestStore(t)
  const merging = threadsWhere((id) => nameOf(id) === 'MergeMutate')

  t.test('without chrt they are nice', async (t) => {
    const path = process.env['PATH']
    const before = getPriority()
    process.env['PATH'] = '/nonexistent'
    t.teardown(() => {
      process.env['PATH'] = path
    })
    t.equal(await letMergesWait(), merging.length)
    t.same(
      threadsWhere((id) => getPriority(Number(id)) === before + 10),
      merging,
    )
    t.same(
      threadsWhere((id) => policyOf(id) === idlePolicy),
      [],
    )
  })

  t.test('with it they are idle', async (t) => {
    t.equal(await letMergesWait(), merging.length)
    t.same(
      threadsWhere((id) => policyOf(id) === idlePolicy),
      merging,
    )
  })

  t.ok(merging.length > 0)
  t.same(await store.query('SELECT 1 AS one'), [{ one: 1 }])
})
