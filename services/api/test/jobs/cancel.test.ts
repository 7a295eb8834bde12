import { readdir } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import { keys, startApiUnderTest, until, type ApiUnderTest } from '../api-under-test.ts'
import { exportsOf, orderHeldExports, uploadHeld } from './api-process.ts'
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
  const historyPid = api.history.pid ?? 0
  const id = await uploadHeld(() => upload(api, 'big.pcapng', file), {
    ask: (...asked) => call(api, ...asked),
    historyPid,
  })
  return { id, release: () => process.kill(historyPid, 'SIGCONT') }
}

t.test('deleted while a job has it in hand', async (t) => {
  const api = await startApiUnderTest(t)
  const ask = (url: string) => call(api, 'GET', url)
  const exports = exportsOf(api.folder)
  const holdExport = (historyPid: number, order: object) =>
    orderHeldExports([{ format: 'pcap', ...order }], {
      ask: (...asked) => call(api, ...asked),
      exportDir: exports,
      historyPid,
    })
  await store(api, captureKey, wireRecords(count))

  t.test('an export: no file, no part file; the state says so', async (t) => {
    const history = api.history.pid ?? 0
    const [id = ''] = await holdExport(history, {})
    t.equal((await ask(`/exports/${id}`)).body.state, 'active')
    t.equal((await call(api, 'DELETE', `/exports/${id}`)).status, 204)
    t.equal((await ask(`/exports/${id}`)).body.state, 'cancelled')
    process.kill(history, 'SIGCONT')
    await until(
      () => readdir(exports),
      (names) => names.length === 0,
    )
    await until(
      () => api.redis.client.exists(`${keys.own('jobs', 'exports')}:${id}`),
      (isThere) => isThere === 0,
    )
    t.same(await readdir(exports), [])
    t.equal((await ask(`/exports/${id}`)).body.state, 'cancelled')
    t.equal((await ask(`/exports/${id}/file`)).status, 404)
    t.equal((await call(api, 'DELETE', `/exports/${id}`)).status, 204)
    t.equal((await ask(`/exports/${id}`)).status, 404)
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
    const [order = ''] = await holdExport(history, { filter: { capture: [body.id] } })
    const paging = countMessages(ask, `&capture=${body.id}`)
    const deleted = call(api, 'DELETE', `/imports/${body.id}`)
    process.kill(history, 'SIGCONT')
    t.equal((await deleted).status, 204)
    t.ok((await paging) <= count)
    const view = await finished(api, `/exports/${order}`)
    t.equal(view.state, 'completed')
    const reader = createCaptureReader()
    const packets = reader.push((await ask(`/exports/${order}/file`)).raw)
    reader.end()
    t.equal(reader.problem, null, 'its file is whole')
    t.equal(packets.length, view.messages)
    t.equal(await countMessages(ask, `&capture=${body.id}`), 0)
    t.equal(await countMessages(ask), count, 'live traffic stays')
  })
})
