import { MessageChannel } from 'node:worker_threads'
import t from 'tap'
import { createEmbeddedStore } from '../../src/history/embedded-store.ts'
import { openEngine } from '../../src/history/engine.ts'
import { createRemoteEngine, serveEngine } from '../../src/history/engine-port.ts'
import { listMessages } from '../../src/history/message-page.ts'
import { migrate } from '../../src/history/schema.ts'
import { isBadData, isTooSlow, StoreError, type Store } from '../../src/history/store.ts'
import { insertViews, viewOf } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import type { openTestStore } from '../test-store.ts'

/** Two stores over one engine: its own, and that of another thread. */
function openBoth(t: Parameters<typeof openTestStore>[0]): { near: Store; far: Store } {
  const stores: Store[] = []
  // Before the folder is asked for, as in `openTestStore`.
  t.teardown(async () => {
    for (const store of stores) await store.close()
  })
  const engine = openEngine(t.testdir())
  const { port1, port2 } = new MessageChannel()
  serveEngine(engine, port1)
  const near = createEmbeddedStore(engine)
  const far = createEmbeddedStore(createRemoteEngine(port2, engine.exchange))
  stores.push(far, near)
  return { near, far }
}

t.test('what one thread stores the other finds', async (t) => {
  const { near, far } = openBoth(t)
  await migrate(near)
  const start = Date.now() * 1_000 - 60_000_000
  const views = Array.from({ length: 300 }, (_, n) =>
    viewOf(sipRecordOf(sipText({ callId: `call-'${n}\\` }), { atMicros: start + n * 100_000 })),
  )
  await Promise.all([insertViews(far, views.slice(0, 200)), insertViews(near, views.slice(200))])
  t.equal((await insertViews(far, views)).stored, 0, 'each looks at what the other has stored')
  const ids = views.map(({ record }) => record.id)
  for (const store of [near, far]) {
    const page = await listMessages(store, { filter: {}, order: 'asc', limit: 500 })
    t.same(
      page.items.map(({ id }) => id),
      ids,
    )
  }
})

t.test('answers of every kind come through the port as they are', async (t) => {
  const { near, far } = openBoth(t)
  const words = String.raw`a\n\t\\ü\0\'`
  const sql = `SELECT number, concat('${words}', toString(number)) AS text FROM numbers({count:UInt64}) ORDER BY number`
  t.same(await far.query(sql, { count: 3 }), await near.query(sql, { count: 3 }))
  t.same(await far.query('SELECT 1 WHERE 0'), [])
  for (const isLarge of [false, true])
    t.same(
      Buffer.from(await far.queryBinary(sql, { count: 20_000 }, { isLarge })),
      Buffer.from(await near.queryBinary(sql, { count: 20_000 }, { isLarge })),
    )
  await far.command('CREATE TABLE things (n UInt32, text String) ENGINE = MergeTree ORDER BY n')
  await far.insert('things', ['n', 'text'], Buffer.from('[1,"a"]\n[2,"\\u0000\\"\'b"]\n'))
  t.same(await near.query('SELECT n, text FROM things ORDER BY n'), [
    { n: 1, text: 'a' },
    { n: 2, text: '\0"\'b' },
  ])
})

t.test('faults are told as the engine tells them', async (t) => {
  const { near, far } = openBoth(t)
  for (const sql of [
    'SELECT nothing',
    'not SQL',
    `SELECT toUInt8('x')`,
    'SELECT sleep(3) SETTINGS max_execution_time = 1',
  ]) {
    const [told, meant] = await Promise.all(
      [far, near].map((store) =>
        store.query(sql).then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    )
    t.type(told, StoreError)
    t.equal((told as StoreError).clickhouseCode, (meant as StoreError).clickhouseCode, sql)
    t.type((told as StoreError).clickhouseCode, 'number')
    t.equal(isBadData(told), isBadData(meant))
    t.equal(isTooSlow(told), isTooSlow(meant))
  }
  const bad = far.insert('missing', ['n'], Buffer.from('[1]\n'))
  await t.rejects(bad, { name: 'StoreError', clickhouseCode: 60 })
})

t.test('what waits when the port closes is told', async (t) => {
  const { far } = openBoth(t)
  const slow = far.query('SELECT sleep(1)')
  await far.close()
  await t.rejects(slow, { name: 'StoreError', message: 'the engine is closed' })
})
