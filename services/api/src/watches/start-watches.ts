import type { BusKeys } from '@sip-capture/contract/keys.ts'
import type { ServerFrame } from '@sip-capture/contract/live.ts'
import { watchMatch, type WatchMatch } from '@sip-capture/contract/rest/watch.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { ApiConfig } from '../config.ts'
import type { History } from '../history/history-process.ts'
import { createJobQueue } from '../jobs/job-queue.ts'
import { createJobRecords } from '../jobs/job-records.ts'
import { runMatch, toMatchView, type MatchSteps } from './match-job.ts'
import type { WatchContext } from './watch-context.ts'
import { matchJob, matchQueue, matchRecord, watchKeys, watchRecord, webhookQueue } from './watch-record.ts'
import { createWatches, type Watches } from './watches.ts'
import { runWebhook } from './webhook-job.ts'

export interface RunningWatches {
  readonly watches: Watches
  close(): Promise<void>
}

/** One receiver that hangs holds one of them for 5 s. */
const webhooksAtOnce = 8
/** 2 + 4 + … + 512 s: a receiver may be away for a quarter of an hour. */
const webhookAttempts = 10
const maxWebhooks = 1_000
const newsMillis = 200
/** Matches in a frame; of more it says how many. */
const maxNews = 50
const maxNewsBytes = 256 * 1024

const webhookJob = z.object({ match: watchMatch })

/** Watches: what is known of them is in Redis, who matches calls is the history process, who tells of matches is here. */
export function startWatches(options: {
  config: ApiConfig
  redis: Redis
  keys: BusKeys
  history: History
  /** To the browsers of this process, if it has any. */
  browsers: { subscribeRedis: Redis; broadcast: (frame: ServerFrame) => void } | undefined
  logger: Logger
}): RunningWatches {
  const { config, redis, history, logger } = options
  const keys = watchKeys(options.keys)
  const stopping = new AbortController()
  const context: WatchContext = {
    config,
    logger,
    history,
    redis,
    keys,
    watches: createJobRecords({ redis, key: keys.watches, schema: watchRecord }),
    matches: createJobRecords({ redis, key: keys.matches, schema: matchRecord }),
    stopping: stopping.signal,
  }

  const webhooks = createJobQueue({
    name: webhookQueue,
    config,
    logger,
    concurrency: webhooksAtOnce,
    attempts: webhookAttempts,
    run: (job) => {
      const attempt = job.attemptsMade + 1
      const isLast = attempt >= (job.opts.attempts ?? 1)
      return runWebhook(context, webhookJob.parse(job.data).match, { attempt, isLast })
    },
    // The last try has written what went wrong.
    onGivenUp: async () => {},
  })
  const steps: MatchSteps = {
    async pin({ call }, watch) {
      const outcome = await history.ask<'pinCall'>({
        method: 'pinCall',
        id: call.callId,
        by: watch.name,
        max: config.PINNED_CALLS_MAX,
      })
      if ('pin' in outcome) return undefined
      return outcome.problem === 'full'
        ? `${config.PINNED_CALLS_MAX} calls are kept already (PINNED_CALLS_MAX)`
        : 'history no longer has its messages'
    },
    async queueWebhook(match) {
      const { waiting = 0, delayed = 0 } = await webhooks.queue.getJobCounts('waiting', 'delayed')
      if (waiting + delayed >= maxWebhooks) return false
      await webhooks.add('webhook', match.id, { match: toMatchView(match) })
      return true
    },
  }
  const matches = createJobQueue({
    name: matchQueue,
    config,
    logger,
    concurrency: 1,
    run: (job) => runMatch(context, matchJob.parse(job.data), steps),
    async onGivenUp(job, reason) {
      const parsed = matchJob.safeParse(job.data)
      if (!parsed.success) return
      // History was away all the while: the match is told all the same.
      const { watchId, call } = parsed.data
      const at = toRfc3339(nowMicros())
      await context.matches.change(`${watchId}-${call.id}`, (old) =>
        old.isTold
          ? undefined
          : { ...old, isTold: true, pinProblem: `given up at ${at}: ${reason.slice(0, 300)}` },
      )
    },
  })
  const news = options.browsers && followNews({ ...options.browsers, channel: keys.news })

  return {
    watches: createWatches(context),
    async close() {
      news?.close()
      stopping.abort()
      await Promise.all([matches.close(), webhooks.close()])
    },
  }
}

/** Matches, whichever process took them up, to the browsers of this one: a frame at most each 200 ms. */
function followNews(options: {
  subscribeRedis: Redis
  channel: string
  broadcast: (frame: ServerFrame) => void
}): { close(): void } {
  const { subscribeRedis, channel, broadcast } = options
  /** By id: a match and what became of its webhook may come together. */
  const waiting = new Map<string, WatchMatch>()
  let missed = 0
  const listen = (heard: Buffer, message: Buffer) => {
    if (String(heard) !== channel || message.length > maxNewsBytes) return
    const match = parseMatch(message)
    if (!match) return
    if (waiting.has(match.id) || waiting.size < maxNews) waiting.set(match.id, match)
    else missed += 1
  }
  const follow = () => void subscribeRedis.subscribe(channel).catch(() => {})
  subscribeRedis.on('messageBuffer', listen)
  subscribeRedis.on('ready', follow)
  if (subscribeRedis.status === 'ready') follow()
  const timer = setInterval(() => {
    if (waiting.size === 0 && missed === 0) return
    broadcast({ type: 'watch:matched', items: [...waiting.values()], missed })
    waiting.clear()
    missed = 0
  }, newsMillis)
  return {
    close() {
      clearInterval(timer)
      subscribeRedis.off('messageBuffer', listen)
      subscribeRedis.off('ready', follow)
    },
  }
}

function parseMatch(message: Buffer): WatchMatch | undefined {
  try {
    return watchMatch.safeParse(JSON.parse(message.toString('utf8'))).data
  } catch {
    return undefined
  }
}
