import t from 'tap'
import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import { keys, publish, startApiUnderTest, until } from '../api-under-test.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

const start = 1_795_391_929_000_000

const path = (id: string) => `/api/v1/calls/${encodeURIComponent(id)}`

t.test('calls', async (t) => {
  const api = await startApiUnderTest(t)
  const { client } = api.redis

  t.test('a call is found by any id of any of its legs, with all legs', async (t) => {
    const leg = (
      n: number,
      callId: string,
      linkedid = '1795391929.1',
      node = 'pbx1',
    ): Extract<CallEvent, { kind: 'leg-linked' }> => ({
      v: 1,
      kind: 'leg-linked',
      node,
      atMicros: start + n,
      channel: `PJSIP/${node}-${callId}-0000000${n}`,
      uniqueid: `1795391929.${n}`,
      linkedid,
      callId,
      from: 'getvar',
      reason: '',
    })
    const { callId: _callId, from: _from, reason: _reason, ...first } = leg(1, 'x')
    const ended: CallEvent = {
      ...first,
      kind: 'leg-ended',
      cause: 16,
      causeText: 'Normal',
      techCause: '',
    }
    const legs = [leg(1, 'phone-leg'), leg(2, 'trunk-leg'), leg(3, 'other-call', '1795391929.3')]
    // The same ids on another PBX, older: somebody else's call.
    await publish(client, keys.calls, [
      { ...leg(1, 'foreign-leg', '1795391929.1', 'pbx2'), atMicros: start - 5 },
      ...legs,
      ...legs,
      ended,
    ])
    for (const callId of ['phone-leg', 'trunk-leg', 'other-call', 'foreign-leg', 'no-leg'])
      await publish(client, keys.trafficLog, [
        sipRecordOf(sipText({ callId }), { atMicros: start }),
        sipRecordOf(sipText({ callId, startLine: 'SIP/2.0 486 Busy Here' }), { atMicros: start + 10 }),
      ])
    await until(
      () => api.history.status,
      ({ counters }) => counters['stored'] === 10 && counters['callEvents'] === 8,
    )
    for (const id of [
      'phone-leg',
      'trunk-leg',
      '1795391929.1',
      '1795391929.2',
      'PJSIP/pbx1-trunk-leg-00000002',
    ]) {
      const { status, body } = await api.get(path(id))
      t.equal(status, 200, id)
      t.same(
        body.legs.map(({ callId }) => callId),
        ['phone-leg', 'trunk-leg'],
      )
      t.equal(body.messages.length, 4)
      t.same(body.legs[0]?.link, 'getvar')
    }
    t.same((await api.get(path('foreign-leg'))).body.messages.length, 2)
    const alone = (await api.get(path('no-leg'))).body
    t.same(alone.legs, [{ callId: 'no-leg', channel: null, uniqueid: null, linkedid: null, link: 'asked' }])
    t.equal(alone.state, 'busy')
    t.ok(alone.findings.length > 0)
  })

  t.test('an unknown id is nobody else’s call (C10)', async (t) => {
    for (const id of ['unknown', 'phone', 'PHONE-LEG', '%', '']) {
      const { status } = await api.get(path(id))
      t.equal(status, id === '' ? 400 : 404, id)
    }
    const { status, body } = await api.get(`${path('unknown')}/pcap`)
    t.equal(status, 404, 'and no empty file')
    t.equal(body.code, 'not-found')
  })

  t.test('hostile Call-IDs are found and name no file', async (t) => {
    const callIds = [
      '../../x',
      `a"b'c;d\\e`,
      '%00%2e%2f',
      'a\0b',
      '\u202Egpj',
      '__proto__',
      'x'.repeat(60_000),
      'a b',
      'ü?#&/',
    ]
    await publish(
      client,
      keys.trafficLog,
      callIds.map((callId, n) => sipRecordOf(sipText({ callId }), { atMicros: start + n })),
    )
    for (const callId of callIds) {
      const { body } = await until(
        () => api.get(path(callId)),
        ({ status }) => status === 200,
      )
      t.equal(body.messages[0]?.callId, callId)
      const file = await api.app.inject(`${path(callId)}/pcap`)
      t.equal(file.statusCode, 200)
      t.match(
        file.headers['content-disposition'],
        /^attachment; filename="sip-call-\d{8}T\d{6}Z-[0-9a-f]{8}\.pcapng"$/,
      )
      t.equal(file.headers['x-content-type-options'], 'nosniff')
    }
  })
})
