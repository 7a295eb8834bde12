import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createClient } from '@clickhouse/client'
import { storeSettings, toStoreError, type Store } from './store.ts'
import { tablesOfOne } from './tables.ts'

const requestMillis = 60_000

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
      wait_end_of_query: 1,
    },
  })
  const insert = (table: string, columns: readonly string[], format: string, body: Buffer) =>
    run(async () => {
      const { stream } = await client.exec({
        query: `INSERT INTO ${table} (${columns.join(', ')}) FORMAT ${format}`,
        values: Readable.from([body], { objectMode: false }),
      })
      stream.resume()
    })
  const command = (sql: string, params: Record<string, unknown> = {}) =>
    run(async () => {
      await client.command({ query: sql, query_params: params })
    })
  return {
    tables: tablesOfOne,
    define: (sql) => command(sql),
    query: <T>(sql: string, params: Record<string, unknown> = {}) =>
      run(async () => {
        const result = await client.query({ query: sql, query_params: params, format: 'JSONEachRow' })
        return result.json<T>()
      }),
    queryBinary: (sql, params = {}) =>
      run(async () => {
        const { stream } = await client.exec({ query: `${sql} FORMAT RowBinary`, query_params: params })
        return await buffer(stream)
      }),
    insert: (table, columns, body) => insert(table, columns, 'JSONCompactEachRow', body),
    insertBinary: (table, columns, rows) => insert(table, columns, 'RowBinary', rows),
    command,
    close: () => client.close(),
  }
}

async function run<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toStoreError(error)
  }
}
