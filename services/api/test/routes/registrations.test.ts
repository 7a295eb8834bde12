import t from 'tap'
import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import type { EndpointDirectory } from '@sip-capture/contract/bus/endpoint-directory.ts'
import { registrationDetail, registrationsAnswer } from '@sip-capture/contract/rest/registration.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { keys, publish, startApiUnderTest, until } from '../api-under-test.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

const second = 1_000_000
const now = nowMicros()
const phone = { address: '198.51.100.7', port: 5060 }
const pbx = { address: '192.0.2.1', port: 5060 }

interface Said {
  readonly user: string
  readonly secondsAgo: number
  readonly callId?: string
  readonly cseq?: number
  readonly extra?: readonly string[]
  readonly client?: typeof phone
  readonly lifetime?: number
}

const request = ({ user, secondsAgo, callId = `reg-${user}`, cseq = 1, extra = [], client = phone }: Said) =>
  sipRecordOf(
    sipText({
      startLine: 'REGISTER sip:pbx.example SIP/2.0',
      callId,
      cseq: `${cseq} REGISTER`,
      branch: `z9hG4bK-${callId}-${cseq}`,
      from: `<sip:${user}@pbx.example>;tag=1`,
      to: `<sip:${user}@pbx.example:5060>`,
      extra: [`Contact: <sip:${user}@${client.address}:${client.port}>`, 'Expires: 100', ...extra],
    }),
    { atMicros: now - secondsAgo * second, src: client, dst: pbx, direction: 'in' },
  )

const answer = (line: string, said: Said) => {
  const { user, secondsAgo, callId = `reg-${user}`, cseq = 1, extra = [], client = phone } = said
  return sipRecordOf(
    sipText({
      startLine: `SIP/2.0 ${line}`,
      callId,
      cseq: `${cseq} REGISTER`,
      branch: `z9hG4bK-${callId}-${cseq}`,
      from: `<sip:${user}@pbx.example>;tag=1`,
      to: `<sip:${user}@pbx.example:5060>;tag=2`,
      extra,
    }),
    { atMicros: now - secondsAgo * second + 10_000, src: pbx, dst: client, direction: 'out' },
  )
}

const granted = (said: Said) => {
  const client = said.client ?? phone
  const contact = `Contact: <sip:${said.user}@${client.address}:${client.port}>;expires=${said.lifetime ?? 100}`
  return [request(said), answer('200 OK', { ...said, extra: [contact] })]
}

const credentials = 'Authorization: Digest username="x", realm="r", nonce="n", uri="sip:pbx", response="0"'
const challenge = 'WWW-Authenticate: Digest realm="r", nonce="n"'

const directory: EndpointDirectory = {
  v: 1,
  node: 'pbx1',
  atMicros: now - 50 * second,
  ownAddresses: [],
  endpoints: [
    {
      name: 'desk-6001',
      deviceState: 'Not in use',
      addresses: [],
      matches: [],
      isTrunk: false,
      contacts: [
        {
          aor: '6001',
          uri: 'sip:6001@198.51.100.7:5060',
          status: 'Reachable',
          roundTripMicros: 4_200,
          userAgent: '',
          expiresAtMicros: null,
        },
      ],
      registrations: [],
    },
    {
      name: '6004',
      deviceState: 'Unavailable',
      addresses: [],
      matches: [],
      isTrunk: false,
      contacts: [
        {
          aor: '6004',
          uri: 'sip:6004@198.51.100.7:5060',
          status: 'NonQualified',
          roundTripMicros: null,
          userAgent: '',
          expiresAtMicros: now - second,
        },
      ],
      registrations: [],
    },
    {
      name: 'acme',
      deviceState: 'Unavailable',
      addresses: [],
      matches: [],
      isTrunk: true,
      contacts: [],
      registrations: [
        { name: 'acme', serverUri: 'sip:203.0.113.9', clientUri: 'sip:us@acme.example', status: 'Rejected' },
      ],
    },
  ],
}

const event = (more: Partial<CallEvent>) => ({ v: 1, node: 'pbx1', ...more })

t.test('registrations', async (t) => {
  const api = await startApiUnderTest(t)
  const { client } = api.redis
  const list = async (query = '') =>
    registrationsAnswer.parse((await api.get(`/api/v1/registrations${query}`)).body).items
  const detail = async (aor: string, query = '') =>
    registrationDetail.parse((await api.get(`/api/v1/registrations/${encodeURIComponent(aor)}${query}`)).body)

  await publish(client, keys.endpoints, [directory])
  await publish(client, keys.calls, [
    event({
      kind: 'security-reported',
      atMicros: now - 29 * second,
      reason: 'InvalidPassword',
      service: 'PJSIP',
      account: '6002',
      session: 'reg-6002',
      remoteAddress: phone.address,
      remotePort: phone.port,
      transport: 'UDP',
      acl: '',
    }),
    ...[200, 150, 100].map((secondsAgo) =>
      event({
        kind: 'contact-changed',
        atMicros: now - secondsAgo * second,
        endpoint: '6005',
        aor: '6005',
        uri: 'sip:6005@198.51.100.9',
        status: 'Unreachable',
        userAgent: '',
      }),
    ),
  ])
  const messages = [
    ...granted({ user: '6001', secondsAgo: 20, lifetime: 3_000 }),
    request({ user: '6002', secondsAgo: 30 }),
    answer('401 Unauthorized', { user: '6002', secondsAgo: 30, extra: [challenge] }),
    request({ user: '6002', secondsAgo: 29, cseq: 2, extra: [credentials] }),
    answer('401 Unauthorized', { user: '6002', secondsAgo: 29, cseq: 2, extra: [challenge] }),
    // A tenth of its time is left from now until a quarter of an hour from now.
    ...granted({ user: '6003', secondsAgo: 9_050, lifetime: 10_000 }),
    ...granted({ user: '6004', secondsAgo: 400 }),
    ...granted({ user: '6005', secondsAgo: 60, lifetime: 3_000 }),
    ...granted({
      user: '6005',
      secondsAgo: 50,
      cseq: 2,
      client: { address: '203.0.113.4', port: 7000 },
      lifetime: 3_000,
    }),
    sipRecordOf(sipText({ callId: 'a-call' })),
  ]
  await publish(client, keys.trafficLog, messages)
  // What Asterisk told comes by another stream than the messages.
  await until(
    () => api.history.status,
    ({ counters }) => counters['stored'] === messages.length && counters['callEvents'] === 4,
  )
  const found = await until(
    list,
    (items) => items.length === 6 && items.some(({ endpoint }) => endpoint === 'acme'),
  )
  const of = (aor: string) => found.find((row) => row.aor === `${aor}@pbx.example`)

  t.match(of('6001'), {
    state: 'registered',
    direction: 'in',
    endpoint: 'desk-6001',
    isExpiring: false,
    refusal: null,
    contacts: [
      { uri: 'sip:6001@198.51.100.7:5060', client: phone, status: 'Reachable', roundTripMicros: 4_200 },
    ],
  })
  t.match(of('6002'), {
    state: 'refused',
    refusal: { status: 401, count: 1, why: 'Asterisk says that the password is wrong', callId: 'reg-6002' },
  })
  t.match(of('6003'), { state: 'registered', isExpiring: true })
  t.match(of('6004'), { state: 'expired', contacts: [], expiresAt: null })
  t.match(of('6005'), { state: 'registered', isFlapping: true, recentChanges: 4 })
  t.match(
    found.find(({ endpoint }) => endpoint === 'acme'),
    { aor: 'us@acme.example', direction: 'out', state: 'refused', outboundStatus: 'Rejected' },
    'what only Asterisk knows is there too',
  )
  t.equal(found[0]?.state, 'refused', 'the worst first')
  t.same(
    (await list('?only=flapping')).map(({ aor }) => aor),
    ['6005@pbx.example'],
  )
  t.same(
    (await list('?only=expiring')).map(({ aor }) => aor),
    ['6003@pbx.example'],
  )
  t.same(
    (await list('?text=DESK')).map(({ aor }) => aor),
    ['6001@pbx.example'],
  )
  t.equal((await api.get('/api/v1/registrations?only=all')).status, 400)

  const refused = await detail('6002@pbx.example')
  t.same(
    refused.steps
      .map((step) => (step.kind === 'message' ? String(step.status ?? 'REGISTER') : step.kind))
      .toSorted((a, b) => a.localeCompare(b)),
    ['401', '401', 'asterisk', 'REGISTER', 'REGISTER'],
  )
  t.ok(
    refused.findings.some(({ severity }) => severity === 'error'),
    'the verdict says it too',
  )
  const moved = await detail('6005@pbx.example')
  t.match(
    moved.steps.filter(({ kind }) => kind === 'change'),
    [{ change: 'moved', to: /203\.0\.113\.4:7000$/ }],
  )
  t.equal(moved.steps.filter(({ kind }) => kind === 'asterisk').length, 3)
  t.match((await detail('6004@pbx.example')).steps.at(-1), { kind: 'change', change: 'expired' })
  const short = await detail('6005@pbx.example', '?limit=2')
  t.equal(short.truncated, true)
  t.equal(short.steps.filter(({ kind }) => kind === 'message').length, 2)
  t.equal((await api.get('/api/v1/registrations/nobody%40nowhere')).status, 404)
  t.equal((await api.get('/api/v1/registrations/6001%40pbx.example?since=yesterday')).status, 400)

  const before = `?until=${now - 9_100 * second}`
  t.match(
    (await list(before)).find(({ aor }) => aor.startsWith('6003')),
    undefined,
    'a look back does not know what came later',
  )
})
