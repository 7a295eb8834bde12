import t from 'tap'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { runSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { startTestPbx } from '@sip-capture/infra/test-pbx/test-pbx.ts'
import { startTestRedis } from '@sip-capture/testing/test-redis.ts'
import { bridgeEnvironment, createBusReader, startTestBridge, until } from './running-bridge.ts'

t.test(
  'HEP that falls silent while Asterisk has traffic brings the history back, and HEP takes over again',
  async (t) => {
    const redis = await startTestRedis()
    const hepPort = await findFreePort()
    const pbx = await startTestPbx({ hep: { host: '127.0.0.1', port: hepPort } })
    const bus = createBusReader(redis.url)
    const bridge = await startTestBridge(
      bridgeEnvironment(pbx, redis.url, { HEP_LISTEN: `127.0.0.1:${hepPort}` }),
    )
    t.teardown(async () => {
      await bridge.close()
      bus.close()
      await Promise.all([pbx.stop(), redis.stop()])
    })
    const remote = { address: pbx.address, port: pbx.sipPort }
    let expected = 0
    const call = async () => {
      const sipp = await runSipp({
        scenario: 'answered',
        address: pbx.phoneAddress,
        remote,
        number: '600',
        holdMs: 100,
      })
      return (expected += sipp.sent + sipp.received)
    }
    const setHepAddress = async (port: number) => {
      const { appendFile } = await import('node:fs/promises')
      await appendFile(`${pbx.configFolder}/hep.conf`, `\ncapture_address=127.0.0.1:${port}\n`)
      await pbx.cli('module reload res_hep.so')
    }
    await until('it reads', () => bridge.status.state === 'up')
    await call()
    await until('HEP took over', () => bridge.status.tap === 'hep')
    await until('all of the call is there', async () => (await bus.records()).length === expected)

    await setHepAddress(await findFreePort())
    await call()
    await until(
      'the history is back, with the gap told',
      () => bridge.status.tap === 'history' && bridge.status.state === 'up' && bridge.status.gaps.length > 0,
    )
    t.match(bridge.status.tapReason, /HEP fell silent/)
    t.match(bridge.status.gaps, [{ reason: /HEP fell silent/ }], 'what was missed is said')
    const missed = expected - (await bus.records()).length
    t.ok(missed > 0)
    await call()
    await until(
      'the next call is read by history',
      async () => (await bus.records()).length === expected - missed,
    )
    t.equal((await bus.records()).at(-1)?.source, 'ami-history')

    await setHepAddress(hepPort)
    await call()
    await until('HEP took over again', () => bridge.status.tap === 'hep')
    await call()
    await until('all there, none twice', async () => (await bus.records()).length >= expected - missed)
    const records = await bus.records()
    t.equal(records.length, expected - missed)
    t.equal(records.at(-1)?.source, 'ami-hep')
    t.ok(
      records.some((record) => record.channel?.startsWith('PJSIP/phone-')),
      'HEP names the channel',
    )
  },
)

t.test('HEP of a stranger does not switch the history off', async (t) => {
  const [pbx, redis] = await Promise.all([startTestPbx(), startTestRedis()])
  const bus = createBusReader(redis.url)
  const bridge = await startTestBridge(bridgeEnvironment(pbx, redis.url))
  t.teardown(async () => {
    await bridge.close()
    bus.close()
    await Promise.all([pbx.stop(), redis.stop()])
  })
  await until('it reads', () => bridge.status.state === 'up')
  const { createSocket } = await import('node:dgram')
  const { hep3 } = await import('./taps/hep-builder.ts')
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  for (let i = 0; i < 20; i++) {
    const payload = Buffer.from(`OPTIONS sip:x SIP/2.0\r\nCall-ID: foreign-${i}\r\nCSeq: 1 OPTIONS\r\n\r\n`)
    const seconds = Math.floor(Date.now() / 1000)
    socket.send(hep3({ payload, seconds }), bridge.hepPort ?? 0, '127.0.0.1')
  }
  socket.send(Buffer.from('not HEP at all'), bridge.hepPort ?? 0, '127.0.0.1')
  await until('they came', () => bridge.status.counters['hep_received'] === 21)
  t.equal(bridge.status.counters['hep_malformed'], 1)
  const sipp = await runSipp({
    scenario: 'options',
    address: pbx.phoneAddress,
    remote: { address: pbx.address, port: pbx.sipPort },
    calls: 5,
  })
  await until('all are there', async () => (await bus.records()).length >= 20 + sipp.sent + sipp.received)
  t.equal(bridge.status.tap, 'history')
  t.equal(
    (await bus.records()).filter((record) => record.source === 'ami-history').length,
    sipp.sent + sipp.received,
  )
})

t.test(
  'an Asterisk that restarts is found again, and the history begins anew with the gap told',
  async (t) => {
    const [pbx, redis] = await Promise.all([startTestPbx(), startTestRedis()])
    const bus = createBusReader(redis.url)
    const bridge = await startTestBridge(bridgeEnvironment(pbx, redis.url))
    t.teardown(async () => {
      await bridge.close()
      bus.close()
      await Promise.all([pbx.stop(), redis.stop()])
    })
    const options = {
      scenario: 'options',
      address: pbx.phoneAddress,
      remote: { address: pbx.address, port: pbx.sipPort },
    } as const
    await until('it reads', () => bridge.status.state === 'up')
    const first = await runSipp(options)
    await until('it is there', async () => (await bus.records()).length === first.sent + first.received)
    pbx.kill('SIGKILL')
    await until('the loss is said', () => bridge.status.state === 'failed')
    t.match(bridge.status.detail, /AMI_HOST|closed the connection|reset/)
    await pbx.restart()
    await until(
      'it reads again, with the gap told',
      () => bridge.status.state === 'up' && bridge.status.gaps.length > 0,
    )
    t.match(bridge.status.gaps, [{ reason: /Asterisk was restarted/ }])
    const second = await runSipp(options)
    const expected = first.sent + first.received + second.sent + second.received
    await until('all are there', async () => (await bus.records()).length === expected)
  },
)

t.test(
  'HEP_PROVISION writes hep.conf over AMI, and HEP runs after the next restart of Asterisk',
  async (t) => {
    const [pbx, redis] = await Promise.all([startTestPbx(), startTestRedis()])
    const bus = createBusReader(redis.url)
    const bridge = await startTestBridge(
      bridgeEnvironment(pbx, redis.url, { HEP_PROVISION: 'true', HEP_PASSWORD: 'over-ami' }),
    )
    t.teardown(async () => {
      await bridge.close()
      bus.close()
      await Promise.all([pbx.stop(), redis.stop()])
    })
    await until('it says so', () =>
      bridge.status.warnings.some((warning) => /next Asterisk restart/.test(warning)),
    )
    const { readFile } = await import('node:fs/promises')
    t.match(
      await readFile(`${pbx.configFolder}/hep.conf`, 'utf8'),
      new RegExp(`capture_address\\s*=\\s*127.0.0.1:${bridge.hepPort}`),
    )
    await pbx.restart()
    await until(
      'it is up again',
      () =>
        bridge.status.state === 'up' && bridge.status.warnings.some((warning) => /and running/.test(warning)),
    )
    const sipp = await runSipp({
      scenario: 'options',
      address: pbx.phoneAddress,
      remote: { address: pbx.address, port: pbx.sipPort },
      calls: 5,
    })
    await until('HEP took over', () => bridge.status.tap === 'hep')
    const expected = sipp.sent + sipp.received
    await until('all are there', async () => (await bus.records()).length >= expected)
    t.equal((await bus.records()).length, expected)
  },
)
