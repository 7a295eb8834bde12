import t from 'tap'
import { runSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { startTestPbx } from '@sip-capture/infra/test-pbx/test-pbx.ts'
import { startTestRedis } from '@sip-capture/testing/test-redis.ts'
import { bridgeEnvironment, createBusReader, startTestBridge, until } from './running-bridge.ts'

t.test('Redis killed in mid-traffic: what passed meanwhile arrives when it is back, once', async (t) => {
  const [pbx, redis] = await Promise.all([startTestPbx(), startTestRedis()])
  const bus = createBusReader(redis.url)
  const bridge = await startTestBridge(bridgeEnvironment(pbx, redis.url))
  bus.redis.on('error', () => {})
  t.teardown(async () => {
    await bridge.close()
    bus.close()
    await Promise.all([pbx.stop(), redis.stop()])
  })
  const call = () =>
    runSipp({
      scenario: 'options',
      address: pbx.phoneAddress,
      remote: { address: pbx.address, port: pbx.sipPort },
      calls: 20,
    })
  await until('it reads', () => bridge.status.state === 'up')
  // Else Redis may say that it has what it has not written to its file yet, and is killed then.
  await bus.redis.config('SET', 'appendfsync', 'always')
  const first = await call()
  await until('they are there', async () => (await bus.records()).length === first.sent + first.received)
  await redis.kill()
  const second = await call()
  await until('they wait', () => (bridge.status.counters['buffered'] ?? 0) >= second.sent + second.received)
  await until('the alarm', () => bridge.status.state === 'degraded')
  t.match(bridge.status, { state: 'degraded', detail: /REDIS_URL/ })
  await redis.start()
  const expected = first.sent + first.received + second.sent + second.received
  const idsOnBus = async () => new Set((await bus.records().catch(() => [])).map(({ id }) => id))
  await until('all are there', async () => (await idsOnBus()).size >= expected)
  t.equal((await idsOnBus()).size, expected)
  t.equal(bridge.status.counters['dropped'], 0)
  await until('it is up again', () => bridge.status.state === 'up')
})

t.test('Redis that takes no writes is an alarm, though live still flows', async (t) => {
  const [pbx, redis] = await Promise.all([startTestPbx(), startTestRedis()])
  const bus = createBusReader(redis.url)
  const bridge = await startTestBridge(bridgeEnvironment(pbx, redis.url))
  t.teardown(async () => {
    await bus.redis.config('SET', 'maxmemory', '0')
    await bridge.close()
    bus.close()
    await Promise.all([pbx.stop(), redis.stop()])
  })
  await until('it reads', () => bridge.status.state === 'up')
  const live: string[] = []
  const subscriber = bus.redis.duplicate()
  t.teardown(() => subscriber.disconnect())
  await subscriber.subscribe(bus.keys.traffic)
  subscriber.on('message', (_channel, text: string) => live.push(text))
  await bus.redis.config('SET', 'maxmemory', '1')
  const sipp = await runSipp({
    scenario: 'options',
    address: pbx.phoneAddress,
    remote: { address: pbx.address, port: pbx.sipPort },
  })
  await until('live has it', () => live.length === sipp.sent + sipp.received)
  await until('the alarm', () => bridge.status.state === 'degraded')
  t.match(bridge.status.detail, /does not take what is written: .*OOM/)
  t.ok((bridge.status.counters['write_failed'] ?? 0) > 0)
  await bus.redis.config('SET', 'maxmemory', '0')
  await until(
    'it is written after all',
    async () => (await bus.records()).length === sipp.sent + sipp.received,
  )
  await until('the alarm is off', () => bridge.status.state === 'up')
})
