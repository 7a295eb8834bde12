import { openServerStore } from './server-store.ts'
import { StoreError, type Store } from './store.ts'
import { tablesOfCluster } from './tables.ts'

/** What statements over shards need to be as right as over one server. */
const clusterSettings = {
  // Acknowledged when every shard has its rows; nothing waits on the disk of the server that was asked.
  distributed_foreground_insert: 1,
  // Half an answer would look like a whole one.
  skip_unavailable_shards: 0,
  // `IN (SELECT …)` looks on its own shard: `TableDefinition.shardBy` sees to it that what belongs together is there.
  distributed_product_mode: 'local',
  // Its ORDER BY and LIMIT are meant over all shards.
  parallel_distributed_insert_select: 0,
} as const

const defaultDatabase = 'default'

interface ClusterMember {
  readonly shard: number
  readonly replicas: number
  readonly isLocal: number
}

/**
 * A cluster that the servers know by name. With one URL, a server hands definitions on to the others (`ON CLUSTER`, which needs a
 * Keeper); with several they are told each, and must be all of the cluster. Rows are asked of one server; the next is taken when
 * it does not answer. Connects at the first statement.
 */
export function openClusterStore({ urls, cluster }: { urls: readonly string[]; cluster: string }): Store {
  const servers = urls.map((url) => openServerStore(url, clusterSettings))
  const onCluster = servers.length === 1
  let first = 0
  let checked: Promise<void> | undefined

  /** `isRepeatable`: it may have been begun and is right when it is done again. */
  async function ask<T>(work: (server: Store) => Promise<T>, isRepeatable: boolean): Promise<T> {
    for (let tried = 1; ; tried++) {
      const asked = first
      try {
        return await work(serverAt(asked))
      } catch (error) {
        if (!isConnectionFault(error)) throw error
        if (first === asked) first = (asked + 1) % servers.length
        if (tried === servers.length || !(isRepeatable || wasRefused(error))) throw error
      }
    }
  }

  function serverAt(index: number): Store {
    const server = servers[index]
    if (!server) throw new RangeError('cluster: no server')
    return server
  }

  async function check(): Promise<void> {
    const membersOf = (server: Store) =>
      server.query<ClusterMember>(
        `SELECT shard_num AS shard, count() AS replicas, max(is_local) AS isLocal
         FROM system.clusters WHERE cluster = {cluster:String} GROUP BY shard_num ORDER BY shard_num`,
        { cluster },
      )
    const members = await ask(membersOf, true)
    if (members.length === 0)
      throw new StoreError(`HISTORY_CLUSTER: the server knows no cluster ${cluster}`, undefined)
    const copied = members.find(({ replicas }) => replicas > 1)
    if (copied)
      throw new StoreError(
        `HISTORY_CLUSTER: shard ${copied.shard} of ${cluster} has ${copied.replicas} replicas, which would not have the same rows: one is supported`,
        undefined,
      )
    if (onCluster) return
    const told = new Set<number>()
    for (const server of servers)
      for (const { shard, isLocal } of await membersOf(server)) if (isLocal) told.add(shard)
    const missing = members.find(({ shard }) => !told.has(shard))
    if (missing)
      throw new StoreError(
        `HISTORY_URL: none of its servers is shard ${missing.shard} of ${cluster}; name all, or one that reaches the others by a Keeper`,
        undefined,
      )
  }

  return {
    tables: tablesOfCluster(cluster, { database: databaseOf(urls[0] ?? ''), onCluster }),
    async define(sql) {
      checked ??= check()
      try {
        await checked
      } catch (error) {
        checked = undefined
        throw error
      }
      if (onCluster) return await serverAt(0).command(sql)
      for (const server of servers) await server.command(sql)
    },
    query: (sql, params) => ask((server) => server.query(sql, params), true),
    queryBinary: (sql, params) => ask((server) => server.queryBinary(sql, params), true),
    insert: (table, columns, body) => ask((server) => server.insert(table, columns, body), false),
    insertBinary: (table, columns, rows) => ask((server) => server.insertBinary(table, columns, rows), false),
    insertColumns: (table, columns, block) =>
      ask((server) => server.insertColumns(table, columns, block), false),
    command: (sql, params) => ask((server) => server.command(sql, params), false),
    async close() {
      await Promise.all(servers.map((server) => server.close()))
    },
  }
}

function databaseOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1)) || defaultDatabase
}

/** The engine said nothing. */
const isConnectionFault = (error: unknown): boolean =>
  error instanceof StoreError && error.clickhouseCode === undefined

const refusals = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'])

/** Nothing was begun. */
function wasRefused(error: unknown): boolean {
  const { cause } = error as Error
  return cause instanceof Error && 'code' in cause && refusals.has(String(cause.code))
}
