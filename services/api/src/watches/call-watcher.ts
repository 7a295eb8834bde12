import { setImmediate as breathe } from 'node:timers/promises'
import type { BusKeys } from '@sip-capture/contract/keys.ts'
import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import type { MatchedCall } from '@sip-capture/contract/rest/watch.ts'
import { SearchError } from '@sip-capture/contract/search/query.ts'
import { parseTime } from '@sip-capture/contract/time.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { toCallKey, type CallRecord } from '../calls/call-record.ts'
import { openQueue } from '../jobs/job-queue.ts'
import { compileCallMatch, type CallMatch } from '../live/call-match.ts'
import { matchQueue, watchKeys, watchRecord, type MatchJob, type WatchRecord } from './watch-record.ts'

export interface CallWatcher {
  /**
   * Calls as their rows are about to be written → by id, when one must be judged again for a watch (epoch microseconds): it
   * has only just ended, or Redis did not take the match. Written with the row, so a crash forgets none. Never throws.
   */
  judge(records: readonly CallRecord[], nowMicros: number): Promise<ReadonlyMap<string, number>>
  /** Matches for which the queue had no room. */
  readonly counters: Readonly<{ watchMatchesDropped: number }>
  close(): Promise<void>
}

/** Asterisk's last word on a call comes behind its last message. */
const settleMicros = 2_000_000
const againMicros = 5_000_000
/** Matches that nobody has taken up. */
const maxWaiting = 10_000
const attempts = 8
/** Of a text from SIP: a message may be all From. */
const maxTextLength = 512
const maxTrunks = 8
/** A longer Call-ID is an attack. */
const maxCallIdLength = 1_024
const firstBackoffMillis = 2_000

const running: ReadonlySet<CallRow['state']> = new Set(['setting-up', 'ringing', 'in-call'])

/** Looks at each call that is judged whether it matches a watch. It says so to a queue; who takes it up says it once. */
export function createCallWatcher(options: {
  redis: Redis
  keys: BusKeys
  config: { REDIS_URL: string; BUS_PREFIX: string }
  logger: Logger
}): CallWatcher {
  const { redis, config, logger } = options
  const keys = watchKeys(options.keys)
  const counters = { watchMatchesDropped: 0 }
  /** Undefined until Redis has once said which watches there are. */
  let watches: readonly WatchRecord[] | undefined
  let texts = ''
  let queue: Queue | undefined

  async function readWatches(): Promise<readonly WatchRecord[] | undefined> {
    try {
      const values = await redis.hvals(keys.watches)
      const joined = values.join('\n')
      if (joined !== texts || watches === undefined) {
        watches = values.flatMap((text) => {
          const parsed = watchRecord.safeParse(JSON.parse(text))
          return parsed.success ? [parsed.data] : []
        })
        texts = joined
      }
    } catch (error) {
      logger.debug({ reason: reasonOf(error) }, 'watches cannot be read')
    }
    return watches
  }

  async function hand(jobs: readonly MatchJob[]): Promise<void> {
    queue ??= openQueue({ name: matchQueue, config, logger })
    const room = maxWaiting - (await queue.getWaitingCount())
    const taken = jobs.slice(0, Math.max(0, room))
    counters.watchMatchesDropped += jobs.length - taken.length
    await queue.addBulk(
      taken.map((data) => ({
        name: 'match',
        data,
        opts: {
          // Once, however often the call is judged before it is taken up.
          jobId: `${data.watchId}-${data.call.id}`,
          attempts,
          backoff: { type: 'exponential', delay: firstBackoffMillis },
          removeOnComplete: true,
          removeOnFail: true,
        },
      })),
    )
  }

  async function isSeen(job: MatchJob): Promise<boolean> {
    const scores = await redis.zmscore(keys.seen(job.watchId), ...job.keys)
    return scores.some((score) => score !== null)
  }

  return {
    counters,
    async judge(records, nowMicros) {
      const again = new Map<string, number>()
      const live = records.filter(({ row }) => row.capture === null)
      if (live.length === 0) return again
      const all = await readWatches()
      if (all === undefined) {
        for (const { row } of live) again.set(row.id, nowMicros + againMicros)
        return again
      }
      const jobs: MatchJob[] = []
      for (const watch of all) {
        const matches = watch.paused ? undefined : compile(watch)
        if (!matches) continue
        for (const record of live) {
          const wait = waitMicros(record.row, watch, nowMicros)
          if (wait === undefined || !matches(record)) continue
          if (wait > 0) again.set(record.row.id, nowMicros + wait)
          else jobs.push(toJob(watch, record.row))
        }
        // The same loop takes messages in.
        await breathe()
      }
      if (jobs.length === 0) return again
      try {
        const seen = await Promise.all(jobs.map(isSeen))
        const fresh = jobs.filter((_job, n) => seen[n] === false)
        if (fresh.length > 0) await hand(fresh)
      } catch (error) {
        logger.debug({ reason: reasonOf(error) }, 'matches of watches cannot be handed on; trying again')
        for (const { call } of jobs) again.set(call.id, nowMicros + againMicros)
      }
      return again
    },
    async close() {
      await queue?.disconnect().catch(() => {})
    },
  }
}

/** Undefined: this call is no news for the watch. 0: it is, now. Else so long it may still change its mind. */
function waitMicros(row: CallRow, watch: WatchRecord, nowMicros: number): number | undefined {
  if (running.has(row.state)) return watch.whileRunning ? 0 : undefined
  const endedAt = parseTime(row.endedAt ?? row.startedAt) ?? 0
  if (endedAt < (parseTime(watch.activeSince) ?? 0)) return undefined
  // A clock that is ahead must not hold the call back for as long.
  const left = endedAt + settleMicros - nowMicros
  return left > 0 && left <= 2 * settleMicros ? left : 0
}

/** Anew for each batch: a search may say `since:-1h`. */
function compile({ search }: WatchRecord): CallMatch | undefined {
  try {
    return compileCallMatch(search.trim() === '' ? {} : { q: search })
  } catch (error) {
    if (error instanceof SearchError) return undefined
    throw error
  }
}

function toJob(watch: WatchRecord, row: CallRow): MatchJob {
  const keys = new Set([row.id, ...row.callIds.map((callId) => toCallKey('', callId))])
  return { watchId: watch.id, call: toMatchedCall(row), keys: [...keys].slice(0, 500) }
}

function toMatchedCall(row: CallRow): MatchedCall {
  const { id, callIds, from, to, state, code, reason, startedAt, trunks, verdict } = row
  return {
    id,
    callId: (callIds[0] ?? id).slice(0, maxCallIdLength),
    from: { number: cut(from.number), name: cut(from.name) },
    to: { number: cut(to.number), name: cut(to.name) },
    state,
    code,
    reason: cut(reason),
    startedAt,
    trunks: trunks.slice(0, maxTrunks).map(cut),
    verdict: verdict && { ruleId: verdict.ruleId, severity: verdict.severity, title: verdict.title },
  }
}

const cut = (text: string): string => text.slice(0, maxTextLength)

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
