/** What watches cost the call log: `node --import tsx bench/watches.ts [calls]`, in this folder. Starts a Redis of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import { createLogger } from '@sip-capture/service/logger.ts'
import { createRedis } from '@sip-capture/service/redis.ts'
import { startTestRedis } from '@sip-capture/testing/test-redis.ts'
import { startSummariser } from '../src/calls/summariser.ts'
import { openEmbeddedStore } from '../src/history/embedded-store.ts'
import { insertMessages } from '../src/history/message-writer.ts'
import { completePins } from '../src/history/pins/pin-store.ts'
import { migrate } from '../src/history/schema.ts'
import { createJobRecords } from '../src/jobs/job-records.ts'
import { createCallWatcher, type CallWatcher } from '../src/watches/call-watcher.ts'
import { watchKeys, watchRecord } from '../src/watches/watch-record.ts'
import { callMessages, second } from '../test/calls/call-messages.ts'
import { viewOf } from '../test/message-view.ts'

const calls = Number(process.argv[2] ?? 3_000)
const logger = createLogger({ name: 'bench', level: 'silent' })
const keys = createBusKeys()
const start = Math.floor(Date.now() / 1000) * second - 3_600 * second
const searches = [
  'state:failed trunk:acme',
  'verdict:auth severity:error',
  'from:+4420* code:5xx',
  'number:777 talk:>30s',
  '"user 9999"',
  'endpoint:phone-1 pdd:>5s OR state:busy from:nobody',
]

const server = await startTestRedis()
const config = { REDIS_URL: server.url, BUS_PREFIX: 'callytics:', NODE_NAME: 'bench' }
const redis = createRedis(config, { purpose: 'command', logger })
while (redis.status !== 'ready') await pause(10)
const watches = createJobRecords({ redis, key: watchKeys(keys).watches, schema: watchRecord })

/** → CPU milliseconds until all calls are in the log, and the time that `judge` took of it on the clock. */
async function summarise(hasWatcher: boolean): Promise<{ total: number; judging: number }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'watches-'))
  const store = openEmbeddedStore(folder)
  await migrate(store)
  for (let at = 0; at < calls; at += 500)
    await insertMessages(
      store,
      Array.from({ length: Math.min(500, calls - at) }, (_, n) =>
        callMessages({
          callId: `c-${at + n}@bench`,
          startMicros: start + (at + n) * 1000,
          from: `+4420${at + n}`,
          ringing: 900,
          final: [3000, 486, 'Busy Here'],
        }).map((record) => viewOf(record)),
      ).flat(),
    )
  const inner = hasWatcher ? createCallWatcher({ redis, keys, config, logger }) : undefined
  let judging = 0
  const watcher: CallWatcher | undefined = inner && {
    ...inner,
    async judge(...words) {
      const from = performance.now()
      const answer = await inner.judge(...words)
      judging += performance.now() - from
      return answer
    },
  }
  const before = process.cpuUsage()
  const summariser = startSummariser({
    store,
    isTrunk: (name) => name === 'acme',
    ...(watcher ? { watcher } : {}),
    onWritten: hasWatcher ? (callIds, capture) => completePins(store, { callIds, capture }) : async () => {},
    onNews: () => {},
    logger,
  })
  while (summariser.counters.callsSummarised < calls) await pause(20)
  const { user, system } = process.cpuUsage(before)
  const total = (user + system) / 1000
  await summariser.close()
  await inner?.close()
  await store.close()
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  return { total, judging }
}

for (const round of [1, 2]) {
  const without = await summarise(false)
  console.log(`round ${round}: ${calls} calls without watches ${without.total.toFixed(0)} ms of CPU`)
  for (const count of [0, 10, 100]) {
    await redis.del(watchKeys(keys).watches)
    for (let n = 0; n < count; n++) {
      const at = toRfc3339(nowMicros() - 7_200 * second)
      await watches.add({
        id: n.toString(16).padStart(32, '0'),
        name: `watch ${n}`,
        search: searches[n % searches.length] ?? '',
        url: null,
        repeat: 'every',
        whileRunning: false,
        pin: false,
        paused: false,
        createdAt: at,
        activeSince: at,
        matches: 0,
        lastMatch: null,
        delivery: null,
        undelivered: 0,
      })
    }
    const { total, judging } = await summarise(true)
    const micros = ((judging * 1000) / calls).toFixed(0)
    console.log(
      `${String(count).padStart(4)} watches: ${total.toFixed(0)} ms (${(total / without.total).toFixed(2)} times), of it judging ${judging.toFixed(0)} ms = ${micros} µs a call`,
    )
  }
}
redis.disconnect()
await server.stop()
process.exit(0)
