import { execFileSync } from 'node:child_process'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createLogger } from '@sip-capture/service/logger.ts'
import { createRedis } from '@sip-capture/service/redis.ts'
import { startTestRedis } from '@sip-capture/testing/test-redis.ts'

const logger = createLogger({ name: 'test', level: 'silent' })

async function setUp(t: Test) {
  const server = await startTestRedis()
  const redis = createRedis({ REDIS_URL: server.url, NODE_NAME: 'test' }, { purpose: 'blocking', logger })
  t.teardown(async () => {
    redis.disconnect()
    await server.stop()
  })
  await redis.xgroup('CREATE', 's', 'g', '0', 'MKSTREAM')
  const read = (block: number) =>
    redis.xreadgroup('GROUP', 'g', 'c', 'COUNT', 10, 'BLOCK', block, 'STREAMS', 's', '>')
  const cli = (...args: string[]) => execFileSync('redis-cli', ['-u', server.url, ...args])
  return { server, redis, read, cli }
}

t.test('an answer that comes while the process is busy is taken, however late', async (t) => {
  const { read, cli } = await setUp(t)
  const reading = read(2_000)
  await pause(50)
  // From here timers are looked at before sockets, and both long after BLOCK.
  await nextTurn()
  const until = performance.now() + 3_000
  cli('XADD', 's', '1-1', 'n', '1')
  while (performance.now() < until);
  t.same(await reading, [['s', [['1-1', ['n', '1']]]]])
})

t.test('nothing new', async (t) => {
  const { read } = await setUp(t)
  t.equal(await read(10), null)
})

t.test('a connection that breaks rejects the read, and the next one goes on', async (t) => {
  const { read, redis, cli } = await setUp(t)
  const reading = t.rejects(read(5_000))
  await pause(50)
  cli('CLIENT', 'KILL', 'TYPE', 'normal')
  await reading
  cli('XADD', 's', '1-1', 'n', '1')
  for (;;) {
    const entries = await read(1_000).catch(() => undefined)
    if (entries === undefined) continue
    t.same(entries, [['s', [['1-1', ['n', '1']]]]])
    break
  }
  t.equal(redis.status, 'ready')
})

t.test('a Redis that is open but dead rejects the read', async (t) => {
  const { server, read } = await setUp(t)
  process.kill(server.pid, 'SIGSTOP')
  await t.rejects(read(100))
  process.kill(server.pid, 'SIGCONT')
})
