import { randomBytes } from 'node:crypto'
import { access, mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { Queue } from 'bullmq'
import { keys, until } from '../api-under-test.ts'
import { createApiProcess, exportsOf } from './api-process.ts'
import { untilFinished, wireRecords } from './job-client.ts'

const hour = 3_600_000
const threeDays = 72 * hour
const hex = () => randomBytes(16).toString('hex')

t.test('after three days of downtime', async (t) => {
  const api = await createApiProcess(t)
  const get = (url: string) => api.call('GET', url)
  await api.start({ shiftMillis: -threeDays })
  await api.store(wireRecords(20))
  const exports = exportsOf(api.folder)

  // Due twelve hours from now: no run comes while the test goes on.
  const due = new Date(Date.now() + 12 * hour)
  const request = {
    name: 'nightly',
    cron: `${due.getUTCMinutes()} ${due.getUTCHours()} * * *`,
    window: 'last 24 h',
  }
  const { body: active } = await api.call('POST', '/export-schedules', request)
  const { body: paused } = await api.call('POST', '/export-schedules', { ...request, paused: true })
  const { body: unplanned } = await api.call('POST', '/export-schedules', { ...request, name: 'unplanned' })
  const { body: old } = await api.call('POST', '/exports', {})
  t.match(await untilFinished(() => get(`/exports/${old.id}`)), { state: 'completed', messages: 20 })
  const { body: lost } = await api.call('POST', `/export-schedules/${paused.id}/run`)
  const { body: kept } = await api.call('POST', `/export-schedules/${paused.id}/run`)
  for (const { id } of [lost, kept])
    t.match(await untilFinished(() => get(`/exports/${id}`)), { state: 'completed', expiresAt: null })
  t.equal(await api.stop(), 0)

  const longAgo = new Date(Date.now() - threeDays)
  const orphans = [`${hex()}.pcapng`, `${hex()}.${hex()}.part`]
  const others = ['notes.txt', `${hex()}.pcap`]
  for (const name of [...orphans, ...others]) await writeFile(path.join(exports, name), 'x')
  for (const name of [...orphans, 'notes.txt']) await utimes(path.join(exports, name), longAgo, longAgo)
  const upload = path.join(api.folder, 'imports', `${hex()}.upload`)
  await mkdir(path.dirname(upload), { recursive: true })
  await writeFile(upload, 'x')
  await utimes(upload, longAgo, longAgo)
  const record = JSON.parse((await api.redis.client.hget(keys.own('api', 'exports'), lost.id)) ?? '') as {
    file: string
  }
  await rm(path.join(exports, record.file))
  const queue = new Queue('exports', {
    connection: { url: api.redis.url },
    prefix: keys.own('jobs', '').slice(0, -1),
  })
  await queue.removeJobScheduler(unplanned.id)
  await queue.close()
  await api.start()

  await t.test('a run that was missed, three times, is made up once', async (t) => {
    const made = async () => (await get('/exports')).body.items as { id: string; scheduleId: string | null }[]
    const ofSchedule = async () => (await made()).filter(({ scheduleId }) => scheduleId === active.id)
    const [first] = await until(ofSchedule, ({ length }) => length > 0)
    const view = await untilFinished(() => get(`/exports/${first?.id}`))
    t.equal(view.state, 'completed')
    const until1 = Date.parse(String(view.request['until']))
    t.equal(new Date(until1).getUTCHours(), due.getUTCHours(), 'its window ends when it was due')
    t.ok(until1 < Date.now() - 48 * hour, 'the first of the three')
    const { body } = await get(`/export-schedules/${active.id}`)
    t.ok(Date.parse(body.nextRunAt ?? '') > Date.now(), 'the next one is to come')
    t.equal(await api.stop(), 0)
    await api.start()
    t.equal((await ofSchedule()).length, 1, 'once, also after another start')
    t.same(
      (await made()).flatMap(({ id, scheduleId }) => (scheduleId === paused.id ? [id] : [])),
      [kept.id],
      'what was paused is not made up',
    )
    const { body: again } = await get(`/export-schedules/${unplanned.id}`)
    t.ok(Date.parse(again.nextRunAt ?? '') > Date.now(), 'what had lost its next run has one again')
  })

  await t.test('what is over is gone, what nobody knows is swept, what is not ours stays', async (t) => {
    const statusOf = async (id: string) => (await get(`/exports/${id}`)).status
    for (const [id, why] of [
      [old.id, 'expired'],
      [lost.id, 'a record without its file'],
    ] as const)
      t.equal(
        await until(
          () => statusOf(id),
          (status) => status === 404,
        ),
        404,
        why,
      )
    t.equal((await get(`/exports/${kept.id}/file`)).status, 200, 'a schedule keeps its files')
    const left = await until(
      async () => (await readdir(exports)).filter((name) => name !== 'schedules'),
      ({ length }) => length === others.length,
    )
    t.same(left.toSorted(), others.toSorted(), 'the young file without a record may be about to get one')
    await until(
      () =>
        access(upload).then(
          () => true,
          () => false,
        ),
      (isThere) => !isThere,
    )
    await t.rejects(access(upload))
  })
})

t.test('the log says what was swept', async (t) => {
  const api = await createApiProcess(t)
  await api.start({ shiftMillis: -threeDays })
  const { body } = await api.call('POST', '/exports', {})
  await untilFinished(() => api.call('GET', `/exports/${body.id}`))
  const { body: schedule } = await api.call('POST', '/export-schedules', {
    name: 'kept',
    cron: '0 0 1 1 *',
    window: 'last 1 h',
  })
  const { body: run } = await api.call('POST', `/export-schedules/${schedule.id}/run`)
  await untilFinished(() => api.call('GET', `/exports/${run.id}`))
  await api.stop()
  const exports = exportsOf(api.folder)
  await rm(path.join(exports, 'schedules'), { recursive: true })
  const orphan = path.join(exports, `${hex()}.pcap`)
  await writeFile(orphan, 'x')
  const longAgo = new Date(Date.now() - threeDays)
  await utimes(orphan, longAgo, longAgo)
  await api.start()
  await until(
    () => api.log,
    (log) =>
      log.includes('older than EXPORT_TTL_HOURS were removed') &&
      log.includes('whose file is gone from EXPORT_DIR') &&
      log.includes('files that no job knows were removed'),
  )
  t.equal((await api.call('GET', '/exports')).body.items.length, 0)
})
