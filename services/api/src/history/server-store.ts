import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createClient } from '@clickhouse/client'
import { storeSettings, toStoreError, type Store } from './store.ts'

const requestMillis = 60_000

/** A ClickHouse server or cluster over HTTP. `url` may carry user, password and database. Connects at the first statement. */
export function openServerStore(url: string): Store {
  const client = createClient({
    url,
    application: 'sip-capture',
    request_timeout: requestMillis,
    max_open_connections: 8,
    clickhouse_settings: {
      ...Object.fromEntries(Object.entries(storeSettings).map(([name, value]) => [name, String(value)])),
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
  return {
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
    command: (sql, params = {}) =>
      run(async () => {
        await client.command({ query: sql, query_params: params })
      }),
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
