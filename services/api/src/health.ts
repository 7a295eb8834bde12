import type { SourcesAnswer } from '@sip-capture/contract/rest/source.ts'
import type { HistoryStatus } from './history/requests.ts'
import type { MessageBus } from './message-buses.ts'

type Health = SourcesAnswer['api']

/** How a process stands by itself. `counters`: beside those of history. */
export function toHealth(of: {
  buses: readonly Pick<MessageBus, 'redis' | 'name'>[]
  status: HistoryStatus
  counters: Readonly<Record<string, number>>
}): Health {
  const away = of.buses.filter(({ redis }) => redis.status !== 'ready')
  const { ok, detail, counters, backlog } = of.status
  return {
    redis: {
      ok: away.length === 0,
      detail: away.map(({ name }) => `${name} does not answer`).join('; '),
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
