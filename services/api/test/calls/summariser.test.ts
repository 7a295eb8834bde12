import t from 'tap'
import { createLogger } from '@sip-capture/service/logger.ts'
import type { CallNews } from '../../src/calls/call-record.ts'
import { listCalls } from '../../src/calls/call-store.ts'
import { DirtyCalls } from '../../src/calls/dirty-calls.ts'
import { startSummariser } from '../../src/calls/summariser.ts'
import { StoreError, type Store } from '../../src/history/store.ts'
import { until } from '../api-under-test.ts'
import { insertViews, pack, viewOf } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import { openTestStore } from '../test-store.ts'
import { callMessages, second } from './call-messages.ts'

const start = Math.floor(Date.now() / 1000) * second - 3600 * second
const logger = createLogger({ name: 'test', level: 'silent' })
const isTrunk = () => false

const viewsOf = (callId: string, n: number, capture = '') =>
  callMessages({ callId, startMicros: start + n * second, final: [100, 486, 'Busy Here'] }).map((record) =>
    viewOf(record, capture),
  )

const listed = async (store: Store, capture?: string) =>
  (
    await listCalls(store, {
      filter: capture === undefined ? {} : { capture: [capture] },
      order: 'asc',
      limit: 1000,
      nowMicros: Date.now() * 1000,
    })
  ).items

t.test('what is in history and in no log is found at the start: old, imported, left undone', async (t) => {
  const store = await openTestStore(t)
  const capture = 'a'.repeat(32)
  const register = sipRecordOf(
    sipText({ startLine: 'REGISTER sip:x SIP/2.0', cseq: '1 REGISTER', callId: 'register' }),
    { atMicros: start },
  )
  await insertViews(store, [
    ...Array.from({ length: 30 }, (_, n) => viewsOf(`call-${n}`, n)).flat(),
    ...viewsOf('call-1', 500, capture),
    viewOf(register),
  ])
  const news: CallNews[] = []
  const first = startSummariser({ store, isTrunk, onNews: (one) => news.push(one), logger })
  await until(
    () => listed(store),
    (rows) => rows.length === 30,
  )
  await until(
    () => listed(store, capture),
    (rows) => rows.length === 1,
  )
  await first.close()
  t.equal(news.flatMap(({ records }) => records).length, 31, 'each told once')
  t.equal(first.counters.callsSummarised, 31)

  await insertViews(store, viewsOf('meanwhile', 100))
  const again = startSummariser({ store, isTrunk, onNews: () => {}, logger })
  t.teardown(() => again.close())
  await until(
    () => listed(store),
    (rows) => rows.length === 31,
  )
  t.equal((await listed(store)).at(-1)?.callIds[0], 'meanwhile')
})

t.test('calls of an import wait until all of it is read, those of live traffic do not', async (t) => {
  const store = await openTestStore(t)
  const capture = 'b'.repeat(32)
  const beingRead = new Set([capture])
  await insertViews(store, [...viewsOf('live', 0), ...viewsOf('imported', 500, capture)])
  const summariser = startSummariser({
    store,
    isTrunk,
    onNews: () => {},
    capturesBeingRead: () => beingRead,
    logger,
  })
  t.teardown(() => summariser.close())
  await until(
    () => listed(store),
    (rows) => rows.length === 1,
  )
  // The first sweep found both; another one is over when what came before it is in the log.
  await insertViews(store, viewsOf('later', 100))
  summariser.markStored()
  await until(
    () => listed(store),
    (rows) => rows.length === 2,
  )
  t.same(await listed(store, capture), [])
  beingRead.clear()
  summariser.markStored()
  await until(
    () => listed(store, capture),
    (rows) => rows.length === 1,
  )
  t.equal(summariser.counters.callsSummarised, 3)
})

t.test('two that summarise the same calls make one row of each', async (t) => {
  const store = await openTestStore(t)
  const both = [1, 2].map(() => startSummariser({ store, isTrunk, onNews: () => {}, logger }))
  t.teardown(async () => {
    for (const one of both) await one.close()
  })
  for (let n = 0; n < 40; n++) {
    const views = viewsOf(`call-${n}`, n)
    await insertViews(store, views)
    for (const one of both) one.markStoredCalls(pack(views).calls)
  }
  await until(
    () => both,
    (all) => all.every(({ waiting, counters }) => waiting === 0 && counters.callsSummarised >= 40),
  )
  await until(
    () => listed(store),
    ({ length }) => length >= 40,
  )
  const rows = await listed(store)
  t.equal(rows.length, 40)
  t.equal(new Set(rows.map(({ id }) => id)).size, 40)
})

t.test('a store that fails for a while loses no call', async (t) => {
  const store = await openTestStore(t)
  let isDown = false
  const flaky: Store = {
    ...store,
    query: (sql, params) =>
      isDown ? Promise.reject(new StoreError('connection refused', undefined)) : store.query(sql, params),
  }
  const summariser = startSummariser({ store: flaky, isTrunk, onNews: () => {}, logger })
  t.teardown(() => summariser.close())
  isDown = true
  const views = viewsOf('patient', 1)
  await insertViews(store, views)
  summariser.markStoredCalls(pack(views).calls)
  await until(
    () => summariser.counters,
    ({ callSummaryFailures }) => callSummaryFailures > 1,
  )
  t.same(await listed(store), [])
  isDown = false
  await until(
    () => listed(store),
    (rows) => rows.length === 1,
  )
  t.pass()
})

t.test('marks are bounded, and what did not fit is known', async (t) => {
  const dirty = new DirtyCalls(3)
  for (const callId of ['a', 'b', 'a', 'c', 'd', 'e']) dirty.mark({ capture: '', callId }, 10)
  t.equal(dirty.size, 3)
  t.equal(dirty.overflowed, 2)
  t.equal(dirty.overflowMillis, 10)
  t.same(dirty.take(10, 9), [], 'too young')
  t.match(dirty.take(2, 10), [{ callId: 'a' }, { callId: 'b' }])
  dirty.mark({ capture: 'x', callId: 'a' }, 11)
  t.match(dirty.take(9, 99), [{ callId: 'c' }], 'one capture at a time')
  t.match(dirty.take(9, 99), [{ capture: 'x', callId: 'a' }])
})

t.test('calls that are too much to be read together are read in parts', async (t) => {
  const store = await openTestStore(t)
  const count = 700
  const long = (callId: string, n: number) => [
    ...viewsOf(callId, n),
    ...Array.from({ length: count }, (_, info) =>
      viewOf(
        sipRecordOf(
          sipText({ startLine: 'INFO sip:200@192.0.2.20 SIP/2.0', cseq: `${info + 2} INFO`, callId }),
          {
            atMicros: start + n * second + (info + 1) * 20_000,
          },
        ),
      ),
    ),
  ]
  const callIds = Array.from({ length: 30 }, (_, n) => `long-${n}`)
  const usual = viewsOf('long-0', 0).length
  for (const [n, callId] of callIds.entries()) await insertViews(store, long(callId, n))
  const news: CallNews[] = []
  const summariser = startSummariser({ store, isTrunk, onNews: (one) => news.push(one), logger })
  t.teardown(() => summariser.close())
  const rows = await until(
    () => listed(store),
    (all) => all.length === callIds.length,
  )
  t.same(
    rows.map(({ callIds, messages }) => [...callIds, messages]),
    callIds.map((callId) => [callId, usual + count]),
  )
  t.ok(news.length > 1, `in ${news.length} parts`)
  t.equal(summariser.counters.callSummaryFailures, 0)
})
