import './dom.ts'
import t from 'tap'
import { navigate } from '../src/state/location.ts'
import { createModels } from '../src/state/models.ts'
import type { MessageEntry } from '../src/state/row-store.ts'
import { startFakeApi } from './fake-api.ts'
import { busyCall, longCall, optionsPing } from './sip-calls.ts'
import { until } from './until.ts'

const now = () => Date.now() * 1000
let calls = 0
const call = () =>
  busyCall({ callId: `live-${(calls += 1)}@h`, startMicros: now() - 5_000_000 + calls * 1000 })

async function startCapture(
  test: { teardown(handler: () => Promise<void>): unknown },
  query = '',
  options: { capacity?: number; feedLater?: boolean } = {},
) {
  const api = await startFakeApi()
  const realFetch = globalThis.fetch
  globalThis.fetch = (input, init) => realFetch(`${api.url}${input as string}`, init)
  navigate('/capture', new URLSearchParams(query), 'replace')
  const models = createModels(`${api.url.replace('http', 'ws')}/ws`, {
    firstPauseMillis: 20,
    ...(options.capacity === undefined ? {} : { capacity: options.capacity }),
  })
  models.capture.start()
  if (!options.feedLater) models.feed.start()
  test.teardown(async () => {
    models.feed.stop()
    models.capture.stop()
    models.open.close()
    globalThis.fetch = realFetch
    await api.close()
  })
  if (!options.feedLater)
    await until(() => api.received.some((frame) => frame.type === 'subscribe'), 'subscribed')
  return { api, ...models }
}
const ids = (entries: readonly unknown[]) =>
  (entries as MessageEntry[]).flatMap((entry) =>
    entry.kind === 'message' ? entry.sightings.map((row) => row.id) : [],
  )

t.test('pause holds rows back and counts them; resume lets each in once (C14)', async (t) => {
  const { api, capture } = await startCapture(t)
  api.add(call())
  await until(() => capture.store.entries.length === 4, 'first rows')
  capture.togglePause()
  api.add(call())
  api.add(call())
  await until(() => capture.pending.value === 8, 'rows wait')
  t.equal(capture.store.entries.length, 4, 'the table holds still')
  capture.togglePause()
  t.equal(capture.store.entries.length, 12)
  t.equal(new Set(ids(capture.store.entries)).size, 12, 'no row twice')
  t.equal(capture.pending.value, 0)
})

t.test('a reconnect resumes behind the last position: no hole, no double row, paused or not', async (t) => {
  const { api, capture, feed } = await startCapture(t)
  api.add(call())
  await until(() => capture.store.entries.length === 4, 'first rows')
  capture.togglePause()
  api.setReachable(false)
  api.dropClients()
  await until(() => feed.link.value === 'lost', 'connection lost')
  api.add(call())
  api.setReachable(true)
  await until(() => feed.link.value === 'open' && capture.pending.value === 4, 'rows of the outage wait')
  const resumed = api.received.findLast((frame) => frame.type === 'subscribe')
  t.match(resumed, { since: '4' })
  capture.togglePause()
  t.equal(new Set(ids(capture.store.entries)).size, 8)
  t.equal(ids(capture.store.entries).length, 8)
})

for (const { words, before } of [
  { words: 'nothing', before: [] },
  { words: 'a call', before: call() },
])
  t.test(`behind ${words}, what comes before the feed is there is fetched, page after page`, async (t) => {
    const { api, capture, feed } = await startCapture(t, '', { feedLater: true })
    api.add(before)
    capture.restart()
    await until(() => !capture.loading.value && capture.store.entries.length === before.length, 'first page')
    const between = longCall({ callId: 'between@h', startMicros: now() - 5_000_000 }, 650)
    api.add(between)
    feed.start()
    await until(() => capture.store.entries.length === before.length + between.length, 'all of it')
    t.ok(between.every((row) => capture.store.has(row.id)))
    t.equal(new Set(ids(capture.store.entries)).size, before.length + between.length)
  })

t.test('what came before the feed and cannot be fetched is a gap, and filling it brings it', async (t) => {
  const { api, capture, feed } = await startCapture(t, '', { feedLater: true })
  api.add(call())
  capture.restart()
  await until(() => capture.store.entries.length === 4, 'first page')
  feed.start()
  await until(() => feed.subscribed.value, 'subscribed')
  api.setReachable(false)
  await until(() => capture.store.entries.some((entry) => entry.kind === 'gap'), 'gap row')
  t.match(capture.problem.value, /history/)
  api.setReachable(true)
  const gap = capture.store.entries.find((entry) => entry.kind === 'gap')
  if (gap?.kind !== 'gap') return t.fail('no gap')
  await capture.fillGap(gap)
  t.equal(gap.state, 'filled')
})

t.test('a table that was cleared is not filled again with what came before the feed', async (t) => {
  const { api, capture, feed } = await startCapture(t)
  api.add(call())
  await until(() => feed.subscribed.value && capture.store.entries.length === 4, 'rows')
  capture.clear()
  const asked = api.requests.length
  await new Promise((resolve) => setTimeout(resolve, 3000))
  t.equal(capture.store.entries.length, 0)
  t.equal(api.requests.length, asked)
})

t.test('a gap is shown, and filling it brings exactly what was left out', async (t) => {
  const { api, capture } = await startCapture(t)
  api.add(call())
  const missed = call()
  api.skip(missed)
  await until(() => capture.store.entries.some((entry) => entry.kind === 'gap'), 'gap row')
  const gap = capture.store.entries.find((entry) => entry.kind === 'gap')
  if (gap?.kind !== 'gap') return t.fail('no gap')
  await capture.fillGap(gap)
  t.equal(gap.state, 'filled')
  for (const row of missed) t.ok(capture.store.has(row.id))
})

t.test('a gap that cannot be filled says why and can be tried again', async (t) => {
  const { api, capture } = await startCapture(t)
  api.skip(call())
  await until(() => capture.store.entries.some((entry) => entry.kind === 'gap'), 'gap row')
  const gap = capture.store.entries.find((entry) => entry.kind === 'gap')
  if (gap?.kind !== 'gap') return t.fail('no gap')
  api.setReachable(false)
  await capture.fillGap(gap)
  t.equal(gap.state, 'failed')
  t.match(gap.problem, /history/)
  api.setReachable(true)
  await capture.fillGap(gap)
  t.equal(gap.state, 'filled')
})

t.test('a filter goes to the server, and the table then holds nothing else', async (t) => {
  const { api, capture } = await startCapture(t)
  api.add([...call(), ...optionsPing({ callId: 'o@h', startMicros: now() })])
  await until(() => capture.store.entries.length === 6, 'rows')
  capture.setFilter({ ...capture.filter.value, words: { status: ['4xx', '5xx', '6xx'] } })
  await until(() => capture.store.entries.length === 1, 'only the failure, from history')
  await until(
    () => api.received.filter((frame) => frame.type === 'subscribe').length === 2,
    'the filter at the server',
  )
  t.match(
    api.received.findLast((frame) => frame.type === 'subscribe'),
    {
      filter: { status: ['4xx', '5xx', '6xx'] },
    },
  )
  api.add(call())
  await until(() => capture.store.entries.length === 2, 'and the live failure')
})

t.test('rows on their way when the filter changes do not slip into the new view', async (t) => {
  const { api, capture } = await startCapture(t)
  await until(() => !capture.loading.value, 'first page')
  capture.setFilter({ ...capture.filter.value, words: { status: ['486'] } })
  // Sent before the server reads the new filter.
  api.add(call())
  await until(
    () => api.received.filter((frame) => frame.type === 'subscribe').length === 2,
    'new filter read',
  )
  api.add(call())
  await until(() => capture.store.entries.length > 0, 'rows')
  t.ok(capture.store.entries.every((entry) => entry.kind === 'message' && entry.row.status === 486))
})

t.test('hidden OPTIONS and REGISTER are kept and counted', async (t) => {
  const { api, capture } = await startCapture(t, 'noise=hide')
  api.add([...call(), ...optionsPing({ callId: 'o2@h', startMicros: now() })])
  await until(() => capture.store.entries.length === 6, 'rows')
  t.equal(capture.shown.value.entries.length, 4)
  t.equal(capture.shown.value.hiddenNoise, 2)
})

t.test('the history view is paged by cursor and takes no live rows', async (t) => {
  const { api, capture } = await startCapture(t, 'mode=history')
  await until(() => !capture.loading.value, 'first page')
  for (let n = 0; n < 60; n += 1) api.add(call())
  t.equal(capture.store.entries.length, 0)
  capture.restart()
  await until(() => capture.store.entries.length === 200, 'a page')
  t.ok(capture.nextCursor.value)
  await capture.loadOlder()
  t.equal(capture.store.entries.length, 240)
  t.equal(capture.nextCursor.value, null)
  t.equal(new Set(ids(capture.store.entries)).size, 240)
})

t.test('a pause longer than the page can hold counts what it had to let go', async (t) => {
  const { api, capture } = await startCapture(t, '', { capacity: 20 })
  capture.togglePause()
  for (let n = 0; n < 10; n += 1) api.add(call())
  await until(() => capture.letGo === 20, 'counted')
  capture.togglePause()
  t.equal(capture.store.entries.length, 20)
})

t.test('clear empties the table and what waits; the feed goes on', async (t) => {
  const { api, capture } = await startCapture(t)
  api.add(call())
  await until(() => capture.store.entries.length === 4, 'rows')
  capture.clear()
  t.equal(capture.store.entries.length, 0)
  api.add(call())
  await until(() => capture.store.entries.length >= 4, 'new rows')
})

t.test('a frame that is not in the contract is counted, the next one is read', async (t) => {
  const { api, capture, feed } = await startCapture(t)
  api.send({ type: 'sip:traffic', items: [{ id: 1 }], position: '0' } as never)
  await until(() => feed.unreadable.value === 1, 'counted')
  api.add(call())
  await until(() => capture.store.entries.length === 4, 'rows')
})

t.test('an unknown Call-ID opens nothing, never another call (C10)', async (t) => {
  const { api, open } = await startCapture(t)
  api.add(call())
  open.open({ kind: 'call', callId: 'nobody@h', capture: null }, { expected: false })
  await until(() => open.problem.value !== null, 'told')
  t.equal(open.problem.value?.kind, 'missing')
  t.equal(open.call.value, null)
})

t.test('a Call-ID of any bytes reaches the API as one path segment', async (t) => {
  const { api, open } = await startCapture(t)
  const callId = '../../x?a=b#c%2e%2e/"<é>'
  open.open({ kind: 'call', callId, capture: null }, { expected: false })
  await until(() => api.requests.some((url) => url.startsWith('/api/v1/calls/')), 'asked')
  t.ok(api.requests.includes(`/api/v1/calls/${encodeURIComponent(callId)}/stream`))
})

t.test('an open call is fetched again when it goes on, and only then', async (t) => {
  const { api, open } = await startCapture(t)
  const rows = call()
  api.add(rows.slice(0, 2))
  const callId = rows[0]?.callId ?? ''
  open.open({ kind: 'call', callId, capture: null }, { expected: false })
  await until(() => open.call.value?.messages.length === 2, 'opened')
  api.add(rows.slice(2))
  await until(() => open.call.value?.messages.length === 4, 'updated')
  t.equal(open.call.value?.state, 'busy')
})

t.test('a row just seen live opens although the history has it only a moment later', async (t) => {
  const { api, open } = await startCapture(t)
  const rows = call()
  open.open({ kind: 'call', callId: rows[0]?.callId ?? '', capture: null }, { expected: true })
  await until(() => api.requests.some((url) => url.startsWith('/api/v1/calls/')), 'asked too early')
  t.equal(open.problem.value, null)
  api.add(rows)
  await until(() => open.call.value !== null, 'opened')
})
