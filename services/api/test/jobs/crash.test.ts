import { readdir } from 'node:fs/promises'
import t from 'tap'
import { until } from '../api-under-test.ts'
import { createApiProcess, exportsOf, holdAtPart } from './api-process.ts'
import { countMessages, countPackets, toCaptureFile, untilFinished, wireRecords } from './job-client.ts'

const count = 6_000

t.test('kill -9 of the API', async (t) => {
  const api = await createApiProcess(t)
  const get = (url: string) => api.call('GET', url)
  await api.start()
  const exports = exportsOf(api.folder)
  const records = wireRecords(count)
  await api.store(records)

  t.test(
    'in mid-export: no half file is offered, and after the next start there is a whole one',
    async (t) => {
      const history = await api.historyPid()
      const { held } = holdAtPart(exports, history)
      const { body: kept } = await api.call('POST', '/exports', { format: 'pcap' })
      const { body: unwanted } = await api.call('POST', '/exports', { format: 'pcap' })
      await held
      await until(
        () => get(`/exports/${unwanted.id}`),
        ({ body }) => body.state === 'active',
      )
      t.equal((await get(`/exports/${kept.id}/file`)).status, 404)
      await api.kill()
      process.kill(history, 'SIGCONT')
      t.ok((await readdir(exports)).length > 0)
      t.same(
        (await readdir(exports)).filter((name) => !name.endsWith('.part')),
        [],
        'no half file under the name of the whole',
      )

      await api.start()
      t.equal((await api.call('DELETE', `/exports/${unwanted.id}`)).status, 204)
      const offered = new Set<string>()
      const view = await untilFinished(async () => {
        const { status, raw } = await get(`/exports/${kept.id}/file`)
        if (status === 200) offered.add(String(await countPackets(api.folder, raw)))
        return await get(`/exports/${kept.id}`)
      })
      t.match(view, { state: 'completed', messages: count })
      const { raw } = await get(`/exports/${kept.id}/file`)
      t.equal(await countPackets(api.folder, raw), count, 'as many as REST lists')
      offered.delete(String(count))
      t.same([...offered], [], 'and never another number')
      t.equal((await get(`/exports/${unwanted.id}`)).body.state, 'cancelled')
      await until(
        () => readdir(exports),
        (names) => names.length === 1,
      )
      t.same(await readdir(exports), [`${kept.id}.pcap`], 'nothing is left of the cancelled one')
    },
  )

  t.test('in mid-import: after the next start every message is there once', async (t) => {
    const file = toCaptureFile(wireRecords(count, 'imported'))
    const { body } = await api.upload('big.pcapng', file)
    await until(
      () => get(`/imports/${body.id}`),
      ({ body: view }) => view.messages > 0,
    )
    const history = await api.historyPid()
    process.kill(history, 'SIGSTOP')
    t.equal((await get(`/imports/${body.id}`)).body.state, 'active')
    await api.kill()
    process.kill(history, 'SIGCONT')

    await api.start()
    const view = await untilFinished(() => get(`/imports/${body.id}`))
    t.match(view, { state: 'completed', frames: count, messages: count })
    t.equal(view.error, undefined)
    t.equal(await countMessages(get, `&capture=${body.id}`), count)
  })
})
