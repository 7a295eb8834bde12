import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createClient } from '@clickhouse/client'
import { withLiterals } from './literals.ts'
import { storeSettings, toStoreError, type Store } from './store.ts'
import { tablesOfOne } from './tables.ts'

const requestMillis = 60_000
/** A server refuses a request with a larger field (`http_max_field_value_size`, 131,072 unless it says otherwise). */
const maxFieldBytes = 100_000
/** The text of a statement may be as long as the largest batch asks for. */
const maxStatementBytes = 64 * 1024 * 1024

/** A ClickHouse server over HTTP. `url` may carry user, password and database. Connects at the first statement. `settings`: of
 *  every statement. */
export function openServerStore(
  url: string,
  settings: Readonly<Record<string, string | number>> = {},
): Store {
  const client = createClient({
    url,
    application: 'sip-capture',
    request_timeout: requestMillis,
    max_open_connections: 8,
    clickhouse_settings: {
      ...Object.fromEntries(
        Object.entries({ ...storeSettings, ...settings }).map(([name, value]) => [name, String(value)]),
      ),
      // What is inserted is in its table when the answer comes.
      async_insert: 0,
      max_query_size: String(maxStatementBytes),
      wait_end_of_query: 1,
    },
  })
  const insert = (table: string, columns: readonly string[], format: string, body: readonly Buffer[]) =>
    run(async () => {
      const { stream } = await client.exec({
        query: `INSERT INTO ${table} (${columns.join(', ')}) FORMAT ${format}`,
        values: Readable.from(body, { objectMode: false }),
      })
      stream.resume()
    })
  const command = (sql: string, params: Record<string, unknown> = {}) =>
    run(async () => {
      await client.command(bind(sql, params))
    })
  return {
    tables: tablesOfOne,
    define: (sql) => command(sql),
    query: <T>(sql: string, params: Record<string, unknown> = {}) =>
      run(async () => {
        const result = await client.query({ ...bind(sql, params), format: 'JSONEachRow' })
        return result.json<T>()
      }),
    queryBinary: (sql, params = {}) =>
      run(async () => {
        const { stream } = await client.exec(bind(`${sql} FORMAT RowBinary`, params))
        return await buffer(stream)
      }),
    insert: (table, columns, body) => insert(table, columns, 'JSONCompactEachRow', [body]),
    insertBinary: (table, columns, rows) => insert(table, columns, 'RowBinary', [rows]),
    insertColumns: (table, columns, block) => insert(table, columns, 'Native', block),
    command,
    close: () => client.close(),
  }
}

/** Lists that no field takes become literals of the statement; all else is bound by the engine. */
function bind(sql: string, params: Record<string, unknown>) {
  const large: Record<string, unknown> = {}
  const fields: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(params))
    (Array.isArray(value) && isLarge(value) ? large : fields)[name] = value
  return { query: withLiterals(sql, large), query_params: fields }
}

/** Each takes at least a comma, and at most twice its bytes and quotes. */
function isLarge(list: readonly unknown[]): boolean {
  let bytes = list.length
  for (const item of list) {
    bytes += 2 + 2 * Buffer.byteLength(String(item))
    if (bytes > maxFieldBytes) return true
  }
  return false
}

async function run<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toStoreError(error)
  }
}
