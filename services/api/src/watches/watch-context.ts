import type { WebhookBody, MatchedCall } from '@sip-capture/contract/rest/watch.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import type { Redis } from 'ioredis'
import type { ApiConfig } from '../config.ts'
import type { History } from '../history/history-process.ts'
import type { JobRecords } from '../jobs/job-records.ts'
import type { MatchRecord, WatchKeys, WatchRecord } from './watch-record.ts'

/** What everything about watches works with. */
export interface WatchContext {
  readonly config: ApiConfig
  readonly logger: Logger
  readonly history: History
  readonly redis: Redis
  readonly keys: WatchKeys
  readonly watches: JobRecords<WatchRecord>
  readonly matches: JobRecords<MatchRecord>
  /** Aborts when the service stops. */
  readonly stopping: AbortSignal
}

export function toWebhookBody(
  config: Pick<ApiConfig, 'PUBLIC_URL'>,
  watch: Pick<WatchRecord, 'id' | 'name' | 'search'>,
  match: { id: string; at: string; call: MatchedCall | null },
): WebhookBody {
  const { id, at, call } = match
  return {
    type: call === null ? 'test' : 'call.matched',
    id,
    at,
    watch: { id: watch.id, name: watch.name, search: watch.search },
    call,
    link:
      call === null || config.PUBLIC_URL === undefined
        ? null
        : `${config.PUBLIC_URL}/capture?call=${call.id}`,
  }
}
