import type { TrunkUsage } from '@sip-capture/contract/rest/directory.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { micros } from '../history/time-sql.ts'
import type { Store } from '../history/store.ts'

const maxPairs = 2_000
const maxSearchSeconds = 20

/** Which endpoints had calls with which trunks, the most calls first; live traffic alone. @throws StoreError */
export async function readTrunkUsage(store: Store, { since }: { since: number }): Promise<TrunkUsage[]> {
  const rows = await store.query<{
    node: string
    trunk: string
    endpoint: string
    calls: number
    answered: number
    lastMicros: number
  }>(
    `SELECT node, trunk, endpoint, count() AS calls, countIf(answeredAt > 0) AS answered, max(startedMicros) AS lastMicros
     FROM (SELECT node, arrayJoin(trunks) AS trunk, endpoints, answeredAt, toUnixTimestamp64Micro(startedAt) AS startedMicros
           FROM calls FINAL WHERE startedAt >= ${micros('since')} AND capture = '' AND isDeleted = 0)
     ARRAY JOIN if(empty(arrayFilter(name -> name != trunk, endpoints)), [''],
       arrayFilter(name -> name != trunk, endpoints)) AS endpoint
     GROUP BY node, trunk, endpoint ORDER BY calls DESC, trunk, endpoint LIMIT ${maxPairs}
     SETTINGS do_not_merge_across_partitions_select_final = 1, max_execution_time = ${maxSearchSeconds}`,
    { since },
  )
  return rows.map(({ lastMicros, endpoint, ...row }) => ({
    ...row,
    endpoint: endpoint === '' ? null : endpoint,
    lastAt: toRfc3339(lastMicros),
  }))
}
