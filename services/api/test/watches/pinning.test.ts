import t from 'tap'
import type { CallDetail } from '@sip-capture/contract/rest/call.ts'
import type { PinnedCall } from '@sip-capture/contract/rest/watch.ts'
import { startApiUnderTest, until, type ApiUnderTest } from '../api-under-test.ts'
import { second } from '../calls/call-messages.ts'
import { nowMicros, placeCall, postWatch, readMatches, readPins, sendAny } from './watch-client.ts'

const detail = async (api: ApiUnderTest, id: string) =>
  (await api.app.inject(`/api/v1/calls/${encodeURIComponent(id)}`)).json<CallDetail>()

t.test('calls kept by hand and by a watch are there after retention, with their file', async (t) => {
  const first = await startApiUnderTest(t, { PINNED_CALLS_MAX: '2' })
  const { body: watch } = await postWatch(first, { name: 'keeps', search: 'from:700', pin: true })
  const old = nowMicros() - 2 * 86_400 * second
  await placeCall(first, { callId: 'kept/by hand', startMicros: old })
  await placeCall(first, { callId: 'let go', startMicros: old })
  await placeCall(first, { callId: 'watched', from: '700', startMicros: nowMicros() })
  const [match] = await until(
    () => readMatches(first),
    (matches) => matches.length === 1 && (matches[0]?.pinned ?? false),
  )
  t.match(match, { call: { callId: 'watched' }, watchId: watch.id, delivery: null })

  const path = `/calls/${encodeURIComponent('kept/by hand')}/pin`
  t.equal((await detail(first, 'kept/by hand')).pinned, null)
  const pinned = await sendAny(first, 'PUT', path)
  t.match(pinned, { status: 200, body: { callId: 'kept/by hand', pinnedBy: '', messages: 4 } })
  t.match((await detail(first, 'kept/by hand')).pinned, { at: pinned.body.pinnedAt, by: '' })
  t.match((await detail(first, 'watched')).pinned, { by: 'keeps' })
  t.match(await sendAny(first, 'PUT', '/calls/let%20go/pin'), {
    status: 429,
    body: { code: 'too-many-pinned-calls', message: /PINNED_CALLS_MAX/ },
  })
  t.equal((await sendAny(first, 'PUT', '/calls/nothing/pin')).status, 404)
  t.equal((await sendAny(first, 'DELETE', '/calls/let%20go/pin')).status, 404)
  await placeCall(first, { callId: 'too many', from: '700', startMicros: nowMicros() })
  const [refused] = await until(
    () => readMatches(first),
    (matches) => matches.length === 2 && matches[0]?.pinProblem !== undefined,
  )
  t.match(refused, { pinned: false, pinProblem: '2 calls are kept already (PINNED_CALLS_MAX)' })
  await until(
    () => sendAny(first, 'GET', '/calls?q=callid:"let go"'),
    ({ body }) => body.items.length === 1,
  )
  await first.close()

  const again = await startApiUnderTest(t, { DATA_DIR: first.folder, RETENTION_BYTES: '1' })
  await until(
    () => sendAny(again, 'GET', '/calls/let%20go'),
    ({ status }) => status === 404,
  )
  const pins = await readPins(again)
  t.equal(pins.max, 1000)
  t.same(
    pins.items.map(({ callId, pinnedBy }: PinnedCall) => [callId, pinnedBy]),
    [
      ['kept/by hand', ''],
      ['watched', 'keeps'],
    ],
  )
  const call = await detail(again, 'kept/by hand')
  t.equal(call.messages.length, 4)
  t.match(call, { state: 'busy', pinned: { by: '' }, findings: [{ ruleId: String }] })
  const row = pins.items[0]?.call
  t.match(row, { state: 'busy', callIds: ['kept/by hand'] })
  t.equal((await detail(again, row?.id ?? '')).messages.length, 4, 'by its own id')
  const file = await again.app.inject(`/api/v1/calls/${encodeURIComponent('kept/by hand')}/pcap`)
  t.equal(file.statusCode, 200)
  t.equal(file.rawPayload.subarray(0, 4).toString('hex'), '0a0d0d0a')
  t.ok(file.rawPayload.includes('486 Busy Here'))
  t.equal((await sendAny(again, 'DELETE', path)).status, 204)
  t.equal((await sendAny(again, 'GET', `/calls/${encodeURIComponent('kept/by hand')}`)).status, 404)
  t.equal((await readPins(again)).items.length, 1)
})
