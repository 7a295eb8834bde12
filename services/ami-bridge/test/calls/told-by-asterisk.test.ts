import t from 'tap'
import type { CallEvent, CallEventOf } from '@sip-capture/contract/bus/call-event.ts'
import { runSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { startTestPbx } from '@sip-capture/infra/test-pbx/test-pbx.ts'
import { startTestRedis } from '@sip-capture/testing/test-redis.ts'
import { bridgeEnvironment, createBusReader, startTestBridge, until } from '../running-bridge.ts'

t.test('what a real Asterisk tells beside its links: media, contacts, logins, conferences', async (t) => {
  const [pbx, redis] = await Promise.all([startTestPbx(), startTestRedis()])
  const bus = createBusReader(redis.url)
  const bridge = await startTestBridge(bridgeEnvironment(pbx, redis.url))
  t.teardown(async () => {
    await bridge.close()
    bus.close()
    await Promise.all([pbx.stop(), redis.stop()])
  })
  await until('it reads', () => bridge.status.state === 'up')
  const remote = { address: pbx.address, port: pbx.sipPort }
  const elsewhere = { remote, address: '127.0.0.4' }
  const told = async <K extends CallEvent['kind']>(kind: K): Promise<CallEventOf<K>[]> =>
    (await bus.calls()).filter((event): event is CallEventOf<K> => event.kind === kind)
  const becomes = <K extends CallEvent['kind']>(kind: K, fits: (event: CallEventOf<K>) => boolean) =>
    until(`${kind} is told`, async () => (await told(kind)).find(fits))

  await runSipp({ ...elsewhere, scenario: 'register', number: '6001', password: 'first-secret' })
  t.match(await becomes('contact-changed', ({ aor }) => aor === '6001'), {
    uri: /^sip:6001@127\.0\.0\.4/,
    node: 'test',
  })
  await until('the directory has the contact', async () =>
    (await bus.directories()).some(({ endpoints }) =>
      endpoints.some(({ name, contacts }) => name === '6001' && contacts.length === 1),
    ),
  )
  const contact = (await bus.directories()).at(-1)?.endpoints.find(({ name }) => name === '6001')?.contacts[0]
  t.match(contact, { aor: '6001', uri: /^sip:6001@127\.0\.0\.4/ })
  t.ok((contact?.expiresAtMicros ?? 0) > Date.now() * 1000, 'with the time it ends')

  const wrong = await runSipp({
    ...elsewhere,
    scenario: 'register-wrong-password',
    number: '6002',
    password: 'guess',
  })
  const callId = /^Call-ID: (.*?)\r$/im.exec(wrong.messages[0]?.text ?? '')?.[1]
  t.match(await becomes('security-reported', ({ account }) => account === '6002'), {
    reason: /^(?:InvalidPassword|ChallengeResponseFailed)$/,
    service: 'PJSIP',
    session: callId,
    remoteAddress: '127.0.0.4',
    transport: 'UDP',
  })

  const talk = runSipp({
    remote,
    address: pbx.phoneAddress,
    scenario: 'answered',
    number: '601',
    holdMs: 100_000,
  })
  const conference = runSipp({
    remote,
    address: pbx.phoneAddress,
    scenario: 'answered',
    number: '650',
    holdMs: 100_000,
  })
  const report = await becomes('rtcp-reported', ({ direction }) => direction === 'sent')
  t.ok((report.sentPackets ?? 0) > 0 && report.ssrc > 0)
  t.match(report, { from: 'ami', channel: /^PJSIP\/phone-/ })
  t.match(await becomes('bridge-entered', ({ creator }) => creator === 'ConfBridge'), { name: 'test' })
  await pbx.cli('channel request hangup all')
  await Promise.all([talk, conference])
  t.equal(bridge.status.counters['call_events_refused'], 0, 'all of it is in the contract')
  t.equal(bridge.status.counters['ami_suspect'], 0)
})
