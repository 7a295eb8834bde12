import { mkdirSync, rmSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '@sip-capture/service/config.ts'
import { drainPending, Session } from 'chdb'
import { storeSettings, toStoreError, type Store } from './store.ts'
import { tablesOfOne } from './tables.ts'

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
  const exchange = `${folder}-exchange`
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
    // The folder is ours. What a process left that died while it handed rows over is still on the bus.
    rmSync(exchange, { recursive: true, force: true })
    mkdirSync(exchange, { mode: 0o700 })
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
  let files = 0
  /** The package hands over text and small answers only; a file that is gone at once stays in the page cache. */
  const withFile = async <T>(work: (file: string) => Promise<T>): Promise<T> => {
    const file = join(exchange, String(files++))
    try {
      return await work(file)
    } catch (error) {
      throw toStoreError(error)
    } finally {
      await rm(file, { force: true })
    }
  }
  const command = async (sql: string, params: Record<string, unknown> = {}) => {
    try {
      if (Object.keys(params).length > 0) await session.queryBindAsync(sql, params)
      else await session.queryAsync(sql)
    } catch (error) {
      throw toStoreError(error)
    }
  }
  return {
    tables: tablesOfOne,
    define: (sql) => command(sql),
    async query<T>(sql: string, params: Record<string, unknown> = {}) {
      return parseLines<T>((await run(sql, params, 'JSONEachRow')).text())
    },
    async queryBinary(sql, params = {}, { isLarge } = { isLarge: false }) {
      // Copied off the engine: never shared memory, which the type of the package does not say.
      if (!isLarge) return (await run(sql, params, 'RowBinary')).bytes() as Uint8Array<ArrayBuffer>
      return await withFile(async (file) => {
        await session.queryBindAsync(
          `${sql} INTO OUTFILE ${toSqlString(file)} FORMAT RowBinary SETTINGS max_threads = 1`,
          params,
        )
        return await readFile(file)
      })
    },
    async insert(table, columns, body) {
      try {
        await session.insert({ table, columns, format: 'JSONCompactEachRow', values: body })
      } catch (error) {
        throw toStoreError(error)
      }
    },
    async insertBinary(table, columns, rows) {
      await withFile(async (file) => {
        await writeFile(file, rows, { mode: 0o600 })
        await session.queryAsync(
          `INSERT INTO ${table} (${columns.join(', ')}) FROM INFILE ${toSqlString(file)} FORMAT RowBinary`,
        )
      })
    },
    command,
    async close() {
      session.close()
      // Leaving the process while the engine still works crashes natively now and then.
      await drainPending()
    },
  }
}

/** A path of the settings, as the engine's text. */
function toSqlString(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`
}

function parseLines<T>(text: string): T[] {
  if (text === '') return []
  const rows: T[] = []
  // JSON escapes line ends inside strings, so a line is a row.
  for (const line of text.split('\n')) if (line !== '') rows.push(JSON.parse(line) as T)
  return rows
}
