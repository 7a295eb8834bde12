import t from 'tap'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { createLogger } from '@sip-capture/service/logger.ts'
import { createRedis } from '@sip-capture/service/redis.ts'
import { Queue } from 'bullmq'
import { readConfig } from '@sip-capture/service/config.ts'
import { apiSettings } from '../../src/config.ts'
import { toCallKey, type CallRecord } from '../../src/calls/call-record.ts'
import { summariseCall } from '../../src/calls/summarise-call.ts'
import type { History } from '../../src/history/history-process.ts'
import { createJobRecords } from '../../src/jobs/job-records.ts'
import { createCallWatcher } from '../../src/watches/call-watcher.ts'
import { runMatch, type MatchSteps } from '../../src/watches/match-job.ts'
import type { WatchContext } from '../../src/watches/watch-context.ts'
import {
  matchQueue,
  matchRecord,
  watchKeys,
  watchRecord,
  type MatchJob,
  type WatchRecord,
} from '../../src/watches/watch-record.ts'
import { keys, startRedis, until, type RedisUnderTest, type Test } from '../api-under-test.ts'
import { callMessages, second, type CallScript } from '../calls/call-messages.ts'
import { viewOf } from '../message-view.ts'

const logger = createLogger({ name: 'test', level: 'silent' })
const now = Math.floor(Date.now() / 1000) * second

function recordOf(script: Partial<CallScript> & { callId: string }, capture = ''): CallRecord {
  const messages = callMessages({ startMicros: now, final: [500, 486, 'Busy Here'], ...script })
  const summary = summariseCall(
    {
      call: { callIds: [script.callId], legs: [], node: '', linkedids: [] },
      views: messages.map((message) => viewOf(message, capture)),
      ends: [],
      capture,
      isTrunk: () => false,
    },
    { nowMicros: now + 60 * second },
  )
  if (summary === null) throw new Error('no call')
  return summary
}

const aWatch = (more: Partial<WatchRecord>): WatchRecord => ({
  id: 'w1',
  name: 'w',
  search: 'from:100',
  url: null,
  repeat: 'every',
  whileRunning: false,
  pin: false,
  paused: false,
  createdAt: toRfc3339(now - second),
  activeSince: toRfc3339(now - second),
  matches: 0,
  lastMatch: null,
  delivery: null,
  undelivered: 0,
  ...more,
})

function connect(t: Test, { url }: RedisUnderTest) {
  const config = readConfig(apiSettings, { REDIS_URL: url, NODE_NAME: 'test', LOG_LEVEL: 'silent' })
  const redis = createRedis(config, { purpose: 'command', logger })
  const own = watchKeys(keys)
  const watches = createJobRecords({ redis, key: own.watches, schema: watchRecord })
  const matches = createJobRecords({ redis, key: own.matches, schema: matchRecord })
  t.teardown(async () => redis.disconnect())
  return { config, redis, own, watches, matches }
}

t.test('which calls are told, which must be looked at again', async (t) => {
  const server = await startRedis(t)
  const { config, redis, watches } = connect(t, server)
  await until(
    () => redis.status,
    (status) => status === 'ready',
  )
  const watcher = createCallWatcher({ redis, keys, config, logger })
  const queue = new Queue(matchQueue, { connection: { url: server.url }, prefix: `${config.BUS_PREFIX}jobs` })
  t.teardown(async () => {
    await watcher.close()
    await queue.close()
  })
  const waiting = async () =>
    (await queue.getJobs(['waiting'])).map(({ data }: { data: MatchJob }) => data.call.callId).toSorted()
  const later = now + 10 * second
  const call = recordOf({ callId: 'a' })

  t.same([...(await watcher.judge([call], later))], [], 'without a watch nothing is done')
  await watches.add(aWatch({}))
  // 510 ms after its start it ended; 2 s later what is known of it counts.
  t.same([...(await watcher.judge([call], now + second))], [[call.row.id, now + 2_510_000]])
  t.same(await waiting(), [])
  t.same([...(await watcher.judge([call], now + 2_510_000))], [])
  t.same(await waiting(), ['a'])
  await watcher.judge([call, call], later)
  t.same(await waiting(), ['a'], 'once')

  const others = [
    recordOf({ callId: 'from another', from: '99' }),
    recordOf({ callId: 'over before', startMicros: now - 60 * second }),
    recordOf({ callId: 'in a file' }, 'f'.repeat(32)),
  ]
  t.same([...(await watcher.judge(others, later))], [])
  t.same(await waiting(), ['a'])
  const ahead = recordOf({ callId: 'clock ahead', startMicros: now + 3600 * second })
  t.same([...(await watcher.judge([ahead], later))], [], 'a clock that is ahead holds nothing back')
  t.same(await waiting(), ['a', 'clock ahead'])
  t.equal(watcher.counters.watchMatchesDropped, 0)

  await server.kill()
  const again = await watcher.judge([recordOf({ callId: 'meanwhile' })], later)
  t.same([...again.keys()], [recordOf({ callId: 'meanwhile' }).row.id], 'Redis is away: looked at again')
  const blind = createCallWatcher({ redis, keys, config, logger })
  t.equal((await blind.judge([recordOf({ callId: 'b' })], later)).size, 1, 'nobody knows what is watched')
  await blind.close()
  await server.start()
  await until(
    async () => {
      await watcher.judge([recordOf({ callId: 'meanwhile' })], later)
      return await waiting().catch((): string[] => [])
    },
    (callIds) => callIds.includes('meanwhile'),
  )
})

function job(callId: string, others: readonly string[] = []): MatchJob {
  const { row } = recordOf({ callId })
  const { from, to, state, code, reason, startedAt, trunks } = row
  return {
    watchId: 'w1',
    call: { id: row.id, callId, from, to, state, code, reason, startedAt, trunks, verdict: null },
    keys: [callId, ...others].map((one) => toCallKey('', one)),
  }
}

t.test('a call is one match, whoever says it how often, and whatever leg it is known by', async (t) => {
  const server = await startRedis(t)
  const { config, redis, own, watches, matches } = connect(t, server)
  await until(
    () => redis.status,
    (status) => status === 'ready',
  )
  const context: WatchContext = {
    config,
    logger,
    redis,
    keys: own,
    watches,
    matches,
    // The steps below do not ask it.
    history: {} as unknown as History,
    stopping: new AbortController().signal,
  }
  const pinned: string[] = []
  let faults = 0
  const steps: MatchSteps = {
    async pin({ call }) {
      if (faults > 0) {
        faults -= 1
        throw new Error('history is away')
      }
      pinned.push(call.callId)
      return undefined
    },
    queueWebhook: async () => false,
  }
  await watches.add(aWatch({ pin: true, url: 'http://127.0.0.1:1/' }))
  await Promise.all(Array.from({ length: 8 }, () => runMatch(context, job('a'), steps)))
  t.equal((await watches.find('w1'))?.matches, 1)
  t.equal((await matches.list()).length, 1)
  // Known by its other leg first, then found to have begun earlier: the row has another id.
  await runMatch(context, job('b'), steps)
  await runMatch(context, job('before-b', ['b']), steps)
  t.equal((await watches.find('w1'))?.matches, 2)
  t.match(await watches.find('w1'), {
    undelivered: Number,
    delivery: { state: 'failed', error: 'too many webhooks wait already' },
  })

  faults = 1
  await t.rejects(runMatch(context, job('c'), steps), { message: 'history is away' })
  t.equal((await watches.find('w1'))?.matches, 3)
  await runMatch(context, job('c'), steps)
  t.equal((await watches.find('w1'))?.matches, 3, 'counted once, done to the end')
  t.ok(pinned.includes('c'))
  t.ok((await matches.find(`w1-${job('c').call.id}`))?.isTold)

  await watches.change('w1', (old) => ({ ...old, repeat: 'once' }))
  await Promise.all(['d', 'e', 'f'].map((callId) => runMatch(context, job(callId), steps)))
  t.match(await watches.find('w1'), { matches: 4, paused: true }, 'one of three')
})

t.test('the list of matches has a bound', async (t) => {
  const server = await startRedis(t)
  const { config, redis, own, watches, matches } = connect(t, server)
  await until(
    () => redis.status,
    (status) => status === 'ready',
  )
  const { signal } = new AbortController()
  const history = {} as unknown as History
  const context: WatchContext = {
    config,
    logger,
    redis,
    keys: own,
    watches,
    matches,
    history,
    stopping: signal,
  }
  await watches.add(aWatch({}))
  const { row } = recordOf({ callId: 'a' })
  const { from, to, state, code, reason, startedAt, trunks } = row
  for (let n = 0; n < 520; n++) {
    const id = n.toString(16).padStart(32, '0')
    const call = { id, callId: id, from, to, state, code, reason, startedAt, trunks, verdict: null }
    await runMatch(
      context,
      { watchId: 'w1', call, keys: [id] },
      {
        pin: async () => undefined,
        queueWebhook: async () => true,
      },
    )
  }
  t.equal((await watches.find('w1'))?.matches, 520)
  const kept = await matches.list()
  t.equal(kept.length, 500)
  t.equal(kept[0]?.call.callId, (519).toString(16).padStart(32, '0'), 'the newest stay')
})
