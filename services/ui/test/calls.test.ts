import './dom.ts'
import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import t, { type Test } from 'tap'
import { LiveFeed } from '../src/state/live-feed.ts'
import { CallsModel } from '../src/state/calls.ts'
import { CallsRows } from '../src/state/calls-rows.ts'
import { navigate } from '../src/state/location.ts'
import { aCallRow } from './call-rows.ts'
import { type FakeApi, startFakeApi } from './fake-api.ts'
import { until } from './until.ts'

const base = 1_795_412_000_000_000
const second = 1_000_000
const call = (n: number, more: Partial<CallRow> = {}): CallRow =>
  aCallRow({
    id: n.toString(16).padStart(32, '0'),
    startedAt: toRfc3339(base + n * second),
    from: { number: String(n), name: '' },
    ...more,
  })
const shown = (rows: CallsRows) => rows.items.map(({ from, state }) => `${from.number} ${state}`)

t.test(
  'rows: newest first, an id once, in place; over the bound the oldest go and are counted',
  async (t) => {
    const rows = new CallsRows(3)
    for (const n of [2, 4, 3]) rows.set(call(n))
    rows.set(call(3, { state: 'busy' }))
    t.same(shown(rows), ['4 completed', '3 busy', '2 completed'])
    rows.set(call(2, { startedAt: toRfc3339(base + 9 * second) }))
    t.same(shown(rows), ['2 completed', '4 completed', '3 busy'], 'a start that was told anew moves the row')
    rows.set(call(1))
    t.equal(rows.letGo, 1)
    t.same(shown(rows), ['2 completed', '4 completed', '3 busy'])
    rows.delete(call(4).id)
    rows.delete(call(77).id)
    t.same(shown(rows), ['2 completed', '3 busy'])
  },
)

async function setUp(t: Test, path: string, first: readonly CallRow[] = []) {
  const api: FakeApi = await startFakeApi()
  const realFetch = globalThis.fetch
  globalThis.fetch = (input, init) =>
    realFetch(new URL(typeof input === 'string' ? input : '/', api.url), init)
  const url = new URL(path, 'http://localhost:3000')
  navigate(url.pathname, url.searchParams, 'replace')
  api.calls.set(...first)
  const feed = new LiveFeed({
    url: `${api.url.replace('http', 'ws')}/ws`,
    firstPauseMillis: 5,
    onFrame: () => undefined,
    onRefused: () => undefined,
  })
  const calls = new CallsModel(feed)
  feed.start()
  const end = calls.start()
  t.teardown(async () => {
    end()
    feed.stop()
    globalThis.fetch = realFetch
    await api.close()
  })
  await until(
    () => calls.settled.value && feed.link.value === 'open' && !calls.loading.value,
    'the first page',
  )
  await until(() => api.received.some((frame) => frame.type === 'follow-calls'), 'the feed to be followed')
  return { api, calls, feed }
}

t.test('a call older than what is loaded waits for its page, a newer one comes at once', async (t) => {
  const { api, calls } = await setUp(
    t,
    '/calls',
    Array.from({ length: 250 }, (_, n) => call(1000 + n)),
  )
  t.equal(calls.rows.items.length, 200)
  api.calls.set(call(500), call(2000))
  await until(() => calls.rows.items[0]?.from.number === '2000', 'the newer call')
  t.equal(calls.rows.oldest?.from.number, '1050', 'the older one would leave a hole')
  await calls.loadOlder()
  t.equal(calls.rows.items.length, 252)
  t.equal(calls.rows.oldest?.from.number, '500')
  t.equal(calls.nextCursor.value, null)
})

t.test('what the feed says while a page is on its way is newer than the page', async (t) => {
  const { api, calls, feed } = await setUp(t, '/calls', [
    call(1, { state: 'ringing' }),
    call(2, { state: 'ringing' }),
  ])
  const page = api.calls.hold()
  calls.retry()
  await page.asked
  let heard = 0
  feed.watch((frame) => {
    if (frame.type === 'call:updated') heard += 1
  })
  api.calls.set(call(1))
  api.calls.remove(call(2).id)
  api.calls.set(call(3))
  await until(() => heard === 3, 'the news')
  // Whatever asks for a draw now: the page comes first.
  calls.togglePause()
  calls.togglePause()
  page.pass()
  await until(() => !calls.loading.value && calls.rows.has(call(3).id), 'the page and the news')
  t.same(shown(calls.rows), ['3 completed', '1 completed'])
})

t.test(
  'a range without end stays live and keeps out what began before; one with an end is history',
  async (t) => {
    const { api, calls } = await setUp(t, `/calls?since=${base + 10 * second}`, [call(5), call(12)])
    api.calls.set(call(6), call(13))
    await until(() => calls.rows.has(call(13).id), 'the call in the range')
    t.same(shown(calls.rows), ['13 completed', '12 completed'])
    calls.setFilter({ ...calls.filter.value, untilMicros: base + 13 * second })
    await until(() => shown(calls.rows).length === 1 && calls.settled.value, 'the range')
    await until(() => {
      const frame = api.received.findLast((one) => one.type === 'follow-calls')
      return frame?.type === 'follow-calls' && frame.filter === null
    }, 'the feed to be let go')
    t.same(shown(calls.rows), ['12 completed'])
  },
)

t.test('news that this browser missed are asked for; a pause waits with that until it is over', async (t) => {
  const { api, calls } = await setUp(t, '/calls', [call(1, { state: 'ringing' })])
  calls.togglePause()
  api.calls.set(call(1))
  await until(() => calls.pending.value === 1, 'the news to wait')
  api.send({ type: 'call:updated', callIds: [], items: [], removed: [], missed: 3 })
  api.calls.set(call(2))
  await until(() => calls.pending.value === 2, 'more news')
  t.same(shown(calls.rows), ['1 ringing'], 'held still')
  calls.togglePause()
  await until(() => calls.rows.items.length === 2, 'the log')
  t.same(shown(calls.rows), ['2 completed', '1 completed'])
})

t.test('a search that cannot be read is neither asked nor followed', async (t) => {
  const { api, calls } = await setUp(t, '/calls?q=state%3Afailed')
  const before = api.requests.length
  calls.setFilter({ ...calls.filter.value, q: 'stat:failed' })
  await until(() => {
    const frame = api.received.at(-1)
    return frame?.type === 'follow-calls' && frame.filter === null
  }, 'the feed to be let go')
  t.equal(api.requests.length, before)
  t.equal(calls.settled.value, false)
})
