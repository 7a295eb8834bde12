import t, { type Test } from 'tap'
import { sipRecord, type SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { decodeBatch } from '@sip-capture/contract/codec.ts'
import { shardOfCall } from '@sip-capture/service/capture-shards.ts'
import { startTestRedis } from '@sip-capture/testing/test-redis.ts'
import { Redis } from 'ioredis'
import { callIdOf, createHarness, keys, createSender, sipRequest, until } from './harness.ts'

const calls = Array.from({ length: 20 }, (_, index) => `call-${index}`)

async function startShard(t: Test) {
  const server = await startTestRedis()
  const client = new Redis(server.url, { maxRetriesPerRequest: null })
  client.on('error', () => {})
  t.teardown(async () => {
    client.disconnect()
    await server.stop()
  })
  return {
    ...server,
    async records(key: string): Promise<SipRecord[]> {
      const entries = await client.xrangeBuffer(key, '-', '+')
      return entries.flatMap(([, fields]) => [...decodeBatch(sipRecord, fields).items])
    },
  }
}

t.test(
  'each call goes whole to one of several Redis; one that is away is named and gets all later',
  async (t) => {
    const [first, second] = [await startShard(t), await startShard(t)]
    const harness = await createHarness(t)
    await harness.start({ CAPTURE_REDIS_URLS: `${first.url},${second.url}` })
    await harness.statusWhere(({ state }) => state === 'up', 'the capture')
    const sender = await createSender(t)
    const send = async () => {
      for (const callId of calls) await sender.send(sipRequest(callId), harness.port)
    }
    const seen = async () => [
      await first.records(keys.captureShard(0)),
      await second.records(keys.captureShard(1)),
    ]
    const isAll = (times: number) => async () => (await seen()).flat().length === calls.length * times

    await send()
    await until(isAll(1), 'all calls')
    t.equal((await harness.records()).length, 0, 'none on the common Redis')
    for (const [index, records] of (await seen()).entries()) {
      t.ok(records.length > 0, `shard ${index} has calls`)
      t.ok(records.every((record) => shardOfCall(callIdOf(record), 2) === index))
    }

    await second.kill()
    await send()
    const status = await harness.statusWhere(({ state }) => state === 'degraded', 'the fault')
    t.match(
      status.detail,
      new RegExp(`^Redis at redis://127.0.0.1:${second.port} \\(CAPTURE_REDIS_URLS\\) does not take`),
    )
    const atFirst = calls.filter((callId) => shardOfCall(callId, 2) === 0).length
    await until(
      async () => (await first.records(keys.captureShard(0))).length === atFirst * 2,
      'what the other one takes',
    )
    await second.start()
    await until(isAll(2), 'what waited')
    t.equal((await harness.statusWhere(({ state }) => state === 'up', 'its end')).counters['dropped'], 0)
  },
)

t.test('a wrong URL is named with its setting', async (t) => {
  const harness = await createHarness(t)
  await t.rejects(harness.start({ CAPTURE_REDIS_URLS: 'redis://127.0.0.1:6379,http://x' }), {
    message: /CAPTURE_REDIS_URLS.*a URL such as redis/,
  })
})
