import { readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { startApiUnderTest, until } from '../api-under-test.ts'
import { createApiProcess, exportsOf, type ApiProcess } from './api-process.ts'
import {
  call,
  captureKey,
  countPackets,
  finished,
  store,
  toCaptureFile,
  untilFinished,
  wireRecords,
} from './job-client.ts'

const count = 4_000
const records = wireRecords(count)

/** Live and history as if nothing were the matter. */
async function isWell(api: ApiProcess, prefix: string): Promise<boolean> {
  await api.store(wireRecords(100, prefix))
  return (await api.call('GET', '/sources')).status === 200
}

t.test('EXPORT_DIR on a disk that is full: a sentence; once there is room it works', async (t) => {
  const api = await createApiProcess(t, { disk: { setting: 'EXPORT_DIR', size: '8m' } })
  await api.start()
  await api.store(records)
  const seen = path.join('/proc', String(api.pid), 'root', api.folder, 'disk')
  await writeFile(path.join(seen, 'of-somebody-else'), Buffer.alloc(7 * 1024 * 1024))
  const { body } = await api.call('POST', '/exports', { format: 'pcap' })
  const view = await untilFinished(() => api.call('GET', `/exports/${body.id}`))
  t.match(view, { state: 'failed', sizeBytes: 0 })
  t.match(view.error, /^the disk of EXPORT_DIR is full/)
  t.equal((await api.call('GET', `/exports/${body.id}/file`)).status, 404)
  t.ok(await isWell(api, 'meanwhile'))
  await until(
    () => readdir(seen),
    (names) => names.length === 1,
  )
  t.same(await readdir(seen), ['of-somebody-else'], 'no part file, and what is not ours stays')

  await rm(path.join(seen, 'of-somebody-else'))
  const { body: again } = await api.call('POST', '/exports', { format: 'pcap' })
  t.match(await untilFinished(() => api.call('GET', `/exports/${again.id}`)), { state: 'completed' })
  const { raw } = await api.call('GET', `/exports/${again.id}/file`)
  t.equal(await countPackets(api.folder, raw), count + 100)
})

t.test('little room on the disk of history: jobs are refused, history keeps the rest', async (t) => {
  const api = await createApiProcess(t, { disk: { setting: 'DATA_DIR', size: '200m' } })
  await api.start()
  const { body } = await api.call('POST', '/exports', { format: 'pcap' })
  const view = await untilFinished(() => api.call('GET', `/exports/${body.id}`))
  t.equal(view.state, 'failed')
  t.match(view.error, /^less than 256 MiB are left on the disk of DATA_DIR.*set EXPORT_DIR/)
  const refused = await api.upload('a.pcapng', toCaptureFile(records.slice(0, 10)))
  t.equal(refused.status, 507)
  t.match(refused.body.message, /DATA_DIR/)
  t.ok(await isWell(api, 'meanwhile'))
})

t.test('EXPORT_MAX_BYTES bounds all exports together, also two that grow side by side', async (t) => {
  // One fits, two do not.
  const maxBytes = Math.round(toCaptureFile(records).length * 1.7)
  const api = await startApiUnderTest(t, { EXPORT_MAX_BYTES: String(maxBytes) })
  await store(api, captureKey, records)
  const orders = await Promise.all([1, 2].map(() => call(api, 'POST', '/exports', { format: 'pcap' })))
  const views = await Promise.all(orders.map(({ body }) => finished(api, `/exports/${body.id}`)))
  t.same(views.map(({ state }) => state).toSorted(), ['completed', 'failed'])
  const [done, refused] = views.toSorted((a, b) => a.state.localeCompare(b.state))
  t.match(refused?.error, /EXPORT_MAX_BYTES/)
  t.ok((done?.sizeBytes ?? 0) <= maxBytes)
  await until(
    () => readdir(exportsOf(api.folder)),
    (names) => names.length === 1,
  )
  t.same(await readdir(exportsOf(api.folder)), [`${done?.id}.pcap`])
  await call(api, 'DELETE', `/exports/${done?.id}`)
  const { body } = await call(api, 'POST', '/exports', { format: 'pcap' })
  t.equal(
    (await finished(api, `/exports/${body.id}`)).state,
    'completed',
    'with the other deleted there is room',
  )
})

t.test('something else where EXPORT_DIR should be: a sentence', async (t) => {
  const api = await startApiUnderTest(t)
  await store(api, captureKey, records.slice(0, 10))
  await writeFile(exportsOf(api.folder), 'not a folder')
  const { body } = await call(api, 'POST', '/exports', { format: 'pcap' })
  const view = await finished(api, `/exports/${body.id}`)
  t.equal(view.state, 'failed')
  t.match(view.error, /EXPORT_DIR is gone/)
  await rm(exportsOf(api.folder))
  const { body: again } = await call(api, 'POST', '/exports', { format: 'pcap' })
  t.equal((await finished(api, `/exports/${again.id}`)).state, 'completed')
})
