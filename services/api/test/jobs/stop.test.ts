import { readdir } from 'node:fs/promises'
import t from 'tap'
import { keys, until, type Test } from '../api-under-test.ts'
import { createApiProcess, exportsOf, orderHeldExports, type ApiProcess } from './api-process.ts'
import { countPackets, untilFinished, wireRecords } from './job-client.ts'

const count = 5_000
const queueKey = keys.own('jobs', 'exports')

/** An API with two exports in hand and its history held in the first step of one. */
async function startBusy(t: Test): Promise<{ api: ApiProcess; ids: string[]; release: () => void }> {
  const api = await createApiProcess(t)
  await api.start()
  await api.store(wireRecords(count))
  const history = await api.historyPid()
  const ids = await orderHeldExports([{ format: 'pcap' }, { format: 'pcap' }], {
    ask: (...asked) => api.call(...asked),
    exportDir: exportsOf(api.folder),
    historyPid: history,
  })
  await until(
    () => api.redis.client.llen(`${queueKey}:active`),
    (length) => length === 2,
  )
  return { api, ids, release: () => process.kill(history, 'SIGCONT') }
}

/** It has heard the signal: nobody listens any more. */
async function untilDeaf(api: ApiProcess): Promise<void> {
  await until(
    () => api.call('GET', '/exports').catch(() => undefined),
    (answer) => answer === undefined,
  )
}

t.test('SIGTERM in mid-export: the jobs go back to the queue, the next start takes them up', async (t) => {
  const { api, ids, release } = await startBusy(t)
  const stopped = api.stop()
  await untilDeaf(api)
  release()
  t.equal(await stopped, 0)
  const { client } = api.redis
  t.equal(await client.llen(`${queueKey}:active`), 0)
  t.same((await client.lrange(`${queueKey}:wait`, 0, -1)).toSorted(), ids.toSorted())
  for (const id of ids) t.equal(await client.exists(`${queueKey}:${id}:lock`), 0, 'no lock to wait for')

  await api.start()
  for (const id of ids) {
    t.match(await untilFinished(() => api.call('GET', `/exports/${id}`)), { state: 'completed' })
    const { raw } = await api.call('GET', `/exports/${id}/file`)
    t.equal(await countPackets(api.folder, raw), count)
  }
  await until(
    () => readdir(exportsOf(api.folder)),
    (names) => names.length === ids.length,
  )
})

t.test('SIGTERM in mid-export while Redis is away: it ends in time and cleanly', async (t) => {
  const { api, release } = await startBusy(t)
  await api.redis.kill()
  const stopped = api.stop()
  await untilDeaf(api)
  release()
  t.equal(await stopped, 0, 'not the 1 of an end by force')
})

t.test('SIGTERM while Redis hangs: it ends in time and cleanly', async (t) => {
  const api = await createApiProcess(t)
  await api.start()
  process.kill(api.redis.pid, 'SIGSTOP')
  t.equal(await api.stop(), 0)
})
