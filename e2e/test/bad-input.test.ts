import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { StackError, startStack, type StackOptions } from '@sip-capture/infra/stack.ts'
import { Redis } from 'ioredis'
import { startSystem, until, type System } from '../system.ts'

t.setTimeout(1_800_000)

/** Waits until the source says it failed and gives its sentence; the service must not have been restarted. */
async function failure(t: Test, system: System, kind: 'ami' | 'wire'): Promise<string> {
  let detail = ''
  await until(async () => {
    const item = (await system.sources()).items.find((one) => one.kind === kind)
    detail = item?.detail ?? ''
    return item?.state === 'failed'
  }, `${kind} to say that it failed`)
  const name = kind === 'ami' ? 'ami-bridge' : 'capture-sidecar'
  t.equal(system.stack.service(name).starts, 1, `${name} was not restarted`)
  t.notMatch(detail, /\n/, 'one sentence')
  return detail
}

t.test('a wrong AMI password names AMI_SECRET', async (t) => {
  const system = await startSystem(t, {
    services: ['ami-bridge', 'api'],
    env: { AMI_SECRET: 'not-the-secret' },
    expectFailure: true,
  })
  t.match(await failure(t, system, 'ami'), /AMI_SECRET/)
})

t.test('an AMI that nobody listens on names AMI_HOST and AMI_PORT', async (t) => {
  const system = await startSystem(t, {
    services: ['ami-bridge', 'api'],
    env: { AMI_PORT: String(await findFreePort()) },
    expectFailure: true,
  })
  t.match(await failure(t, system, 'ami'), /AMI_(HOST|PORT)/)
})

t.test('tshark that is not there names TSHARK_COMMAND', async (t) => {
  const system = await startSystem(t, {
    wire: true,
    services: ['capture-sidecar', 'api'],
    env: { TSHARK_COMMAND: '/nowhere/tshark' },
    expectFailure: true,
  })
  t.match(await failure(t, system, 'wire'), /TSHARK_COMMAND/)
})

t.test('tshark that may not capture says what it lacks', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-nobody-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const command = join(folder, 'tshark')
  // The real tshark without any right: what a service user without CAP_NET_RAW meets.
  await writeFile(
    command,
    '#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all tshark "$@"\n',
  )
  await chmod(command, 0o755)
  await chmod(folder, 0o755)
  const system = await startSystem(t, {
    wire: true,
    services: ['capture-sidecar', 'api'],
    env: { TSHARK_COMMAND: command },
    expectFailure: true,
  })
  t.match(await failure(t, system, 'wire'), /permi|CAP_NET_RAW/i)
})

t.test('a filter that is none names TSHARK_FILTER', async (t) => {
  const system = await startSystem(t, {
    wire: true,
    services: ['capture-sidecar', 'api'],
    env: { TSHARK_FILTER: 'udp prot 5060' },
    expectFailure: true,
  })
  t.match(await failure(t, system, 'wire'), /TSHARK_FILTER/)
})

async function stackFault(t: Test, options: Omit<StackOptions, 'dataDir'>): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sip-capture-bad-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const stack = await startStack({ freePorts: true, dataDir, ...options })
  t.teardown(() => stack.stop())
  const error: unknown = await stack.ready().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof StackError)) throw new Error('it started', { cause: error })
  for (const name of options.services ?? [])
    t.equal(stack.service(name).starts, 1, `${name} is not tried again`)
  return error.message
}

t.test('a port in use names its setting', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const port = String((server.address() as AddressInfo).port)
  t.match(await stackFault(t, { services: ['api'], env: { API_PORT: port } }), /API_PORT.*in use/)
  t.match(await stackFault(t, { services: ['ui'], env: { UI_PORT: port } }), /UI_PORT.*in use/)
})

t.test('settings that are wrong are all named at once', async (t) => {
  const message = await stackFault(t, {
    services: ['api'],
    env: { RETENTION_DAYS: 'soon', LOG_LEVEL: 'loud' },
  })
  t.match(message, /RETENTION_DAYS/)
  t.match(message, /LOG_LEVEL/)
})

t.test('without Redis every service says REDIS_URL, waits, and works when it comes', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sip-capture-bad-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const said = new Map<string, string>()
  const stack = await startStack({
    dataDir,
    freePorts: true,
    services: ['ami-bridge', 'capture-sidecar', 'api'],
    env: { REDIS_URL: `redis://127.0.0.1:${await findFreePort()}` },
    onLine: (service, line) => said.set(service, (said.get(service) ?? '') + line),
  })
  t.teardown(() => stack.stop())
  for (const name of ['ami-bridge', 'capture-sidecar', 'api'] as const)
    await until(() => /REDIS_URL/.test(said.get(name) ?? ''), `${name} to name REDIS_URL`)
  await until(
    async () => (await fetch(`${stack.apiUrl}/healthz`).catch(() => undefined))?.ok === true,
    'the API',
  )
  const ready = await fetch(`${stack.apiUrl}/readyz`)
  t.equal(ready.status, 503)
  t.match(await ready.text(), /REDIS_URL/)
  for (const name of ['ami-bridge', 'capture-sidecar', 'api'] as const) t.equal(stack.service(name).starts, 1)
})

t.test('a wrong request is refused by name, and garbage on the bus hurts nobody', async (t) => {
  const system = await startSystem(t, { services: ['ami-bridge', 'api'], env: {} })
  const unknown = await system.get('/api/v1/messages?metod=INVITE')
  t.equal(unknown.status, 400)
  t.match(await unknown.json(), { message: /metod/ })
  for (const query of [
    'limit=1e9',
    'limit=0',
    'since=yesterday',
    'until=9e15',
    'status=errors',
    'order=up',
    'cursor=x',
  ])
    t.equal((await system.get(`/api/v1/messages?${query}`)).status, 400, query)

  const keys = createBusKeys()
  const redis = new Redis(system.stack.redisUrl)
  t.teardown(() => redis.disconnect())
  for (const key of [keys.trafficLog, keys.capture, keys.calls, keys.sources, keys.endpoints]) {
    await redis.xadd(key, '*', 'v', '1', 'b', 'garbage')
    await redis.xadd(key, '*', 'nothing', 'known')
  }
  await redis.publish(keys.traffic, '{"v":1,"id":"<script>"}')
  await redis.publish(keys.traffic, 'not json \u0000')
  await until(async () => (await redis.xlen(keys.deadLetter)) >= 4, 'the garbage to be put aside')
  t.equal((await system.get('/api/v1/messages')).status, 200)
  t.equal(system.stack.service('api').starts, 1)
  await until(async () => (await system.sources()).api.backlog === 0, 'nothing to be left waiting')
})
