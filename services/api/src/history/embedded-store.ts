import { mkdirSync } from 'node:fs'
import { ConfigError } from '@sip-capture/service/config.ts'
import { drainPending, Session } from 'chdb'
import { storeSettings, toStoreError, type Store } from './store.ts'

/** Small pools and caches: this engine shares a PBX host. Defaults would hold more than a hundred threads. */
const engineArguments = [
  '--background_pool_size=2',
  '--background_merges_mutations_concurrency_ratio=2',
  '--background_schedule_pool_size=2',
  '--background_common_pool_size=1',
  '--background_move_pool_size=1',
  '--background_fetches_pool_size=1',
  '--background_message_broker_schedule_pool_size=1',
  '--background_distributed_schedule_pool_size=1',
  '--mark_cache_size=67108864',
  '--uncompressed_cache_size=0',
  ...Object.entries(storeSettings).map(([name, value]) => `--${name}=${value}`),
]

/**
 * Opens the engine on `folder` (made if missing). One process may hold a folder at a time.
 * @throws ConfigError when the folder cannot be written, StoreError when the engine cannot open it.
 */
export function openEmbeddedStore(folder: string): Store {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new ConfigError(
      `DATA_DIR: cannot make ${folder}: ${error instanceof Error ? error.message : 'unknown'}`,
    )
  }
  let session: Session
  try {
    session = new Session(folder, { connectionArgs: engineArguments })
  } catch (error) {
    throw toStoreError(error)
  }
  const run = async (sql: string, params: Record<string, unknown>, format: string) => {
    try {
      return Object.keys(params).length > 0
        ? await session.queryBindAsync(sql, params, { format })
        : await session.queryAsync(sql, { format })
    } catch (error) {
      throw toStoreError(error)
    }
  }
  return {
    async query<T>(sql: string, params: Record<string, unknown> = {}) {
      return parseLines<T>((await run(sql, params, 'JSONEachRow')).text())
    },
    async queryBinary(sql, params = {}) {
      // Copied off the engine: never shared memory, which the type of the package does not say.
      return (await run(sql, params, 'RowBinary')).bytes() as Uint8Array<ArrayBuffer>
    },
    async insert(table, columns, body) {
      try {
        await session.insert({ table, columns, format: 'JSONCompactEachRow', values: body })
      } catch (error) {
        throw toStoreError(error)
      }
    },
    async command(sql, params = {}) {
      try {
        if (Object.keys(params).length > 0) await session.queryBindAsync(sql, params)
        else await session.queryAsync(sql)
      } catch (error) {
        throw toStoreError(error)
      }
    },
    async close() {
      session.close()
      // Leaving the process while the engine still works crashes natively now and then.
      await drainPending()
    },
  }
}

function parseLines<T>(text: string): T[] {
  if (text === '') return []
  const rows: T[] = []
  // JSON escapes line ends inside strings, so a line is a row.
  for (const line of text.split('\n')) if (line !== '') rows.push(JSON.parse(line) as T)
  return rows
}
