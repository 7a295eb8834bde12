import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { decodeBatch, encodeBatch } from '@sip-capture/contract/codec.ts'
import { startTestRedis } from '@sip-capture/testing/test-redis.ts'
import { createLogger } from '@sip-capture/service/logger.ts'
import { createRedis } from '@sip-capture/service/redis.ts'
import { createStreamWriter } from '@sip-capture/service/stream-writer.ts'
import type { Redis } from 'ioredis'

const logger = createLogger({ name: 'test', level: 'silent' })
const item = z.object({ n: z.number(), pad: z.string().optional() })

async function readAll(redis: Redis, key: string): Promise<{ numbers: number[]; entries: number }> {
  const entries = await redis.xrangeBuffer(key, '-', '+')
  const numbers = entries.flatMap(([, fields]) => decodeBatch(item, fields).items.map(({ n }) => n))
  return { numbers, entries: entries.length }
}

async function setUp(t: Test, extra: string[] = []) {
  const server = await startTestRedis(extra)
  const redis = createRedis({ REDIS_URL: server.url, NODE_NAME: 'test' }, { purpose: 'command', logger })
  t.teardown(async () => {
    redis.disconnect()
    await server.stop()
  })
  if (redis.status !== 'ready') await once(redis, 'ready')
  return { server, redis }
}

const count = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

t.test('items arrive in order and in batches', async (t) => {
  const { redis } = await setUp(t)
  const writer = createStreamWriter<{ n: number }>({ redis, key: 's', logger })
  for (const n of count(0, 10_000)) writer.write({ n })
  await writer.flush()
  const { numbers, entries } = await readAll(redis, 's')
  t.same(numbers, count(0, 10_000))
  t.ok(entries < 10_000 / 50, `${entries} entries`)
  t.match(writer.counters, { written: 10_000, dropped: 0, failed: 0, buffered: 0 })
  await writer.close()
})

t.test('one item on a quiet system is written by itself', async (t) => {
  const { redis } = await setUp(t)
  const writer = createStreamWriter<{ n: number }>({ redis, key: 's', logger })
  writer.write({ n: 7 })
  await until(() => writer.counters.written === 1)
  t.same((await readAll(redis, 's')).numbers, [7])
  await writer.close()
})

t.test(
  'with a pace, what comes at once is sent at once, and the next batch only at that distance',
  async (t) => {
    const { redis } = await setUp(t)
    const writer = createStreamWriter<{ n: number }>({ redis, key: 's', logger, paceMillis: 3_600_000 })
    for (const n of count(0, 3)) writer.write({ n })
    await until(() => writer.counters.written === 3)
    t.same(await readAll(redis, 's'), { numbers: count(0, 3), entries: 1 })
    writer.write({ n: 3 })
    await redis.ping()
    writer.write({ n: 4 })
    await redis.ping()
    t.match(writer.counters, { written: 3, buffered: 2 })
    // A full batch waits for nothing.
    for (const n of count(5, 67)) writer.write({ n })
    await until(() => writer.counters.written === 67)
    t.same(await readAll(redis, 's'), { numbers: count(0, 67), entries: 2 })
    await writer.close()
  },
)

t.test('what is written while Redis is killed arrives after its restart, in order, none lost', async (t) => {
  const { server, redis } = await setUp(t, ['--appendfsync', 'always'])
  const writer = createStreamWriter<{ n: number }>({ redis, key: 's', logger })
  for (const n of count(0, 500)) writer.write({ n })
  await writer.flush()
  await server.kill()
  for (const n of count(500, 1500)) writer.write({ n })
  await until(() => writer.counters.failed > 0)
  t.ok(writer.problem)
  await server.start()
  await writer.flush()
  const { numbers } = await readAll(redis, 's')
  t.same([...new Set(numbers)], count(0, 1500))
  t.equal(writer.counters.dropped, 0)
  t.equal(writer.problem, undefined)
  await writer.close()
})

t.test('a full buffer drops the oldest, and every item is either written or counted', async (t) => {
  const { server, redis } = await setUp(t)
  const writer = createStreamWriter<{ n: number }>({ redis, key: 's', logger, maxBufferedItems: 100 })
  await server.kill()
  for (const n of count(0, 1000)) writer.write({ n })
  await until(() => writer.counters.failed > 0)
  t.equal(writer.counters.buffered, 100)
  await server.start()
  await writer.flush()
  const { numbers } = await readAll(redis, 's')
  t.same(numbers, count(900, 1000))
  t.match(writer.counters, { written: 100, dropped: 900, buffered: 0 })
  await writer.close()
})

t.test('of a buffer for a few items the newest are kept', async (t) => {
  const { server, redis } = await setUp(t)
  const writer = createStreamWriter<{ n: number }>({ redis, key: 's', logger, maxBufferedItems: 4 })
  await server.kill()
  for (const n of count(0, 10)) writer.write({ n })
  await until(() => writer.counters.failed > 0)
  await server.start()
  await writer.flush()
  t.same((await readAll(redis, 's')).numbers, count(6, 10))
  t.match(writer.counters, { written: 4, dropped: 6, buffered: 0 })
  await writer.close()
})

t.test('what waits is compressed: a buffer holds several times its size of like items', async (t) => {
  const { server, redis } = await setUp(t)
  const pad = 'INVITE sip:4420@192.0.2.1 SIP/2.0 '.repeat(30)
  const options = { redis, key: 's', logger, maxBufferedBytes: 500_000, sizeOf: () => pad.length + 50 }
  const writer = createStreamWriter<{ n: number; pad: string }>(options)
  await server.kill()
  for (const n of count(0, 3_000)) writer.write({ n, pad })
  await until(() => writer.counters.failed > 0)
  t.match(writer.counters, { dropped: 0, buffered: 3_000 })
  await server.start()
  await writer.flush()
  t.same((await readAll(redis, 's')).numbers, count(0, 3_000))
  await writer.close()
})

t.test(
  'a buffer that is full of bytes drops the oldest, and every item is either written or counted',
  async (t) => {
    const { server, redis } = await setUp(t)
    const options = { redis, key: 's', logger, maxBufferedBytes: 100_000, sizeOf: () => 700 }
    const writer = createStreamWriter<{ n: number; pad: string }>(options)
    await server.kill()
    for (const n of count(0, 2_000)) writer.write({ n, pad: randomBytes(300).toString('hex') })
    await until(() => writer.counters.failed > 0)
    const { buffered, dropped } = writer.counters
    t.ok(buffered > 0 && buffered < 400, `${buffered} wait`)
    t.equal(buffered + dropped, 2_000)
    await server.start()
    await writer.flush()
    t.same((await readAll(redis, 's')).numbers, count(2_000 - buffered, 2_000))
    t.match(writer.counters, { written: buffered, dropped, buffered: 0 })
    await writer.close()
  },
)

t.test('an item that cannot be encoded is told and tried again, and ends nothing', async (t) => {
  const { redis } = await setUp(t)
  let faults = 3
  const writer = createStreamWriter<{ n: number }>({
    redis,
    key: 's',
    logger,
    encode(items) {
      if (faults-- > 0) throw new Error('not to be encoded')
      return encodeBatch(items)
    },
  })
  writer.write({ n: 1 })
  await until(() => writer.problem !== undefined)
  t.equal(writer.problem, 'not to be encoded')
  await writer.flush()
  t.same((await readAll(redis, 's')).numbers, [1])
  t.match(writer.counters, { written: 1, failed: 3, dropped: 0 })
  await writer.close()
})

t.test('Redis that refuses writes for want of memory is told, and taken up again', async (t) => {
  const { redis } = await setUp(t, ['--maxmemory-policy', 'noeviction'])
  await redis.config('SET', 'maxmemory', '1')
  const writer = createStreamWriter<{ n: number }>({ redis, key: 's', logger })
  writer.write({ n: 1 })
  await until(() => writer.problem !== undefined)
  t.match(writer.problem, /OOM/)
  t.equal(await redis.publish('c', 'x'), 0, 'publishing still works, which is why a write error must be told')
  await redis.config('SET', 'maxmemory', '0')
  await writer.flush()
  t.same((await readAll(redis, 's')).numbers, [1])
  await writer.close()
})

t.test('a Redis that is open but dead is noticed', async (t) => {
  const { server, redis } = await setUp(t)
  const writer = createStreamWriter<{ n: number }>({ redis, key: 's', logger })
  process.kill(server.pid, 'SIGSTOP')
  writer.write({ n: 1 })
  await until(() => writer.counters.failed > 0)
  process.kill(server.pid, 'SIGCONT')
  await writer.flush()
  t.ok((await readAll(redis, 's')).numbers.includes(1))
  await writer.close()
})

t.test('the stream is cut at its memory bound, oldest first', async (t) => {
  const { redis } = await setUp(t)
  const writer = createStreamWriter<{ n: number; pad: string }>({
    redis,
    key: 's',
    logger,
    maxStreamBytes: 1_000_000,
  })
  for (const n of count(0, 2_000)) {
    writer.write({ n, pad: 'x'.repeat(500) })
    await writer.flush()
  }
  const { numbers, entries } = await readAll(redis, 's')
  // A bound with `~` is kept to whole nodes of the stream, and never below 1,000 entries.
  t.ok(entries > 1_000 && entries < 1_800, `${entries} entries of about 620 bytes`)
  t.equal(numbers.at(-1), 1_999)
  await writer.close()
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10))
}
