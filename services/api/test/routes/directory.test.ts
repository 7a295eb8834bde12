import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { EndpointDirectory } from '@sip-capture/contract/bus/endpoint-directory.ts'
import { aliasesAnswer, directoryAnswer, trunkUsageAnswer } from '@sip-capture/contract/rest/directory.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { keys, publish, startApiUnderTest, until } from '../api-under-test.ts'
import { callMessages } from '../calls/call-messages.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

const directory: EndpointDirectory = {
  v: 1,
  node: 'pbx1',
  atMicros: 1_795_391_929_000_000,
  ownAddresses: [],
  endpoints: [
    {
      name: '6001',
      deviceState: 'Not in use',
      addresses: [{ address: '198.51.100.7', port: 40_001 }],
      matches: [],
      isTrunk: false,
      contacts: [
        {
          aor: '6001',
          uri: 'sip:6001@198.51.100.7:40001',
          status: 'Reachable',
          roundTripMicros: 1_234,
          userAgent: 'Phone 1',
          expiresAtMicros: 1_795_392_000_000_000,
        },
      ],
      registrations: [],
    },
    {
      name: 'acme',
      deviceState: 'Unavailable',
      addresses: [{ address: '203.0.113.9', port: 5060 }],
      matches: ['203.0.113.0/24'],
      isTrunk: true,
      contacts: [],
      registrations: [
        { name: 'acme', serverUri: 'sip:203.0.113.9', clientUri: 'sip:me@x', status: 'Rejected' },
      ],
    },
  ],
}

t.test('directory', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-aliases-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'aliases.json')
  await writeFile(file, JSON.stringify({ '203.0.113.9': 'Acme SBC', '2001': 'Sales' }))
  const api = await startApiUnderTest(t, { ALIASES_FILE: file })
  await publish(api.redis.client, keys.endpoints, [directory])
  const read = async (path: string) => directoryAnswer.parse((await api.get(`/api/v1${path}`)).body).items

  const nameOf = async (callId: string) => {
    await publish(api.redis.client, keys.trafficLog, [
      sipRecordOf(sipText({ callId }), { node: 'pbx1', src: { address: '203.0.113.9', port: 5060 } }),
    ])
    const { items } = (
      await until(
        () => api.get(`/api/v1/messages?callId=${callId}`),
        ({ body }) => body.items?.length === 1,
      )
    ).body
    return { name: items[0]?.src.name, trunk: items[0]?.trunk }
  }
  const aliases = async () => aliasesAnswer.parse((await api.get('/api/v1/aliases')).body)

  await t.test('endpoints and trunks with what Asterisk knows of them', async (t) => {
    const items = await until(
      () => read('/endpoints'),
      (found) => found.length === 2,
    )
    t.match(items, [
      {
        name: '6001',
        kind: 'endpoint',
        deviceState: 'Not in use',
        registration: null,
        roundTripMicros: 1_234,
      },
      {
        name: 'acme',
        kind: 'trunk',
        registration: 'unregistered',
        roundTripMicros: null,
        addresses: [{ address: '203.0.113.9', port: 5060, name: 'Acme SBC' }],
      },
    ])
    t.equal(items[0]?.contacts[0]?.expiresAt, '2026-11-23T00:00:00.000000Z')
    t.same(
      (await read('/trunks')).map(({ name }) => name),
      ['acme'],
    )
    t.same(
      (await read('/endpoints?kind=endpoint')).map(({ name }) => name),
      ['6001'],
    )
    t.same(await read('/endpoints?node=elsewhere'), [])
    t.equal((await api.get('/api/v1/endpoints?kind=phone')).status, 400)
  })

  const usage = async (query = '') =>
    trunkUsageAnswer.parse((await api.get(`/api/v1/trunks/usage${query}`)).body).items
  await t.test('who had calls with which trunk', async (t) => {
    const startMicros = nowMicros() - 60_000_000
    const linked = (callId: string, endpoint: string) => ({
      v: 1,
      kind: 'leg-linked',
      node: 'pbx1',
      atMicros: startMicros,
      channel: `PJSIP/${endpoint}-00000001`,
      uniqueid: `u-${callId}`,
      linkedid: 'L1',
      callId,
      from: 'getvar',
      reason: '',
    })
    let again = 0
    // History looks into the directory for itself, every two seconds: a leg that came before has no name.
    const items = await until(
      async () => {
        const final = [90 + (again += 1), 486, 'Busy Here'] as const
        const phone = { address: '198.51.100.7', port: 40_001 }
        await publish(api.redis.client, keys.trafficLog, [
          ...callMessages({ callId: `phone-${again}`, startMicros, final }).map((record) => ({
            ...record,
            ...(record.direction === 'in' ? { src: phone } : { dst: phone }),
          })),
          ...callMessages({ callId: `acme-${again}`, startMicros, leg: 'trunk', final }),
        ])
        await publish(api.redis.client, keys.calls, [
          linked(`phone-${again}`, '6001'),
          linked(`acme-${again}`, 'acme'),
        ])
        await pause(200)
        return usage()
      },
      (found) => found.some(({ endpoint }) => endpoint === '6001'),
    )
    t.match(
      items.find(({ endpoint }) => endpoint === '6001'),
      { node: 'pbx1', trunk: 'acme', calls: 1, answered: 0 },
    )
    t.same(await usage(`?since=${nowMicros()}`), [])
  })

  await t.test(
    'an address shows by the user’s name, by the new one when the file changes, and a wrong file stops nothing',
    async (t) => {
      let count = 0
      // History looks for itself, every two seconds.
      const becomes = (name: string) =>
        until(
          () => nameOf(`call-${(count += 1)}`),
          (shown) => shown.name === name && shown.trunk === 'acme',
        )
      await becomes('Acme SBC')
      t.same(await aliases(), {
        addresses: [{ address: '203.0.113.9', name: 'Acme SBC' }],
        numbers: [{ number: '2001', name: 'Sales' }],
      })
      await writeFile(file, JSON.stringify({ '203.0.113.0/24': 'Acme Telecom' }))
      await until(aliases, ({ addresses }) => addresses[0]?.name === 'Acme Telecom')
      await becomes('Acme Telecom')
      await writeFile(file, '{"203.0.113.0/24": ')
      await becomes('Acme Telecom')
      await writeFile(file, JSON.stringify({ '203.0.113.9': 'Acme again' }))
      await becomes('Acme again')
    },
  )
})
