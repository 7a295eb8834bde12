import { failedStates, type CallRates, type CallStats } from '@sip-capture/contract/rest/call-log.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import type { Store } from '../history/store.ts'
import { toCallCondition, type CallQuery } from './call-store.ts'

const maxKeys = 50
/** Trunks by codes by buckets. */
const maxFailureCounts = 100_000
const maxSearchSeconds = 20

/** Past set-up: answered or over. */
const seizure = `state NOT IN ('setting-up', 'ringing')`
/** The network did its part: the called side answered, was busy, did not answer or refused (ITU-T E.425). */
const effective = `(answeredAt > 0 OR code IN (480, 486, 487, 600, 603))`
const rateColumns = `count() AS calls, countIf(answeredAt > 0) AS answered, countIf(${seizure}) AS seizures,
  countIf(${seizure} AND ${effective}) AS effective, countIf(talkMillis >= 0) AS ended, sumIf(talkMillis, talkMillis >= 0) AS talk,
  countIf(pddMillis >= 0) AS rang, quantileExactIf(0.5)(pddMillis, pddMillis >= 0) AS pddMedian,
  quantileExactIf(0.95)(pddMillis, pddMillis >= 0) AS pddP95`

interface RateRow {
  calls: number
  answered: number
  seizures: number
  effective: number
  ended: number
  talk: number
  rang: number
  pddMedian: number
  pddP95: number
}

const dimensions = {
  byState: 'state',
  byCode: `if(code < 0, '', toString(code))`,
  byVerdict: 'arrayJoin(ruleIds)',
  byTrunk: 'arrayJoin(trunks)',
} as const

/** Counts and rates of the calls that began in `since`..`until`, whole and by state, code, rule and trunk, the most frequent
 *  keys first. @throws StoreError */
export async function readCallStats(
  store: Store,
  query: CallQuery & { since: number; until: number; bucketSeconds: number },
): Promise<CallStats> {
  const { since, until, bucketSeconds } = query
  const { sql, params } = toCallCondition(query)
  const widthMicros = bucketSeconds * 1_000_000
  const bucketCount = Math.max(1, Math.ceil((until - since) / widthMicros))
  const bound = { ...params, widthMicros }
  const bucket = `intDiv(toUnixTimestamp64Micro(startedAt) - {since:Int64}, {widthMicros:Int64})`
  const from = `FROM calls FINAL WHERE ${sql}`
  const settings = `SETTINGS do_not_merge_across_partitions_select_final = 1, max_execution_time = ${maxSearchSeconds}`
  const [total] = await store.query<RateRow>(`SELECT ${rateColumns} ${from} ${settings}`, bound)
  const rows = await store.query<RateRow & { bucket: number }>(
    `SELECT ${bucket} AS bucket, ${rateColumns} ${from} GROUP BY bucket ${settings}`,
    bound,
  )
  const byBucket = new Map(rows.map((row) => [row.bucket, row]))
  const groups = async (key: string) => {
    const totals = await store.query<RateRow & { key: string }>(
      `SELECT ${key} AS key, ${rateColumns} ${from} GROUP BY key HAVING key != ''
       ORDER BY calls DESC, key LIMIT ${maxKeys} ${settings}`,
      bound,
    )
    const counts = await store.query<{ key: string; bucket: number; calls: number }>(
      `SELECT ${key} AS key, ${bucket} AS bucket, count() AS calls ${from}
       GROUP BY key, bucket HAVING key IN {keys:Array(String)} ${settings}`,
      { ...bound, keys: totals.map((row) => row.key) },
    )
    const buckets = new Map(totals.map((row) => [row.key, Array.from({ length: bucketCount }, () => 0)]))
    for (const { key: name, bucket: at, calls } of counts) {
      const own = buckets.get(name)
      if (own && at < bucketCount) own[at] = calls
    }
    return totals.map((row) => ({ key: row.key, ...toRates(row), buckets: buckets.get(row.key) ?? [] }))
  }
  const readFailures = async (): Promise<CallStats['failures']> => {
    const counts = await store.query<{ trunk: string; code: number; bucket: number; calls: number }>(
      `SELECT arrayJoin(if(empty(trunks), [''], trunks)) AS trunk, code, ${bucket} AS bucket, count() AS calls
       ${from} AND state IN {failed:Array(String)} GROUP BY trunk, code, bucket LIMIT ${maxFailureCounts} ${settings}`,
      { ...bound, failed: [...failedStates] },
    )
    const found = new Map<string, CallStats['failures'][number]>()
    for (const { trunk, code, bucket: at, calls } of counts) {
      const key = `${code} ${trunk}`
      const row = found.get(key) ?? {
        trunk,
        code: code < 0 ? null : code,
        calls: 0,
        buckets: Array.from({ length: bucketCount }, () => 0),
      }
      row.calls += calls
      if (at < bucketCount) row.buckets[at] = (row.buckets[at] ?? 0) + calls
      found.set(key, row)
    }
    return [...found.values()].sort((a, b) => b.calls - a.calls).slice(0, maxKeys)
  }
  return {
    since: toRfc3339(since),
    until: toRfc3339(until),
    bucketSeconds,
    total: toRates(total),
    buckets: Array.from({ length: bucketCount }, (_, index) => ({
      at: toRfc3339(since + index * widthMicros),
      ...toRates(byBucket.get(index)),
    })),
    byState: await groups(dimensions.byState),
    byCode: await groups(dimensions.byCode),
    byVerdict: await groups(dimensions.byVerdict),
    byTrunk: await groups(dimensions.byTrunk),
    failures: await readFailures(),
  }
}

const share = (part: number, whole: number) => (whole === 0 ? null : part / whole)

function toRates(row: RateRow | undefined): CallRates {
  if (!row)
    return {
      calls: 0,
      answered: 0,
      asr: null,
      ner: null,
      acdMillis: null,
      pddMedianMillis: null,
      pddP95Millis: null,
    }
  return {
    calls: row.calls,
    answered: row.answered,
    asr: share(row.answered, row.seizures),
    ner: share(row.effective, row.seizures),
    acdMillis: share(row.talk, row.ended),
    pddMedianMillis: row.rang === 0 ? null : row.pddMedian,
    pddP95Millis: row.rang === 0 ? null : row.pddP95,
  }
}
