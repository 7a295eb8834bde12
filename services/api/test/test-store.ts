import type { TestClickHouse } from '@sip-capture/testing/test-clickhouse.ts'
import { openClusterStore } from '../src/history/cluster-store.ts'
import { createEmbeddedStore } from '../src/history/embedded-store.ts'
import { openEngine } from '../src/history/engine.ts'
import { migrate } from '../src/history/schema.ts'
import type { Store } from '../src/history/store.ts'

interface Test {
  teardown(work: () => Promise<void>): void
  testdir(): string
}

let used: TestClickHouse | undefined
let databases = 0

/** From now on the tests of this process have their histories on it. */
export function useCluster(cluster: TestClickHouse): void {
  used = cluster
}

/** The settings of a history that is empty: embedded, or a database of its own on the cluster in use. */
export async function newHistory(): Promise<{ HISTORY_URL?: string; HISTORY_CLUSTER?: string }> {
  if (!used) return {}
  const database = `test${databases++}`
  for (const { url } of used.servers) {
    const answer = await fetch(url, { method: 'POST', body: `CREATE DATABASE ${database}` })
    if (!answer.ok) throw new Error(await answer.text())
  }
  return {
    HISTORY_URL: used.servers.map(({ url }) => `${url}/${database}`).join(','),
    HISTORY_CLUSTER: used.cluster,
  }
}

/** A store without rows; closed with the test. */
export async function openTestStore(t: Test, { hasTables } = { hasTables: true }): Promise<Store> {
  const { HISTORY_URL, HISTORY_CLUSTER } = await newHistory()
  let opened: Store | undefined
  // Before the folder is asked for: tap clears up in the order of the first asking, and what is open still writes.
  t.teardown(async () => opened?.close())
  const store =
    HISTORY_URL === undefined || HISTORY_CLUSTER === undefined
      ? createEmbeddedStore(openEngine(t.testdir()))
      : openClusterStore({ urls: HISTORY_URL.split(','), cluster: HISTORY_CLUSTER })
  opened = store
  if (hasTables) await migrate(store)
  return store
}
