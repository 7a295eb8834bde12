import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { repositoryFolder } from '@sip-capture/infra/repository.ts'
import { startTestClickHouse, type TestClickHouse } from '@sip-capture/testing/test-clickhouse.ts'
import { z } from 'zod'
import { RecordLoop } from './bus-feed.ts'
import { median, percentile } from './figures.ts'
import type { RunRow } from './row.ts'
import { startApi, type ApiSystem } from './system.ts'

const dayMicros = 86_400_000_000
const warmUp = 5

/** Messages through the bus into two shards, one of whose servers is killed and started again on the way. */
export const run: RunRow = async ({ pick, folder, say }) => {
  const messages = pick(30_000, 1_000_000, 5_000_000)
  const cluster = await startTestClickHouse(
    pathToFileURL(join(repositoryFolder, 'services/api/package.json')).href,
  )
  try {
    const api = await startApi(folder, {
      HISTORY_URL: cluster.servers.map(({ url }) => url).join(','),
      HISTORY_CLUSTER: cluster.cluster,
    })
    try {
      const records = new RecordLoop(65_000)
      let outage: Promise<void> | undefined
      let told = 0
      const startedAt = performance.now()
      await api.store(
        records.spread(messages, Date.now() * 1_000 - dayMicros, dayMicros / messages),
        (stored) => {
          if (stored > messages / 2) outage ??= restartOne(api, cluster)
          if (stored >= told) {
            told += messages / 10
            say(`${stored.toLocaleString('en-US')} after ${seconds(startedAt).toFixed(0)} s`)
          }
        },
      )
      await outage
      const took = seconds(startedAt)
      const shards = await Promise.all(cluster.servers.map(({ url }) => count(url, 'messages_local')))
      const [all] = await ask(
        cluster,
        'SELECT count() AS stored, uniqExact(messages.id) AS distinct FROM messages',
      )
      const { stored = 0, distinct = 0 } = all ?? {}
      const size = messages.toLocaleString('en-US')
      const lookUps = await times(api, cluster, pick(40, 200, 400))
      return [
        {
          name: `cluster: ${size} through the bus, a server killed meanwhile`,
          value: messages / took,
          unit: 'messages/s',
        },
        { name: 'cluster: lost', value: messages - distinct, unit: 'messages', atMost: 0 },
        { name: 'cluster: there twice', value: stored - distinct, unit: 'messages', atMost: 0 },
        ...shards.map((held, n) => ({ name: `cluster: on shard ${n + 1}`, value: held, unit: 'messages' })),
        { name: `cluster: a call by Call-ID, ${size}, p50`, value: median(lookUps), unit: 'ms' },
        { name: `cluster: a call by Call-ID, ${size}, p99`, value: percentile(lookUps, 0.99), unit: 'ms' },
      ]
    } finally {
      await api.stop()
    }
  } finally {
    await cluster.stop()
  }
}

const seconds = (since: number): number => (performance.now() - since) / 1_000

const sourcesAnswer = z.object({ api: z.object({ counters: z.record(z.string(), z.number()) }) })

/** Away until history has noticed. */
async function restartOne(api: ApiSystem, { servers }: TestClickHouse): Promise<void> {
  const [, server] = servers
  await server?.kill()
  for (;;) {
    const { counters } = sourcesAnswer.parse(await (await api.get('/api/v1/sources')).json()).api
    if ((counters['insertFailures'] ?? 0) > 0) break
    await pause(200)
  }
  await server?.start()
}

const row = z.record(z.string(), z.coerce.number())

async function ask({ servers }: TestClickHouse, sql: string) {
  return (await query(servers[0]?.url ?? '', sql)).map((line) => row.parse(JSON.parse(line)))
}

async function count(url: string, table: string): Promise<number> {
  const [line = '{}'] = await query(url, `SELECT count() AS held FROM ${table}`)
  return row.parse(JSON.parse(line))['held'] ?? 0
}

async function query(url: string, sql: string): Promise<string[]> {
  const answer = await fetch(url, { method: 'POST', body: `${sql} FORMAT JSONEachRow` })
  const text = await answer.text()
  if (!answer.ok) throw new Error(text.slice(0, 500))
  return text.split('\n').filter(Boolean)
}

const callIdRow = z.object({ callId: z.string() })

/** Milliseconds of look-ups of calls from all over the day, one after the other. */
async function times(api: ApiSystem, { servers }: TestClickHouse, calls: number): Promise<number[]> {
  const lines = await query(
    servers[0]?.url ?? '',
    `SELECT DISTINCT callId FROM callSlots ORDER BY cityHash64(callId) LIMIT ${calls + warmUp}`,
  )
  const millis: number[] = []
  for (const line of lines) {
    const { callId } = callIdRow.parse(JSON.parse(line))
    const startedAt = performance.now()
    const answer = await api.get(`/api/v1/messages?limit=100&callId=${encodeURIComponent(callId)}`)
    const text = await answer.text()
    millis.push(performance.now() - startedAt)
    if (!text.includes('"callId":')) throw new Error(`${callId}: ${answer.status} ${text.slice(0, 200)}`)
  }
  return millis.slice(warmUp)
}
