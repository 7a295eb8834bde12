import type { FollowCalls } from '@sip-capture/contract/live-calls.ts'
import { callRow } from '@sip-capture/contract/rest/call-log.ts'
import type { SourcesAnswer } from '@sip-capture/contract/rest/source.ts'
import { readConfig } from '@sip-capture/service/config.ts'
import { createLogger } from '@sip-capture/service/logger.ts'
import { startTestClickHouse } from '@sip-capture/testing/test-clickhouse.ts'
import t from 'tap'
import { apiSettings } from '../src/config.ts'
import { openClusterStore } from '../src/history/cluster-store.ts'
import { startApiService, type ApiService } from '../src/service.ts'
import { startWorkerService } from '../src/worker-service.ts'
import {
  historyProgram,
  keys,
  publish,
  startRedis,
  until,
  type AnswerBody,
  type RedisUnderTest,
} from './api-under-test.ts'
import { announce, ids, records, settle } from './live/live-traffic.ts'
import { follow } from './live-client.ts'
import { newHistory, useCluster } from './test-store.ts'

interface Test {
  teardown(work: () => Promise<void>): void
  testdir(): string
}

const logger = createLogger({ name: 'api', level: process.env['TEST_LOG'] ?? 'silent' })

const cluster = await startTestClickHouse(import.meta.url)
t.teardown(() => cluster.stop())
useCluster(cluster)

/** Processes of one system: one Redis, one history, one folder. */
async function startSystem(t: Test) {
  const redis = await startRedis(t)
  const history = await newHistory()
  const folder = t.testdir()
  const configOf = (role: string, name: string) =>
    readConfig(apiSettings, {
      ...history,
      REDIS_URL: redis.url,
      DATA_DIR: folder,
      NODE_NAME: name,
      LOG_LEVEL: logger.level,
      API_ROLE: role,
    })
  const isReady = async (service: Pick<ApiService, 'history' | 'close'>) => {
    t.teardown(() => service.close())
    await until(
      () => service.history.status,
      ({ ok }) => ok,
    )
  }
  return {
    redis,
    store() {
      const { HISTORY_URL = '', HISTORY_CLUSTER = '' } = history
      const store = openClusterStore({ urls: HISTORY_URL.split(','), cluster: HISTORY_CLUSTER })
      t.teardown(() => store.close())
      return store
    },
    async startApi(role: 'api' | 'all', name: string) {
      const service = await startApiService({ config: configOf(role, name), logger, historyProgram })
      await isReady(service)
      return Object.assign(service, { redis })
    },
    async startWorker(name: string) {
      const service = await startWorkerService({ config: configOf('worker', name), logger, historyProgram })
      await isReady(service)
      return service
    },
  }
}

async function get<T>({ app }: Pick<ApiService, 'app'>, url: string): Promise<T> {
  const { statusCode, body } = await app.inject({ method: 'GET', url })
  if (statusCode !== 200) throw new Error(`${statusCode} ${body}`)
  return JSON.parse(body)
}

/** As a bridge does: told at once, and durable. */
async function send(redis: RedisUnderTest, items: ReturnType<typeof records>): Promise<void> {
  await announce({ redis }, items)
  await publish(redis.client, keys.trafficLog, items)
}

const pageIds = async (api: ApiService) =>
  (await get<AnswerBody>(api, '/api/v1/messages?order=asc&limit=500')).items.map(({ id }) => id)

const sorted = (list: readonly string[]) => list.toSorted()

const systems = [
  ['two that serve pages and one that writes', ['api', 'api'], true],
  ['two that do all', ['all', 'all'], false],
] as const

for (const [name, roles, hasWorker] of systems)
  t.test(`${name}: nothing is lost, nothing is there twice, the pages are alike`, async (t) => {
    const system = await startSystem(t)
    const { redis } = system
    const first = await system.startApi(roles[0], 'first')
    const second = await system.startApi(roles[1], 'second')
    const writer = hasWorker ? await system.startWorker('writer') : first
    const pages = [await follow(first), await follow(second)]
    for (const page of pages) {
      page.send({ type: 'subscribe' })
      page.socket.send(JSON.stringify({ type: 'follow-calls', filter: {} } satisfies FollowCalls))
      await settle(page, 'subscribed')
    }

    const before = [...records(100, 'call-a'), ...records(100, 'call-b')]
    await send(redis, before)
    await until(
      () => pageIds(second),
      (list) => list.length === before.length,
    )
    // What it was given and did not finish is finished by the next, or by the other.
    const after = [...records(100, 'call-c'), ...records(100, 'call-d')]
    process.kill(writer.history.pid ?? 0, 'SIGKILL')
    await send(redis, after)

    const wanted = [...before, ...after].map(({ id }) => id)
    for (const api of [first, second])
      t.same(
        sorted(
          await until(
            () => pageIds(api).catch(() => []),
            (list) => list.length >= wanted.length,
          ),
        ),
        sorted(wanted),
      )
    for (const page of pages) {
      await until(
        () => ids(page),
        (list) => list.length >= wanted.length,
      )
      t.same(sorted(ids(page)), sorted(wanted), 'each row once')
    }
    t.same(await pageIds(first), await pageIds(second))
    t.same(
      await system
        .store()
        .query('SELECT uniqExact(messages.id) AS messages, uniqExact(callId) AS calls FROM messages'),
      [{ messages: 400, calls: 4 }],
    )
    for (const api of [first, second]) {
      const { items } = await until(
        () => get<AnswerBody>(api, '/api/v1/calls'),
        (answer) => answer.items.length === 4,
      )
      t.equal(items.length, 4, 'the call log too')
    }
    for (const page of pages)
      await until(
        () => page.frames.flatMap((frame) => (frame.type === 'call:updated' ? (frame.items ?? []) : [])),
        (items) => new Set(items.map((item) => callRow.parse(item).callIds[0])).size === 4,
      )
    for (const { socket } of pages) socket.terminate()
  })

t.test(
  'a process that serves tells what the one that writes has counted, and when there is none',
  async (t) => {
    const system = await startSystem(t)
    const api = await system.startApi('api', 'page')
    const sources = () => get<SourcesAnswer>(api, '/api/v1/sources')
    t.match((await sources()).api.history, { ok: false, detail: /API_ROLE=worker/ })
    t.match(await get(api, '/readyz'), { ready: true }, 'it serves what is there')
    const worker = await system.startWorker('writer')
    t.match(await get(worker, '/readyz'), { ready: true })
    t.equal((await worker.app.inject('/api/v1/messages')).statusCode, 404)
    await publish(system.redis.client, keys.trafficLog, records(5, 'counted'))
    const { api: told } = await until(sources, ({ api: { counters } }) => counters['stored'] === 5)
    t.match(told.history, { ok: true, detail: '' })
  },
)

t.test('an export that a page orders is made by the process that writes, and served by both', async (t) => {
  const system = await startSystem(t)
  const first = await system.startApi('api', 'first')
  const second = await system.startApi('api', 'second')
  await system.startWorker('writer')
  await publish(system.redis.client, keys.trafficLog, records(50, 'exported'))
  await until(
    () => pageIds(first),
    (list) => list.length === 50,
  )
  const ordered = await first.app.inject({
    method: 'POST',
    url: '/api/v1/exports',
    payload: { format: 'pcapng' },
  })
  t.equal(ordered.statusCode, 202, ordered.body)
  const { id } = ordered.json<{ id: string }>()
  const done = await until(
    () => get<{ state: string; messages: number }>(second, `/api/v1/exports/${id}`),
    ({ state }) => state === 'completed' || state === 'failed',
  )
  t.match(done, { state: 'completed', messages: 50 })
  const files = await Promise.all(
    [first, second].map(({ app }) => app.inject({ method: 'GET', url: `/api/v1/exports/${id}/file` })),
  )
  t.ok(files.every(({ statusCode, rawPayload }) => statusCode === 200 && rawPayload.length > 1_000))
  t.same(files[0]?.rawPayload, files[1]?.rawPayload)
})
