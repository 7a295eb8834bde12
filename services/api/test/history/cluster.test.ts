import { startTestClickHouse } from '@sip-capture/testing/test-clickhouse.ts'
import t from 'tap'
import { openClusterStore } from '../../src/history/cluster-store.ts'
import { listMessages } from '../../src/history/message-page.ts'
import { readCallMessages } from '../../src/history/message-reader.ts'
import { migrate, migrations, toStatements } from '../../src/history/schema.ts'
import type { Store } from '../../src/history/store.ts'
import { tablesOfCluster } from '../../src/history/tables.ts'
import { until } from '../api-under-test.ts'
import { insertViews, viewOf } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import { newHistory, openTestStore, useCluster } from '../test-store.ts'

const start = 1_795_391_929_000_000

const cluster = await startTestClickHouse(import.meta.url)
t.teardown(() => cluster.stop())
useCluster(cluster)

/** So many calls of two messages each, from number `first` on. */
const views = (first: number, calls: number) =>
  Array.from({ length: calls * 2 }, (_, n) =>
    viewOf(
      sipRecordOf(sipText({ callId: `call-${first + (n >> 1)}`, branch: `z9hG4bK${n & 1}` }), {
        atMicros: start + (first * 2 + n) * 1_000,
      }),
    ),
  )

const allIds = async (store: Store) =>
  (await listMessages(store, { filter: {}, order: 'asc', limit: 10_000 })).items.map(({ id }) => id)

t.test('both shards have calls, and a call is on one with its slots', async (t) => {
  const store = await openTestStore(t)
  await insertViews(store, views(0, 500))
  const placed = await store.query<{ shard: number; calls: number; messages: number }>(
    `SELECT _shard_num AS shard, uniqExact(callId) AS calls, count() AS messages FROM messages GROUP BY shard ORDER BY shard`,
  )
  t.equal(placed.length, 2)
  t.ok(placed.every(({ calls }) => calls > 150))
  t.equal(
    placed.reduce((sum, { calls }) => sum + calls, 0),
    500,
    'none is on both',
  )
  t.equal(
    placed.reduce((sum, { messages }) => sum + messages, 0),
    1_000,
  )
  t.same(
    await store.query(
      `SELECT _shard_num AS shard, uniqExact(callId) AS calls FROM callSlots GROUP BY shard ORDER BY shard`,
    ),
    placed.map(({ shard, calls }) => ({ shard, calls })),
  )
})

t.test(
  'a server is stopped and started again while rows come: nothing is lost, nothing is there twice',
  async (t) => {
    const store = await openTestStore(t)
    const [, server] = cluster.servers
    if (!server) throw new Error('no second server')
    const batches = Array.from({ length: 12 }, (_, n) => views(n * 50, 50))
    const wanted = batches.flat().map(({ record }) => record.id)
    let failures = 0
    let stored = 0
    // As ingest does: again until it is taken.
    const writing = (async () => {
      for (const batch of batches) {
        await until(
          async () => {
            try {
              return (await insertViews(store, batch)).stored
            } catch {
              failures += 1
              return undefined
            }
          },
          (taken) => taken !== undefined,
        )
        stored += 1
      }
    })()
    await until(
      () => stored,
      (count) => count >= 3,
    )
    await server.kill()
    await until(
      () => failures,
      (count) => count >= 2,
    )
    await t.rejects(allIds(store), 'half of history is not told as the whole')
    await server.start()
    await writing
    t.same(await allIds(store), wanted)
    t.same(
      await store.query('SELECT count() AS all, uniqExact(messages.id) AS distinct FROM messages'),
      [{ all: wanted.length, distinct: wanted.length }],
      'not even behind the scenes',
    )
    t.equal((await readCallMessages(store, { callIds: ['call-120', 'call-121'], limit: 10 })).length, 4)
  },
)

t.test(
  'the first server is away: the other is asked, and takes its part again when it is back',
  async (t) => {
    const { HISTORY_URL = '', HISTORY_CLUSTER = '' } = await newHistory()
    const store = openClusterStore({ urls: HISTORY_URL.split(','), cluster: HISTORY_CLUSTER })
    t.teardown(() => store.close())
    await migrate(store)
    await insertViews(store, views(0, 20))
    const [server] = cluster.servers
    await server?.kill()
    await t.rejects(insertViews(store, views(0, 40)))
    t.same(await store.query('SELECT 1 AS one'), [{ one: 1 }], 'a server answers')
    await server?.start()
    t.same(await insertViews(store, views(0, 40)), { stored: 40, duplicates: 40 })
    t.equal((await allIds(store)).length, 80)
  },
)

t.test('a server that comes without tables gets them at the next start', async (t) => {
  const { HISTORY_URL = '', HISTORY_CLUSTER = '' } = await newHistory()
  const store = openClusterStore({ urls: HISTORY_URL.split(','), cluster: HISTORY_CLUSTER })
  t.teardown(() => store.close())
  await migrate(store)
  const [, second = ''] = HISTORY_URL.split(',')
  const database = new URL(second).pathname.slice(1)
  for (const sql of [`DROP DATABASE ${database} SYNC`, `CREATE DATABASE ${database}`]) {
    const answer = await fetch(new URL('/', second), { method: 'POST', body: sql })
    t.equal(answer.status, 200, await answer.text())
  }
  await t.rejects(insertViews(store, views(0, 20)))
  await migrate(store)
  t.equal((await insertViews(store, views(0, 20))).stored, 40)
  t.equal((await allIds(store)).length, 40)
})

t.test('what does not fit is told by the setting that says it', async (t) => {
  const { HISTORY_URL = '', HISTORY_CLUSTER = '' } = await newHistory()
  const [one = ''] = HISTORY_URL.split(',')
  const problems = [
    [
      { urls: HISTORY_URL.split(','), cluster: 'other' },
      /HISTORY_CLUSTER: the server knows no cluster other/,
    ],
    [{ urls: [one, one], cluster: HISTORY_CLUSTER }, /HISTORY_URL: none of its servers is shard 2 of pair/],
  ] as const
  for (const [options, problem] of problems) {
    const store = openClusterStore(options)
    t.teardown(() => store.close())
    await t.rejects(migrate(store), problem)
  }
  t.throws(() => openClusterStore({ urls: [one], cluster: `a' b` }), /not a name/)
})

t.test('definitions that a server hands on to the others are such to the engine', async (t) => {
  const store = await openTestStore(t)
  const tables = tablesOfCluster(cluster.cluster, { database: 'default', onCluster: true })
  const statements = [
    ...migrations.flat().flatMap((step) => toStatements(tables, step)),
    tables.alter('messages', 'MODIFY TTL storedAt + toIntervalDay(30)'),
    tables.alter('messages', `DROP PARTITION ID '20260101'`),
    tables.alter('messages', `DELETE WHERE capture = 'x' SETTINGS mutations_sync = 1`),
  ]
  for (const statement of statements) {
    t.match(statement, / ON CLUSTER 'pair'/)
    await t.resolves(store.command(`EXPLAIN AST ${statement}`))
  }
  await t.rejects(store.command(`EXPLAIN AST CREATE TABLE x ON CLUSTER (a UInt8) ENGINE = Memory`))
})

/** The tests of the store, as they are. */
const suites = [
  './store.test.ts',
  './idempotence.test.ts',
  './filter.test.ts',
  './text-index.test.ts',
  './envelope.test.ts',
  '../calls/find-calls.test.ts',
  '../calls/search.test.ts',
  '../calls/summariser.test.ts',
  '../pins/pins.test.ts',
]
for (const suite of suites) await import(suite)
