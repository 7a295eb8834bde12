import t from 'tap'
import type { CallEvent, CallEventOf } from '@sip-capture/contract/bus/call-event.ts'
import { loggedCallDetail as callDetail } from '@sip-capture/contract/rest/call-log.ts'
import { callQuality } from '@sip-capture/contract/rest/quality.ts'
import { keys, publish, startApiUnderTest, until } from '../api-under-test.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

const start = 1_795_391_929_000_000
const second = 1_000_000
const channel = 'PJSIP/phone-00000001'
const head = { v: 1 as const, node: 'pbx1', channel, uniqueid: 'u1', linkedid: 'L1' }

const linked = (callId: string, uniqueid: string): CallEvent => ({
  ...head,
  kind: 'leg-linked',
  atMicros: start,
  uniqueid,
  callId,
  from: 'getvar',
  reason: '',
})

const report = (at: number, more: Partial<CallEventOf<'rtcp-reported'>>): CallEventOf<'rtcp-reported'> => ({
  ...head,
  kind: 'rtcp-reported',
  atMicros: start + at * second,
  from: 'ami',
  direction: 'sent',
  ssrc: 1,
  aboutSsrc: 2,
  jitter: 80,
  fractionLost: 0,
  cumulativeLost: 0,
  ...more,
})

const sdp = (...media: string[]) =>
  ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...media, ''].join('\r\n')
const speech = ['m=audio 4000 RTP/AVP 8 101', 'a=rtpmap:101 telephone-event/8000']

const answered = (callId: string, body: string) =>
  sipRecordOf(
    sipText({ callId, startLine: 'SIP/2.0 200 OK', extra: ['Content-Type: application/sdp'], body }),
    { atMicros: start },
  )

/** Legs may come between the two questions that an answer is made of: its streams are of no leg that it knows then. */
const isLinked = ({ callId }: { callId: string | null }): boolean => callId !== null

t.test('quality of a call', async (t) => {
  const api = await startApiUnderTest(t)
  const { client } = api.redis
  const quality = async (id: string) => callQuality.parse((await api.get(`/api/v1/calls/${id}/quality`)).body)

  await publish(client, keys.trafficLog, [
    answered('clean', sdp(...speech)),
    answered('wide', sdp('m=audio 4000 RTP/AVP 9')),
    answered('video', sdp(...speech, 'm=video 4002 RTP/AVP 96', 'a=rtpmap:96 H264/90000')),
    answered('silent', sdp(...speech)),
  ])
  await publish(client, keys.calls, [
    linked('clean', 'u1'),
    linked('silent', 'u4'),
    { ...linked('wide', 'u2'), linkedid: 'L2' },
    { ...linked('video', 'u3'), linkedid: 'L3' },
    report(5, { direction: 'received', ssrc: 2, aboutSsrc: 1, roundTripMicros: 80_000, jitter: 0 }),
    report(10, {}),
    report(15, { fractionLost: 128, cumulativeLost: 125, jitter: 240 }),
    { ...report(5, {}), uniqueid: 'u2', linkedid: 'L2' },
    { ...report(5, {}), uniqueid: 'u3', linkedid: 'L3' },
    ...Array.from({ length: 1_000 }, (_, n) => ({
      ...report(20 + n, { aboutSsrc: 77, fractionLost: n === 501 ? 64 : 0 }),
      uniqueid: 'u3',
      linkedid: 'L3',
    })),
  ])
  await until(
    () => api.get('/api/v1/messages?callId=clean&callId=silent&callId=wide&callId=video'),
    ({ body }) => body.items.length === 4,
  )
  const { streams } = await until(
    () => quality('clean'),
    (found) => found.streams.length === 2 && found.streams.every(isLinked),
  )
  const received = streams.find(({ direction }) => direction === 'received')
  const sent = streams.find(({ direction }) => direction === 'sent')

  t.match(received, {
    callId: 'clean',
    codec: 'PCMA',
    clockRate: 8_000,
    ssrc: 2,
    reports: 2,
    lostPackets: 125,
    jitterMillis: { mean: 20, max: 30 },
    lossPercent: { mean: 25, max: 50 },
    roundTripMillis: { mean: 80, max: 80 },
    noMos: '',
  })
  t.match(
    received?.points.map(({ jitterMillis, lossPercent }) => ({ jitterMillis, lossPercent })),
    [
      { jitterMillis: 10, lossPercent: 0 },
      { jitterMillis: 30, lossPercent: 50 },
    ],
  )
  // R = 93.2 − 0.024·(40 + 20 + 20) for the first; half of all lost is hardly understood.
  const [good, bad] = received?.points ?? []
  t.ok((good?.mos ?? 0) > 4.3 && (bad?.mos ?? 5) < 2)
  t.match(sent, { direction: 'sent', ssrc: 1, reports: 1, lossPercent: { mean: 0, max: 0 } })

  const wide = await until(
    () => quality('wide'),
    (found) => found.streams.length === 1 && found.streams.every(isLinked),
  )
  t.match(wide.streams, [
    { codec: 'G722', mos: null, noMos: /no figures for G722/, jitterMillis: { mean: 10 } },
  ])

  const video = await until(
    () => quality('video'),
    (found) => found.streams.some(({ reports }) => reports === 1_000),
  )
  const long = video.streams.find(({ ssrc }) => ssrc === 77)
  t.match(
    long,
    { codec: null, jitterMillis: null, mos: null, noMos: /codec of this stream is not known/ },
    'which of two media a report is about, RTCP does not say',
  )
  t.ok((long?.points.length ?? 0) <= 300)
  t.equal(
    long?.points.filter(({ lossPercent }) => lossPercent === 25).length,
    1,
    'a short burst of loss stays visible',
  )

  t.match(await quality('silent'), { truncated: false })
  t.equal((await api.get('/api/v1/calls/nobody/quality')).status, 404)
  t.same(
    await quality(`clean`).then(({ streams: all }) => all.map(({ uniqueid }) => uniqueid)),
    ['u1', 'u1'],
    'no other call’s streams',
  )
})

const ofLeg = (uniqueid: string) => ({ uniqueid, linkedid: `L-${uniqueid}` })

t.test('the verdict of a call says what RTCP told of its media', async (t) => {
  const api = await startApiUnderTest(t)
  const { client } = api.redis
  const reports = (uniqueid: string, fractionLost: number) =>
    [5, 10, 15, 20].map((at) => ({ ...report(at, { fractionLost }), ...ofLeg(uniqueid) }))
  await publish(client, keys.trafficLog, [
    answered('lossy', sdp(...speech)),
    answered('clear', sdp(...speech)),
  ])
  await publish(client, keys.calls, [
    { ...linked('lossy', 'u1'), ...ofLeg('u1') },
    { ...linked('clear', 'u2'), ...ofLeg('u2') },
    ...reports('u1', 26),
    ...reports('u2', 1),
  ])
  await until(
    () => api.get('/api/v1/messages?callId=lossy&callId=clear'),
    ({ body }) => body.items.length === 2,
  )
  const findings = async (callId: string) =>
    callDetail.parse((await api.get(`/api/v1/calls/${callId}`)).body).findings
  for (const callId of ['lossy', 'clear'])
    await until(
      async () => callQuality.parse((await api.get(`/api/v1/calls/${callId}/quality`)).body),
      ({ streams }) => streams[0]?.reports === 4,
    )
  const said = (await findings('lossy')).find(({ ruleId }) => ruleId === 'M08-poor-media')
  t.match(said, {
    severity: 'warning',
    sentence: /to Asterisk 10\.2 % of the packets were lost, as RTCP told on average \(4 reports\)\.$/,
  })
  t.notOk(
    (await findings('clear')).some(({ ruleId }) => ruleId === 'M08-poor-media'),
    'twin: a good line',
  )
})
