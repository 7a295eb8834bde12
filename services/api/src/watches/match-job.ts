import { watchMatch, type WatchMatch } from '@sip-capture/contract/rest/watch.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import type { WatchContext } from './watch-context.ts'
import { watchRecord, type MatchJob, type MatchRecord, type WatchRecord } from './watch-record.ts'

/** Matches of all watches that are kept to be read; what is not yet told stays beyond it. */
const maxMatches = 500
/** Call-IDs a watch remembers as told, for so long: a call beyond it that is judged again is told again. */
const maxSeen = 20_000
const seenSeconds = 30 * 86_400
const maxTries = 50

/** What a watch says once about a call: count, list of matches and memory change together, or not at all. */
const takeMatch = `if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return -1 end
  for n = 9, #ARGV do if redis.call('ZSCORE', KEYS[2], ARGV[n]) then return 0 end end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
  redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
  for n = 9, #ARGV do redis.call('ZADD', KEYS[2], ARGV[6], ARGV[n]) end
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[7]))
  redis.call('EXPIRE', KEYS[2], ARGV[8])
  return 1`

export interface MatchSteps {
  /** Why it is not kept; undefined: it is. */
  pin(match: MatchRecord, watch: WatchRecord): Promise<string | undefined>
  /** False: the queue is full. */
  queueWebhook(match: MatchRecord): Promise<boolean>
}

/**
 * A call matches a watch: once, whoever says it how often. Each step may be done again after a crash in the middle.
 * @throws when trying again can help.
 */
export async function runMatch(context: WatchContext, job: MatchJob, steps: MatchSteps): Promise<void> {
  const { watches, matches, redis, keys } = context
  const id = `${job.watchId}-${job.call.id}`
  await take(context, id, job)
  const match = await matches.find(id)
  const watch = await watches.find(job.watchId)
  if (!match || match.isTold || !watch) return
  const told: MatchRecord = { ...match, isTold: true }
  if (watch.pin) {
    const problem = await steps.pin(match, watch)
    if (problem === undefined) told.pinned = true
    else told.pinProblem = problem
  }
  if (watch.url !== null) {
    const at = toRfc3339(nowMicros())
    const isQueued = await steps.queueWebhook(match)
    told.delivery = isQueued
      ? (match.delivery ?? { state: 'waiting', attempts: 0, status: null, at })
      : { state: 'failed', attempts: 0, status: null, at, error: 'too many webhooks wait already' }
    if (!isQueued)
      await watches.change(watch.id, (old) => ({
        ...old,
        undelivered: old.undelivered + 1,
        delivery: told.delivery,
      }))
  }
  // The webhook's job may have written its outcome meanwhile.
  const done = await matches.change(id, (old) => ({ ...told, delivery: old.delivery ?? told.delivery }))
  if (done) await redis.publish(keys.news, JSON.stringify(toMatchView(done)))
}

export const toMatchView = (match: MatchRecord): WatchMatch => watchMatch.parse(match)

async function take(context: WatchContext, id: string, { watchId, call, keys: callKeys }: MatchJob) {
  const { redis, keys, matches } = context
  for (let tries = 0; tries < maxTries; tries++) {
    const text = await redis.hget(keys.watches, watchId)
    const watch = text === null ? undefined : watchRecord.safeParse(JSON.parse(text)).data
    if (text === null || !watch || watch.paused) return
    const now = nowMicros()
    const at = toRfc3339(now)
    const next: WatchRecord = {
      ...watch,
      matches: watch.matches + 1,
      lastMatch: { at, call },
      paused: watch.repeat === 'once',
    }
    const match: MatchRecord = {
      id,
      watchId,
      watchName: watch.name,
      at,
      createdAt: at,
      call,
      pinned: false,
      delivery: null,
      isTold: false,
    }
    const taken = await redis.eval(
      takeMatch,
      3,
      keys.watches,
      keys.seen(watchId),
      keys.matches,
      watchId,
      text,
      JSON.stringify(next),
      id,
      JSON.stringify(match),
      Math.floor(now / 1000),
      maxSeen,
      seenSeconds,
      ...callKeys,
    )
    if (taken === -1) continue
    if (taken === 1 && (await redis.hlen(keys.matches)) > maxMatches)
      for (const old of (await matches.list()).slice(maxMatches)) if (old.isTold) await matches.remove(old.id)
    return
  }
  throw new Error('a watch changes too often to be written')
}
