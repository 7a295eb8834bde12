import t from 'tap'
import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { startApiUnderTest, until } from '../api-under-test.ts'
import { call, finished, upload } from '../jobs/job-client.ts'
import { callMessages } from './call-messages.ts'

const start = 1_600_000_000_000_000

t.test('an imported file has a call log of its own, which goes with it', async (t) => {
  const writer = createPcapngWriter({ application: 'test' })
  const blocks = callMessages({
    callId: 'old',
    startMicros: start,
    ringing: 50,
    final: [100, 486, 'Busy Here'],
  }).map(({ src, dst, payload, atMicros }) => {
    const bytes = buildUdpFrame({ linkType: linkTypes.ethernet, src, dst, payload, ipId: 1 })
    return writer.packet({
      linkType: linkTypes.ethernet,
      atMicros,
      nanos: 0,
      bytes,
      originalLength: bytes.length,
      interfaceName: 'eth0',
    })
  })
  const api = await startApiUnderTest(t)
  const { body } = await upload(api, 'old.pcapng', Buffer.concat([writer.header, ...blocks]))
  t.match(await finished(api, `/imports/${body.id}`), { state: 'completed', messages: 5 })
  const list = async (words: string) =>
    (await api.app.inject(`/api/v1/calls?${words}`)).json<{ items: CallRow[] }>().items
  const [row] = await until(
    () => list(`capture=${body.id}`),
    (rows) => rows.length === 1,
  )
  t.match(row, {
    capture: body.id,
    callIds: ['old'],
    state: 'busy',
    startedAt: '2020-09-13T12:26:40.000000Z',
  })
  t.same(await list(''), [], 'not in the live log')
  const detail = await api.app.inject(`/api/v1/calls/${row?.id}`)
  t.equal(
    detail.json<{ messages: unknown[] }>().messages.length,
    5,
    'its id opens it without naming the capture',
  )
  t.equal((await call(api, 'DELETE', `/imports/${body.id}`)).status, 204)
  await until(
    () => list(`capture=${body.id}`),
    (rows) => rows.length === 0,
  )
  t.pass()
})
