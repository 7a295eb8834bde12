import { mkdirSync, rmSync } from 'node:fs'
import { ConfigError } from '@sip-capture/service/config.ts'
import { drainPending, Session } from 'chdb'
import { storeSettings, toStoreError } from './store.ts'

/** ClickHouse in this process, or at the other end of a port: takes whole statements, in the order in which there is room. */
export interface Engine {
  /** Where rows are handed over as files, in both directions: the package takes and gives text and small answers only. */
  readonly exchange: string
  /** A statement without rows. @throws StoreError */
  run(sql: string): Promise<void>
  /** Rows as JSON, one a line. @throws StoreError */
  lines(sql: string): Promise<string>
  /** Rows as RowBinary. @throws StoreError */
  bytes(sql: string): Promise<Uint8Array<ArrayBuffer>>
  close(): Promise<void>
}

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
  /** Answers are pages: to hand their rows to other threads costs more than to write them. */
  '--output_format_parallel_formatting=0',
  ...Object.entries(storeSettings).map(([name, value]) => `--${name}=${value}`),
]

/**
 * A connection runs one statement after the other: with several, a search that takes its time holds up neither what is
 * stored nor the call that is opened.
 */
const connections = 4

/**
 * Opens the engine on `folder` (made if missing). One process may hold a folder at a time.
 * @throws ConfigError when the folder cannot be written, StoreError when the engine cannot open it.
 */
export function openEngine(folder: string): Engine {
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
  const ask = async (sql: string, format?: 'JSONEachRow' | 'RowBinary') => {
    const free = sessions.reduce((least, one) => (one.running < least.running ? one : least))
    free.running += 1
    try {
      return await free.session.queryAsync(sql, format && { format })
    } catch (error) {
      throw toStoreError(error)
    } finally {
      free.running -= 1
    }
  }
  return {
    exchange,
    async run(sql) {
      await ask(sql)
    },
    lines: async (sql) => (await ask(sql, 'JSONEachRow')).text(),
    // Copied off the engine: never shared memory, which the type of the package does not say.
    bytes: async (sql) => (await ask(sql, 'RowBinary')).bytes() as Uint8Array<ArrayBuffer>,
    async close() {
      for (const { session } of sessions) session.close()
      // Leaving the process while the engine still works crashes natively now and then.
      await drainPending()
    },
  }
}
