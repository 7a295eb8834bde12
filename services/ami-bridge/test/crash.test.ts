import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { ensureServicesBuilt } from '@sip-capture/infra/build/services.ts'
import { serviceCommand, serviceFolder } from '@sip-capture/infra/service-command.ts'
import { runSipp, startSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { startTestPbx } from '@sip-capture/infra/test-pbx/test-pbx.ts'
import { startTestRedis } from '@sip-capture/testing/test-redis.ts'
import { bridgeEnvironment, createBusReader, until } from './running-bridge.ts'

await ensureServicesBuilt()

function spawnBridge(environment: Record<string, string>): ChildProcess {
  const [program, ...args] = serviceCommand('ami-bridge')
  return spawn(program, args, {
    cwd: serviceFolder('ami-bridge'),
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

t.test(
  'a bridge killed again and again in mid-traffic misses nothing and publishes nothing twice',
  async (t) => {
    const [pbx, redis] = await Promise.all([startTestPbx(), startTestRedis()])
    const bus = createBusReader(redis.url)
    const environment = bridgeEnvironment(pbx, redis.url)
    let child = spawnBridge(environment)
    t.teardown(async () => {
      await end(child, 'SIGTERM')
      bus.close()
      await Promise.all([pbx.stop(), redis.stop()])
    })
    await until('it reads', async () => (await bus.statuses()).at(-1)?.state === 'up')
    const live = new Map<string, number>()
    const subscriber = bus.redis.duplicate()
    t.teardown(() => subscriber.disconnect())
    await subscriber.subscribe(bus.keys.traffic)
    subscriber.on('message', (_channel, text: string) => {
      const { id } = JSON.parse(text) as { id: string }
      live.set(id, (live.get(id) ?? 0) + 1)
    })

    const trunk = await startSipp({ scenario: 'trunk', address: pbx.trunkAddress, port: pbx.trunkPort })
    const placeCalls = () =>
      runSipp({
        scenario: 'answered',
        address: pbx.phoneAddress,
        remote: { address: pbx.address, port: pbx.sipPort },
        number: '2000',
        calls: 30,
        callsPerSecond: 15,
        holdMs: 200,
      })
    // Calls of its own before each kill: however long the bridge before it took to come, there is something to read.
    const phones: ReturnType<typeof placeCalls>[] = []
    for (const kills of [1, 2, 3]) {
      const before = (await bus.records()).length
      phones.push(placeCalls())
      await until(`traffic before kill ${kills}`, async () => (await bus.records()).length > before + 60)
      await end(child, 'SIGKILL')
      child = spawnBridge(environment)
    }
    const done = await Promise.all(phones)
    const answered = await trunk.stop()
    t.same(
      done.map(({ callsOk }) => callsOk),
      [30, 30, 30],
    )
    const expected = [...done, answered].reduce((sum, { sent, received }) => sum + sent + received, 0)
    await until('all messages are on the bus', async () => (await bus.records()).length >= expected)
    const records = await bus.records()
    t.equal(records.length, expected)
    t.equal(new Set(records.map((record) => record.id)).size, expected)
    t.equal([...live.values()].filter((count) => count > 1).length, 0, 'live neither')
    t.same((await bus.statuses()).at(-1)?.gaps, [], 'and it claims no gap')
  },
)

t.test('a wrong setting ends it with code 78 and one sentence a fault', async (t) => {
  const child = spawnBridge({
    AMI_HOST: '127.0.0.1',
    AMI_PORT: '99999',
    AMI_TAP: 'magic',
    HEP_LISTEN: 'nowhere',
  })
  let text = ''
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const [code] = (await once(child, 'exit')) as [number]
  t.equal(code, 78)
  for (const setting of ['AMI_PORT', 'AMI_TAP', 'HEP_LISTEN'])
    t.match(text, new RegExp(`^ami-bridge: ${setting}: `, 'm'))
  t.notMatch(text, /\n\s+at /, 'no stack')

  const second = spawnBridge({ AMI_HOST: '127.0.0.1' })
  let missing = ''
  second.stderr?.on('data', (chunk: Buffer) => (missing += chunk.toString()))
  t.same(await once(second, 'exit').then(([exitCode]) => exitCode as number), 78)
  t.match(missing, /AMI_USERNAME: is not set.*\n.*AMI_SECRET: is not set/)
})

t.test('SIGTERM leaves Asterisk as it was: history off and empty', async (t) => {
  const [pbx, redis] = await Promise.all([startTestPbx(), startTestRedis()])
  const bus = createBusReader(redis.url)
  const child = spawnBridge(bridgeEnvironment(pbx, redis.url))
  t.teardown(async () => {
    await end(child, 'SIGKILL')
    bus.close()
    await Promise.all([pbx.stop(), redis.stop()])
  })
  await until('it reads', async () => (await bus.statuses()).at(-1)?.state === 'up')
  const options = {
    scenario: 'options',
    address: pbx.phoneAddress,
    remote: { address: pbx.address, port: pbx.sipPort },
  } as const
  const first = await runSipp(options)
  child.kill('SIGTERM')
  t.same(await once(child, 'exit'), [0, null])
  t.equal((await bus.records()).length, first.sent + first.received, 'what was there is on the bus')
  await runSipp(options)
  t.match(await pbx.cli('pjsip show history entry 0'), /does not exist/)
})
