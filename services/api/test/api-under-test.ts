import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { encodeBatch } from '@sip-capture/contract/codec.ts'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { readConfig } from '@sip-capture/service/config.ts'
import { createLogger } from '@sip-capture/service/logger.ts'
import type { ErrorBody } from '@sip-capture/contract/rest/page.ts'
import type { CallDetail } from '@sip-capture/contract/rest/call.ts'
import type { MessageDetail, MessageRow } from '@sip-capture/contract/rest/message.ts'
import { startTestRedis, type TestRedis } from '@sip-capture/testing/test-redis.ts'
import type { InjectOptions, LightMyRequestResponse as Response } from 'fastify'
import { Redis } from 'ioredis'
import { apiSettings } from '../src/config.ts'
import { startApiService, type ApiService } from '../src/service.ts'

export interface Test {
  teardown(work: () => Promise<void>): void
  testdir(): string
}

export const keys = createBusKeys()

/** `npm test` has built it: to find, read and strip the sources once more costs each start a second of processor time. */
export const historyProgram =
  process.env['TEST_BUILT'] === 'true' ? new URL('../build/worker.js', import.meta.url) : undefined

const patienceSeconds = 300

/** Asks until the answer is right: tests wait for facts, not for time. Fails with the last answer when the test would hang. */
export async function until<T>(ask: () => T | Promise<T>, isRight: (answer: T) => boolean): Promise<T> {
  const startedAt = Date.now()
  for (;;) {
    const answer = await ask()
    if (isRight(answer)) return answer
    const waitedMillis = Date.now() - startedAt
    if (waitedMillis > patienceSeconds * 1000)
      throw new Error(`still not so after ${patienceSeconds} s: ${JSON.stringify(answer)?.slice(0, 2000)}`)
    // What takes long is not made slower by asking.
    await pause(Math.min(250, 20 + waitedMillis / 20))
  }
}

/** A page, a message, a call, an error, readiness or the documentation: absent words are undefined at run time. */
export interface AnswerBody
  extends
    ErrorBody,
    Pick<CallDetail, 'messages' | 'legs' | 'state' | 'findings'>,
    Pick<MessageDetail, 'startLine' | 'headers' | 'rawBase64' | 'from'> {
  readonly items: MessageRow[]
  readonly nextCursor: string | null
  readonly reasons: string[]
  readonly paths: Record<string, unknown>
}

export interface ApiUnderTest extends ApiService {
  readonly redis: RedisUnderTest
  readonly folder: string
  /** GET, parsed. */
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; body: AnswerBody }>
}

export interface RedisUnderTest extends TestRedis {
  readonly client: Redis
}

/** A Redis of the test's own and a client of it, ended with the test. */
export async function startRedis(t: Pick<Test, 'teardown'>): Promise<RedisUnderTest> {
  const redis = await startTestRedis()
  const client = new Redis(redis.port, '127.0.0.1', { maxRetriesPerRequest: null })
  client.on('error', () => {})
  t.teardown(async () => {
    client.disconnect()
    await redis.stop()
  })
  return Object.assign(redis, { client })
}

/** What history says when it has no processor for half a minute. */
const tooBusy = /history did not answer in time|the search took too long/

/** One request; a history that is too busy at this moment is asked again. */
export async function inject(api: Pick<ApiService, 'app'>, request: InjectOptions): Promise<Response> {
  return await until(
    () => api.app.inject(request),
    ({ statusCode, body }) => statusCode !== 503 || !tooBusy.test(body),
  )
}

/** The real service without a port: own Redis, own folder. Ended with the test. */
export async function startApiUnderTest(
  t: Test,
  settings: Record<string, string> = {},
): Promise<ApiUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-api-'))
  const redis = await startRedis(t)
  const config = readConfig(apiSettings, {
    REDIS_URL: redis.url,
    DATA_DIR: folder,
    NODE_NAME: 'test',
    LOG_LEVEL: process.env['TEST_LOG'] ?? 'silent',
    ...settings,
  })
  const service = await startApiService({
    config,
    logger: createLogger({ name: 'api', level: config.LOG_LEVEL }),
    historyProgram,
  })
  t.teardown(async () => {
    await service.close()
    // The engine may still take out what it no longer needs.
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })
  await until(
    () => service.history.status,
    ({ ok }) => ok,
  )
  return {
    ...service,
    redis,
    folder,
    async get(path, headers = {}) {
      const response = await inject(service, { method: 'GET', url: path, headers })
      return {
        status: response.statusCode,
        body: response.body === '' ? undefined : JSON.parse(response.body),
      }
    },
  }
}

/** Puts items on a stream as the services do, 64 a batch. */
export async function publish(client: Redis, key: string, items: readonly unknown[]): Promise<void> {
  for (let at = 0; at < items.length; at += 64)
    await client.xadd(key, '*', ...encodeBatch(items.slice(at, at + 64)))
}
