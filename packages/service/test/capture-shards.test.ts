import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { captureShards, captureShardSettings, shardOfCall } from '@sip-capture/service/capture-shards.ts'
import { readConfig } from '@sip-capture/service/config.ts'
import t from 'tap'
import { z } from 'zod'

const settings = z.object(captureShardSettings)
const keys = createBusKeys()
const read = (urls?: string) => captureShards(readConfig(settings, { CAPTURE_REDIS_URLS: urls }), keys)

t.test('unset there are none, else one stream on each, in order', (t) => {
  t.same(read(), [])
  t.same(read('redis://a:1, rediss://user:p,w@b/0,/run/redis.sock'), [
    { redisUrl: 'redis://a:1', key: 'callytics:sip-capture:{0}' },
    { redisUrl: 'rediss://user:p,w@b/0', key: 'callytics:sip-capture:{1}' },
    { redisUrl: '/run/redis.sock', key: 'callytics:sip-capture:{2}' },
  ])
  t.throws(() => read('redis://a,http://b'), /^CAPTURE_REDIS_URLS\.1: a URL such as redis/)
  t.throws(() => read(Array(33).fill('redis://a').join()), /^CAPTURE_REDIS_URLS: at most 32 servers/)
  t.end()
})

t.test('Call-IDs spread evenly, however alike they are, and each is always on the same', (t) => {
  const callIds = Array.from({ length: 10_000 }, (_, n) => [`${n}@192.0.2.1`, `1-${n * 2}@pbx`]).flat()
  for (const shards of [2, 3, 4, 8]) {
    const counts = Array<number>(shards).fill(0)
    for (const callId of callIds) {
      const shard = shardOfCall(callId, shards)
      counts[shard] = (counts[shard] ?? 0) + 1
    }
    const fair = callIds.length / shards
    t.ok(
      counts.every((count) => Math.abs(count - fair) < fair / 10),
      `${shards}: ${counts.join(', ')}`,
    )
  }
  // What one version writes another reads.
  t.same(
    ['', 'a', 'b', '3848276298220188511@atlanta.example.com'].map((callId) => shardOfCall(callId, 1_000)),
    [923, 715, 274, 715],
  )
  t.end()
})
