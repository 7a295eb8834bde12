import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { shardOfCall } from '@sip-capture/service/capture-shards.ts'
import t, { type Test } from 'tap'
import {
  keys,
  publish,
  startApiUnderTest,
  startRedis,
  until,
  type ApiUnderTest,
  type RedisUnderTest,
} from './api-under-test.ts'
import { follow } from './live-client.ts'
import { callIds, ids, records, settle } from './live/live-traffic.ts'

const calls = Array.from({ length: 12 }, (_, index) => `call-${index}`)

async function startSharded(t: Test) {
  const shards = [await startRedis(t), await startRedis(t)] as const
  const api = await startApiUnderTest(t, { CAPTURE_REDIS_URLS: shards.map(({ url }) => url).join(', ') })
  return { api, shards }
}

/** As the sidecar does. */
async function capture(shards: readonly RedisUnderTest[], messages: readonly SipRecord[], callId: string) {
  const index = shardOfCall(callId, shards.length)
  const shard = shards[index]
  if (shard) await publish(shard.client, keys.captureShard(index), messages)
}

const stored = async (api: ApiUnderTest) => (await api.get('/api/v1/messages?limit=1000')).body.items

t.test(
  'what is captured comes over several Redis: live, stored, and after a pause, all of it once',
  async (t) => {
    const { api, shards } = await startSharded(t)
    t.equal(new Set(calls.map((callId) => shardOfCall(callId, 2))).size, 2, 'both have calls')
    const client = await follow(api)
    client.send({ type: 'subscribe' })
    await settle(client, 'a')
    for (const callId of calls) await capture(shards, records(3, callId), callId)
    await publish(api.redis.client, keys.trafficLog, records(1, 'ami'))
    await until(
      () => client.rows().length,
      (count) => count >= 37,
    )
    const since = client.position()
    t.equal(since.split('~').length, 3, 'a place in each stream')
    t.equal(new Set(ids(client)).size, 37)
    client.socket.terminate()

    for (const callId of calls) await capture(shards, records(2, `late-${callId}`), callId)
    const back = await follow(api)
    back.send({ type: 'subscribe', since })
    await until(
      () => back.rows().length,
      (count) => count >= 24,
    )
    await settle(back, 'b')
    t.same(new Set(callIds(back)), new Set(calls.map((callId) => `late-${callId}`)))
    t.equal(back.rows().length, 24, 'nothing twice')
    back.socket.terminate()

    const items = await until(
      () => stored(api),
      (rows) => rows.length >= 61,
    )
    t.equal(items.length, 61)
    t.equal(new Set(items.map(({ id }) => id)).size, 61)
  },
)

t.test('one of them away: it is named, the others go on, and what waits there comes with it', async (t) => {
  const { api, shards } = await startSharded(t)
  const [here, away] = shards
  const client = await follow(api)
  client.send({ type: 'subscribe' })
  await settle(client, 'a')
  await away.kill()
  const ready = await until(
    () => api.get('/readyz'),
    ({ status }) => status === 503,
  )
  t.match(ready.body.reasons, [
    `Redis at redis://127.0.0.1:${away.port} (CAPTURE_REDIS_URLS) does not answer`,
  ])
  await publish(here.client, keys.captureShard(0), records(5, 'here'))
  await until(
    () => client.rows().length,
    (count) => count === 5,
  )
  await until(
    () => stored(api),
    (rows) => rows.length === 5,
  )
  await away.start()
  await publish(away.client, keys.captureShard(1), records(4, 'back'))
  await until(
    () => client.rows().length,
    (count) => count === 9,
  )
  await until(
    () => stored(api),
    (rows) => rows.length === 9,
  )
  await until(
    () => api.get('/readyz'),
    ({ status }) => status === 200,
  )
  t.equal(new Set(ids(client)).size, 9)
  client.socket.terminate()
})

t.test('a position of another number of streams is refused by name', async (t) => {
  const { api } = await startSharded(t)
  const client = await follow(api)
  client.send({ type: 'subscribe', since: '1-0~1-0' })
  const problems = () => client.frames.filter((frame) => frame.type === 'error')
  await until(problems, (list) => list.length > 0)
  t.match(problems(), [{ code: 'bad-position', message: /^`since` is no position of ours/ }])
  client.socket.terminate()
})
