import { readdir } from 'node:fs/promises'
import t from 'tap'
import { until } from '../api-under-test.ts'
import { createApiProcess, exportsOf, orderHeldExports, uploadHeld } from './api-process.ts'
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
      const [kept = '', unwanted = ''] = await orderHeldExports([{ format: 'pcap' }, { format: 'pcap' }], {
        ask: (...asked) => api.call(...asked),
        exportDir: exports,
        historyPid: history,
      })
      await until(
        () => get(`/exports/${unwanted}`),
        ({ body }) => body.state === 'active',
      )
      t.equal((await get(`/exports/${kept}/file`)).status, 404)
      await api.kill()
      t.ok((await readdir(exports)).length > 0)
      process.kill(history, 'SIGCONT')
      t.same(
        (await readdir(exports)).filter((name) => !name.endsWith('.part')),
        [],
        'no half file under the name of the whole',
      )

      await api.start()
      t.equal((await api.call('DELETE', `/exports/${unwanted}`)).status, 204)
      const offered = new Set<string>()
      const view = await untilFinished(async () => {
        const { status, raw } = await get(`/exports/${kept}/file`)
        if (status === 200) offered.add(String(await countPackets(api.folder, raw)))
        return await get(`/exports/${kept}`)
      })
      t.match(view, { state: 'completed', messages: count })
      const { raw } = await get(`/exports/${kept}/file`)
      t.equal(await countPackets(api.folder, raw), count, 'as many as REST lists')
      offered.delete(String(count))
      t.same([...offered], [], 'and never another number')
      t.equal((await get(`/exports/${unwanted}`)).body.state, 'cancelled')
      await until(
        () => readdir(exports),
        (names) => names.length === 1,
      )
      t.same(await readdir(exports), [`${kept}.pcap`], 'nothing is left of the cancelled one')
    },
  )

  t.test('in mid-import: after the next start every message is there once', async (t) => {
    const file = toCaptureFile(wireRecords(count, 'imported'))
    const history = await api.historyPid()
    const id = await uploadHeld(() => api.upload('big.pcapng', file), {
      ask: (...asked) => api.call(...asked),
      historyPid: history,
    })
    t.equal((await get(`/imports/${id}`)).body.state, 'active')
    await api.kill()
    process.kill(history, 'SIGCONT')

    await api.start()
    const view = await untilFinished(() => get(`/imports/${id}`))
    t.match(view, { state: 'completed', frames: count, messages: count })
    t.equal(view.error, undefined)
    t.equal(await countMessages(get, `&capture=${id}`), count)
  })
})
