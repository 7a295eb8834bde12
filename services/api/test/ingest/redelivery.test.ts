import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { ensureServicesBuilt } from '@sip-capture/infra/build/services.ts'
import { serviceCommand, serviceFolder } from '@sip-capture/infra/service-command.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { encodeBatch } from '@sip-capture/contract/codec.ts'
import { historyGroup } from '@sip-capture/contract/keys.ts'
import { createLogger } from '@sip-capture/service/logger.ts'
import { createStreamKeeper } from '../../src/ingest/stream-keeper.ts'
import { keys, publish, startApiUnderTest, startRedis, until } from '../api-under-test.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

await ensureServicesBuilt()

const start = 1_795_391_929_000_000
const records = (count: number, callId: string) =>
  Array.from({ length: count }, (_, n) =>
    sipRecordOf(sipText({ callId: `${callId}-${n >> 3}`, branch: `z9hG4bK${n}` }), {
      atMicros: start + n * 500,
      node: callId,
    }),
  )

/** Rows are seen before their entries are acknowledged. How many are not, in the end. */
async function untilAcknowledged(client: Redis, key: string): Promise<unknown> {
  const [pending] = await until(
    () => client.xpending(key, historyGroup),
    ([count]) => count === 0,
  )
  return pending
}

function startProcess(env: Record<string, string>): ChildProcess {
  const [program, ...args] = serviceCommand('api')
  return spawn(program, args, {
    cwd: serviceFolder('api'),
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function readAll(base: string): Promise<string[]> {
  const ids: string[] = []
  let cursor = ''
  for (;;) {
    const response = await fetch(`${base}/api/v1/messages?limit=1000&order=asc${cursor}`)
    if (response.status !== 200) return []
    const page = (await response.json()) as { items: { id: string }[]; nextCursor: string | null }
    ids.push(...page.items.map(({ id }) => id))
    if (page.nextCursor === null) return ids
    cursor = `&cursor=${page.nextCursor}`
  }
}

t.test('kill -9 in mid-traffic, twice: every message is there exactly once', async (t) => {
  const redis = await startRedis(t)
  const port = await findFreePort()
  const env = {
    REDIS_URL: redis.url,
    DATA_DIR: t.testdir({ data: {} }),
    API_PORT: String(port),
    NODE_NAME: 'killed',
    LOG_LEVEL: 'silent',
  }
  const base = `http://127.0.0.1:${port}`
  const wire = records(3000, 'wire')
  const traffic = records(3000, 'traffic')
  let api = startProcess(env)
  t.teardown(async () => {
    if (api.exitCode !== null || api.signalCode !== null) return
    api.kill('SIGTERM')
    await once(api, 'exit')
  })
  for (let round = 0; round < 3; round++) {
    const from = round * 1000
    await publish(redis.client, keys.capture, wire.slice(from, from + 1000))
    await publish(redis.client, keys.trafficLog, traffic.slice(from, from + 1000))
    // Something must be in hand: given out, not acknowledged, or just being stored.
    await until(
      () => redis.client.xinfo('GROUPS', keys.trafficLog).catch(() => []),
      (groups) =>
        JSON.stringify(groups).includes(historyGroup) &&
        !JSON.stringify(groups).includes('"last-delivered-id","0-0"'),
    )
    if (round === 2) break
    api.kill('SIGKILL')
    await once(api, 'exit')
    api = startProcess(env)
  }
  const ids = await until(
    () => readAll(base).catch(() => []),
    (found) => found.length >= 6000,
  )
  t.equal(ids.length, 6000)
  t.same([...ids].sort(), [...wire, ...traffic].map(({ id }) => id).sort())
  for (const key of [keys.trafficLog, keys.capture])
    t.equal(await untilAcknowledged(redis.client, key), 0, 'all is acknowledged')
})

t.test('an entry that is delivered twice is one row', async (t) => {
  const api = await startApiUnderTest(t)
  const { client } = api.redis
  const items = records(200, 'twice')
  await publish(client, keys.trafficLog, items)
  // The writer repeats what it got no answer for.
  await publish(client, keys.trafficLog, items)
  await until(
    () => api.history.status,
    ({ counters }) => counters['duplicates'] === 200,
  )
  const list = await api.get('/api/v1/messages?limit=1000')
  t.equal(list.body.items.length, 200)
})

t.test('what a dead replica was given is claimed', async (t) => {
  const redis = await startRedis(t)
  const { client } = redis
  await client.xgroup('CREATE', keys.trafficLog, historyGroup, '0', 'MKSTREAM')
  await publish(client, keys.trafficLog, records(3, 'left'))
  await client.xreadgroup('GROUP', historyGroup, 'dead', 'STREAMS', keys.trafficLog, '>')
  const [[id] = ['']] = await client.xrange(keys.trafficLog, '-', '+')
  await client.xclaim(keys.trafficLog, historyGroup, 'dead', 0, id, 'IDLE', 60_000)
  const api = await startApiUnderTest(t, { REDIS_URL: redis.url })
  const { body } = await until(
    () => api.get('/api/v1/messages'),
    ({ body }) => body.items.length === 3,
  )
  t.equal(body.items.length, 3)
})

t.test('garbage on the bus goes to the dead letters and holds up nothing', async (t) => {
  const api = await startApiUnderTest(t)
  const { client } = api.redis
  await client.xadd(keys.trafficLog, '*', 'v', '1', 'b', Buffer.from('not msgpack \xff'))
  await client.xadd(keys.trafficLog, '*', 'hello', 'world')
  await client.xadd(keys.capture, '*', ...encodeBatch([{ v: 1, id: '../../x' }, sipRecordOf(sipText({}))]))
  await client.xadd(keys.trafficLog, '*', ...encodeBatch([{ ...sipRecordOf(sipText({})), v: 2 }]))
  await client.xadd(keys.calls, '*', ...encodeBatch([{ v: 1, kind: 'leg-ended' }]))
  await client.xadd(keys.calls, '*', ...encodeBatch([{ v: 1, kind: 'a kind of a later version' }]))
  await client.xadd(keys.capture, '*', 'v', '1', 'b', Buffer.alloc(5 * 1024 * 1024, 0xc1))
  await publish(client, keys.trafficLog, records(10, 'good'))
  await until(
    () => api.get('/api/v1/messages'),
    ({ body }) => body.items.length === 11,
  )
  const { counters } = await until(
    () => api.history.status,
    (status) => status.counters['deadLettered'] === 5 && status.counters['skippedNewer'] === 2,
  )
  t.equal(counters['skippedNewer'], 2)
  const letters = (await client.xrange(keys.deadLetter, '-', '+')).map(([, fields]) => fields)
  t.equal(letters.length, 5)
  t.ok(letters.every((fields) => (fields[fields.indexOf('problem') + 1] ?? '').length > 5))
  for (const key of [keys.trafficLog, keys.capture, keys.calls])
    t.equal(await untilAcknowledged(client, key), 0, `${key} is acknowledged`)
})

t.test('FLUSHALL: the groups come back by themselves and new messages are stored', async (t) => {
  const api = await startApiUnderTest(t)
  const { client } = api.redis
  await publish(client, keys.trafficLog, records(5, 'before'))
  await until(
    () => api.get('/api/v1/messages'),
    ({ body }) => body.items.length === 5,
  )
  await client.flushall()
  await publish(client, keys.trafficLog, records(6, 'after'))
  const { body } = await until(
    () => api.get('/api/v1/messages'),
    ({ body }) => body.items.length === 11,
  )
  t.equal(body.items.length, 11)
})

t.test('entries that are cut before history reads them are counted, exactly', async (t) => {
  const api = await startApiUnderTest(t)
  const { client } = api.redis
  await publish(client, keys.capture, records(64, 'kept'))
  await until(
    () => api.get('/api/v1/messages'),
    ({ body }) => body.items.length > 0,
  )
  // In one step, so that history cannot read between: ten entries come, seven are cut.
  const step = client.multi()
  for (const record of records(10, 'cut')) step.xadd(keys.capture, '*', ...encodeBatch([record]))
  step.xtrim(keys.capture, 'MAXLEN', 3)
  await step.exec()
  const { counters } = await until(
    () => api.history.status,
    (status) => (status.counters['lostToTrimming'] ?? 0) > 0,
  )
  t.equal(counters['lostToTrimming'], 7)
  await until(
    () => api.get('/api/v1/messages?limit=1000'),
    ({ body }) => body.items.length === 67,
  )
})

/** A look at the stream as history takes it, with a consumer that reads all there is. */
async function startKeeper(t: Test) {
  const { client } = await startRedis(t)
  const key = keys.capture
  const logger = createLogger({ name: 'test', level: 'silent' })
  const keeper = createStreamKeeper({ redis: client, key, logger, onTrimmed: () => {} })
  return {
    keeper,
    client,
    key,
    publishEach: async (count: number) => {
      for (const record of records(count, 'each')) await publish(client, key, [record])
    },
    readAll: () => client.xreadgroup('GROUP', historyGroup, 'test-history', 'STREAMS', key, '>'),
  }
}

t.test('entries that are cut between the first and the second look at a new group are counted', async (t) => {
  const { keeper, client, key, publishEach, readAll } = await startKeeper(t)
  await publishEach(1)
  await keeper.ensureGroup()
  await keeper.inspect()
  await readAll()
  await publishEach(10)
  await client.xtrim(key, 'MAXLEN', 3)
  await readAll()
  await keeper.inspect()
  t.equal(keeper.lost, 7)
  await keeper.inspect()
  t.equal(keeper.lost, 7)
})

t.test(
  'a Redis that counts too few entries after its restart: nothing is called lost but what is',
  async (t) => {
    const { keeper, client, key, publishEach, readAll } = await startKeeper(t)
    await client.xgroup('CREATE', key, historyGroup, '0', 'MKSTREAM')
    await publishEach(20)
    await readAll()
    const [last] = (await client.xrevrange(key, '+', '-', 'COUNT', 1)).map(([id]) => id)
    await client.call('XGROUP', 'SETID', key, historyGroup, last ?? '', 'ENTRIESREAD', 8)
    await keeper.ensureGroup()
    await keeper.inspect()
    t.equal(keeper.lost, 0)
    await publishEach(10)
    await client.xtrim(key, 'MAXLEN', 3)
    await readAll()
    await keeper.inspect()
    t.equal(keeper.lost, 7)
  },
)

t.test('an entry that was trimmed while it was pending is counted and acknowledged', async (t) => {
  const redis = await startRedis(t)
  const { client } = redis
  await client.xgroup('CREATE', keys.trafficLog, historyGroup, '0', 'MKSTREAM')
  await publish(client, keys.trafficLog, records(3, 'gone'))
  await client.xreadgroup('GROUP', historyGroup, 'test-history', 'STREAMS', keys.trafficLog, '>')
  await client.xtrim(keys.trafficLog, 'MAXLEN', 0)
  const api = await startApiUnderTest(t, { REDIS_URL: redis.url })
  await until(
    () => api.history.status,
    ({ counters }) => counters['lostToTrimming'] === 1,
  )
  t.equal(await untilAcknowledged(client, keys.trafficLog), 0)
})
