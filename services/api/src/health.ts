import type { SourcesAnswer } from '@sip-capture/contract/rest/source.ts'
import { redisAddress } from '@sip-capture/service/redis.ts'
import type { Redis } from 'ioredis'
import type { ApiConfig } from './config.ts'
import type { HistoryStatus } from './history/requests.ts'

type Health = SourcesAnswer['api']

/** How a process stands by itself. `counters`: beside those of history. */
export function toHealth(of: {
  config: Pick<ApiConfig, 'REDIS_URL'>
  redis: Redis
  status: HistoryStatus
  counters: Readonly<Record<string, number>>
}): Health {
  const isRedisUp = of.redis.status === 'ready'
  const { ok, detail, counters, backlog } = of.status
  return {
    redis: {
      ok: isRedisUp,
      detail: isRedisUp ? '' : `Redis at ${redisAddress(of.config.REDIS_URL)} (REDIS_URL) does not answer`,
    },
    history: { ok, detail },
    counters: { ...counters, ...of.counters },
    backlog,
  }
}

/** The same as numbers of this moment. */
export function toGauges({ redis, history }: Health, status: HistoryStatus): Record<string, number> {
  return {
    redisOk: Number(redis.ok),
    historyOk: Number(history.ok),
    backlogEntries: status.backlog,
    callsWaiting: status.callsWaiting,
    historyBytes: status.bytes,
  }
}
