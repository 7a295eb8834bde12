import { readdir } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { nextRun, resolveWindow } from '../../src/jobs/export-window.ts'
import { keys, startApiUnderTest, until } from '../api-under-test.ts'
import { call, captureKey, finished, store, wireRecords } from './job-client.ts'

const iso = (window: { since: number; until: number }) =>
  [window.since, window.until].map((at) => new Date(at).toISOString().slice(0, 16))

t.test('windows end when the run is due, days are those of the zone', async (t) => {
  const due = Date.parse('2026-03-30T01:30:00Z')
  t.same(iso(resolveWindow('last 15 min', 'UTC', due)), ['2026-03-30T01:15', '2026-03-30T01:30'])
  t.same(iso(resolveWindow('last 7 d', 'UTC', due)), ['2026-03-23T01:30', '2026-03-30T01:30'])
  // The day on which the clocks go forward has 23 hours.
  t.same(iso(resolveWindow('previous day', 'Europe/Berlin', due)), ['2026-03-28T23:00', '2026-03-29T22:00'])
  t.same(iso(resolveWindow('previous day', 'Asia/Kathmandu', due)), ['2026-03-28T18:15', '2026-03-29T18:15'])
  t.same(iso(resolveWindow('previous day', 'America/New_York', due)), [
    '2026-03-28T04:00',
    '2026-03-29T04:00',
  ])
})

t.test('days follow each other without a gap, whatever the clocks do', async (t) => {
  const hour = 3_600_000
  // Clocks that change at midnight, by half an hour, on other days than Europe, or not at all.
  const zones = [
    'Europe/Berlin',
    'America/Havana',
    'Africa/Cairo',
    'Asia/Beirut',
    'Australia/Lord_Howe',
    'Atlantic/Azores',
    'Pacific/Apia',
    'Asia/Kathmandu',
  ]
  for (const zone of zones)
    for (const around of [
      '2026-03-08',
      '2026-03-29',
      '2026-04-05',
      '2026-04-24',
      '2026-10-04',
      '2026-10-25',
      '2026-11-01',
    ]) {
      const noon = Date.parse(`${around}T12:00:00Z`)
      const days = [-1, 0, 1, 2].map((n) => resolveWindow('previous day', zone, noon + n * 24 * hour))
      for (const [n, day] of days.entries()) {
        t.ok([23, 23.5, 24, 24.5, 25].includes((day.until - day.since) / hour), `${zone} ${around}`)
        if (n > 0) t.equal(day.since, days[n - 1]?.until)
      }
    }
})

const due = (cron: string, timeZone: string, from: string, times: number) => {
  const found: string[] = []
  let at = Date.parse(from)
  for (let n = 0; n < times; n++) {
    at = nextRun(cron, timeZone, at) ?? 0
    found.push(new Date(at).toISOString().slice(0, 16))
  }
  return found
}

t.test('a cron time that the clocks skip or repeat is due once that day', async (t) => {
  t.same(due('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', 2), ['2026-03-29T01:30', '2026-03-30T00:30'])
  t.same(due('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', 2), ['2026-10-25T00:30', '2026-10-26T01:30'])
  t.same(due('0 0 * * *', 'Asia/Kathmandu', '2026-06-01T12:00Z', 1), ['2026-06-01T18:15'])
  t.equal(nextRun('0 0 31 2 *', 'UTC', Date.now()), undefined, 'no such day')
})

t.test('schedules', async (t) => {
  const api = await startApiUnderTest(t)
  await store(api, captureKey, wireRecords(20, 'now', (Date.now() - 60_000) * 1000))
  const request = {
    name: 'Night / run',
    cron: '0 3 * * *',
    timeZone: 'Europe/Berlin',
    window: 'last 24 h',
    keep: 2,
  }
  const made = await call(api, 'POST', '/export-schedules', request)
  const url = `/export-schedules/${made.body.id}`

  t.test('it has a next run, unless paused', async (t) => {
    t.equal(made.status, 201)
    t.match(made.body.nextRunAt, /T0[12]:00:00\.000000Z$/)
    const paused = await call(api, 'PUT', url, { ...request, paused: true })
    t.equal(paused.body.nextRunAt, null)
    t.match((await call(api, 'PUT', url, request)).body.nextRunAt, /:00:00/)
  })

  t.test('run now, three times: the newest two files stay, by date', async (t) => {
    for (let n = 0; n < 3; n++) {
      const { status, body } = await call(api, 'POST', `${url}/run`)
      t.equal(status, 202)
      t.match(await finished(api, `/exports/${body.id}`), {
        state: 'completed',
        messages: 20,
        expiresAt: null,
      })
    }
    const folder = path.join(api.folder, 'exports', 'schedules', made.body.id)
    const files = await until(
      async () => (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.pcapng')),
      ({ length }) => length <= 2,
    )
    for (const file of files) t.match(file, /^\d{4}\/\d\d\/\d\d\/Night-run-\d{8}T\d{6}(\.\d{3})?Z\.pcapng$/)
    t.equal((await call(api, 'GET', url)).body.lastRun?.state, 'completed')
  })

  t.test(
    'edited: the next run and what is kept are the new ones; the files of before stay until then',
    async (t) => {
      const edited = await call(api, 'PUT', url, {
        ...request,
        name: 'Noon',
        cron: '0 12 * * *',
        timeZone: 'UTC',
        keep: 1,
      })
      t.match(edited.body, { name: 'Noon', keep: 1 })
      t.match(edited.body.nextRunAt, /T12:00:00\.000000Z$/)
      const { body } = await call(api, 'POST', `${url}/run`)
      t.match(await finished(api, `/exports/${body.id}`), { state: 'completed', name: 'Noon' })
      const folder = path.join(api.folder, 'exports', 'schedules', made.body.id)
      const files = await until(
        async () => (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.pcapng')),
        ({ length }) => length === 1,
      )
      t.match(files[0], /\/Noon-/)
      const { body: list } = await until(
        () => call(api, 'GET', '/exports'),
        ({ body: { items } }) => items.length === 1,
      )
      t.equal(list.items.length, 1, 'records go with the files')
    },
  )

  t.test('run now works while it is paused', async (t) => {
    await call(api, 'PUT', url, { ...request, paused: true })
    const { body } = await call(api, 'POST', `${url}/run`)
    t.match(await finished(api, `/exports/${body.id}`), { state: 'completed' })
    t.equal((await call(api, 'GET', url)).body.nextRunAt, null)
  })

  t.test('what does not fit is refused by name', async (t) => {
    const { body: cron } = await call(api, 'POST', '/export-schedules', { ...request, cron: '61 * * * *' })
    t.match(cron.message, /cron/)
    const { body: zone } = await call(api, 'POST', '/export-schedules', { ...request, timeZone: 'Mars/Base' })
    t.match(zone.message, /timeZone/)
  })

  t.test('deleted: its files expire, nothing runs any more', async (t) => {
    t.equal((await call(api, 'DELETE', url)).status, 204)
    t.equal((await call(api, 'GET', url)).status, 404)
    t.equal((await call(api, 'POST', `${url}/run`)).status, 404)
    t.equal(await api.redis.client.zcard(`${keys.own('jobs', 'exports')}:repeat`), 0)
    const { body } = await call(api, 'GET', '/exports')
    t.ok(body.items.every((item) => (item as { expiresAt?: unknown }).expiresAt !== null))
  })
})
