import { mkdirSync, rmSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '@sip-capture/service/config.ts'
import { drainPending, Session } from 'chdb'
import { withLiterals } from './literals.ts'
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
  /** A batch names thousands of ids. */
  '--max_query_size=67108864',
  ...Object.entries(storeSettings).map(([name, value]) => `--${name}=${value}`),
]

/**
 * A connection runs one statement after the other: with several, a search that takes its time holds up neither what is
 * stored nor the call that is opened. Values go in as literals, since the package binds them for one statement of the whole
 * process at a time.
 */
const connections = 4

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
  const sessions: { readonly session: Session; running: number }[] = []
  try {
    for (let n = 0; n < connections; n++)
      sessions.push({ session: new Session(folder, { connectionArgs: engineArguments }), running: 0 })
    // The folder is ours. What a process left that died while it handed rows over is still on the bus.
    rmSync(exchange, { recursive: true, force: true })
    mkdirSync(exchange, { mode: 0o700 })
  } catch (error) {
    for (const { session } of sessions) session.close()
    throw toStoreError(error)
  }
  /** On the connection with the least to do. */
  const run = async <T>(work: (session: Session) => Promise<T>): Promise<T> => {
    const free = sessions.reduce((least, one) => (one.running < least.running ? one : least))
    free.running += 1
    try {
      return await work(free.session)
    } catch (error) {
      throw toStoreError(error)
    } finally {
      free.running -= 1
    }
  }
  const ask = (sql: string, params: Record<string, unknown>, format: string) =>
    run((session) => session.queryAsync(withLiterals(sql, params), { format }))
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
    await run((session) => session.queryAsync(withLiterals(sql, params)))
  }
  return {
    tables: tablesOfOne,
    define: (sql) => command(sql),
    async query<T>(sql: string, params: Record<string, unknown> = {}) {
      return parseLines<T>((await ask(sql, params, 'JSONEachRow')).text())
    },
    async queryBinary(sql, params = {}, { isLarge } = { isLarge: false }) {
      // Copied off the engine: never shared memory, which the type of the package does not say.
      if (!isLarge) return (await ask(sql, params, 'RowBinary')).bytes() as Uint8Array<ArrayBuffer>
      return await withFile(async (file) => {
        await command(
          `${sql} INTO OUTFILE ${toSqlString(file)} FORMAT RowBinary SETTINGS max_threads = 1`,
          params,
        )
        return await readFile(file)
      })
    },
    async insert(table, columns, body) {
      await run((session) => session.insert({ table, columns, format: 'JSONCompactEachRow', values: body }))
    },
    async insertBinary(table, columns, rows) {
      await withFile(async (file) => {
        await writeFile(file, rows, { mode: 0o600 })
        await command(
          `INSERT INTO ${table} (${columns.join(', ')}) FROM INFILE ${toSqlString(file)} FORMAT RowBinary`,
        )
      })
    },
    command,
    async close() {
      for (const { session } of sessions) session.close()
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
