import { readdir } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import { keys, startApiUnderTest, until, type ApiUnderTest } from '../api-under-test.ts'
import { exportsOf, holdAtPart } from './api-process.ts'
import {
  call,
  captureKey,
  countMessages,
  finished,
  store,
  toCaptureFile,
  upload,
  wireRecords,
} from './job-client.ts'

const count = 8_000
const file = toCaptureFile(wireRecords(count, 'imported'))

/** An import of which some rows are stored, its history held; `release` lets it go on. */
async function startHeldImport(api: ApiUnderTest) {
  const { body } = await upload(api, 'big.pcapng', file)
  await until(
    () => call(api, 'GET', `/imports/${body.id}`),
    ({ body: view }) => view.messages > 0,
  )
  const history = api.history.pid ?? 0
  process.kill(history, 'SIGSTOP')
  return { id: body.id, release: () => process.kill(history, 'SIGCONT') }
}

t.test('deleted while a job has it in hand', async (t) => {
  const api = await startApiUnderTest(t)
  const ask = (url: string) => call(api, 'GET', url)
  const exports = exportsOf(api.folder)
  await store(api, captureKey, wireRecords(count))

  t.test('an export: no file, no part file; the state says so', async (t) => {
    const history = api.history.pid ?? 0
    const { held } = holdAtPart(exports, history)
    const { body } = await call(api, 'POST', '/exports', { format: 'pcap' })
    await held
    t.equal((await ask(`/exports/${body.id}`)).body.state, 'active')
    t.equal((await call(api, 'DELETE', `/exports/${body.id}`)).status, 204)
    t.equal((await ask(`/exports/${body.id}`)).body.state, 'cancelled')
    process.kill(history, 'SIGCONT')
    await until(
      () => readdir(exports),
      (names) => names.length === 0,
    )
    await until(
      () => api.redis.client.exists(`${keys.own('jobs', 'exports')}:${body.id}`),
      (isThere) => isThere === 0,
    )
    t.same(await readdir(exports), [])
    t.equal((await ask(`/exports/${body.id}`)).body.state, 'cancelled')
    t.equal((await ask(`/exports/${body.id}/file`)).status, 404)
    t.equal((await call(api, 'DELETE', `/exports/${body.id}`)).status, 204)
    t.equal((await ask(`/exports/${body.id}`)).status, 404)
  })

  t.test('an import: no rows, no upload', async (t) => {
    const { id, release } = await startHeldImport(api)
    t.equal((await call(api, 'DELETE', `/imports/${id}`)).status, 204)
    t.equal((await ask(`/imports/${id}`)).status, 404)
    release()
    await until(
      () => api.redis.client.exists(`${keys.own('jobs', 'imports')}:${id}`),
      (isThere) => isThere === 0,
    )
    t.equal(await countMessages(ask, `&capture=${id}`), 0)
    t.same(await readdir(path.join(api.folder, 'imports')), [])
    t.equal(await api.redis.client.hexists(keys.own('api', 'imports'), id), 0, 'nor its record')
  })

  t.test('an import whose record is gone before the reader notices: no rows either', async (t) => {
    const { id, release } = await startHeldImport(api)
    await api.redis.client.hdel(keys.own('api', 'imports'), id)
    release()
    await until(
      () => api.redis.client.exists(`${keys.own('jobs', 'imports')}:${id}`),
      (isThere) => isThere === 0,
    )
    t.equal(await countMessages(ask, `&capture=${id}`), 0)
  })

  t.test('an import that an export reads and somebody pages through: it goes as a whole', async (t) => {
    const { body } = await upload(api, 'read.pcapng', file)
    t.match(await finished(api, `/imports/${body.id}`), { state: 'completed', messages: count })
    const history = api.history.pid ?? 0
    const { held } = holdAtPart(exports, history)
    const order = await call(api, 'POST', '/exports', { format: 'pcap', filter: { capture: [body.id] } })
    await held
    const paging = countMessages(ask, `&capture=${body.id}`)
    const deleted = call(api, 'DELETE', `/imports/${body.id}`)
    process.kill(history, 'SIGCONT')
    t.equal((await deleted).status, 204)
    t.ok((await paging) <= count)
    const view = await finished(api, `/exports/${order.body.id}`)
    t.equal(view.state, 'completed')
    const reader = createCaptureReader()
    const packets = reader.push((await ask(`/exports/${order.body.id}/file`)).raw)
    reader.end()
    t.equal(reader.problem, null, 'its file is whole')
    t.equal(packets.length, view.messages)
    t.equal(await countMessages(ask, `&capture=${body.id}`), 0)
    t.equal(await countMessages(ask), count, 'live traffic stays')
  })
})
