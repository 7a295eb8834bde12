import type { Store } from './store.ts'

const tables = [
  'messages',
  'callSlots',
  'textIndex',
  'legs',
  'callJoins',
  'callEvents',
  'calls',
  'registers',
] as const

/** Rows go `days` after they were stored (not after their capture time: a clock that jumps must not wipe history). */
export async function applyRetentionDays(store: Store, days: number): Promise<void> {
  if (!Number.isInteger(days) || days < 1) throw new RangeError(`days: ${days}`)
  for (const table of tables) {
    const states = await store.query<{ ddl: string }>(
      `SELECT create_table_query AS ddl FROM ${store.tables.system('tables')}
       WHERE database = currentDatabase() AND name = {table:String}`,
      { table: store.tables.holderOf(table) },
    )
    // Changing it rewrites the dates of all parts; so only when it changed.
    if (states.every(({ ddl }) => ddl.includes(`toIntervalDay(${days})`))) continue
    await store.define(store.tables.alter(table, `MODIFY TTL storedAt + toIntervalDay(${days})`))
  }
}

export async function readHistoryBytes(store: Store): Promise<number> {
  const [row] = await store.query<{ bytes: number }>(
    `SELECT sum(bytes_on_disk) AS bytes FROM ${store.tables.system('parts')}
     WHERE active AND database = currentDatabase()`,
  )
  return row?.bytes ?? 0
}

/** Drops the oldest days until the history is at most `maxBytes`; today stays. Returns the days dropped (YYYYMMDD). */
export async function applyRetentionBytes(store: Store, maxBytes: number): Promise<string[]> {
  const days = await store.query<{ day: string; bytes: number }>(
    `SELECT partition_id AS day, sum(bytes_on_disk) AS bytes FROM ${store.tables.system('parts')}
     WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}
     GROUP BY day ORDER BY day`,
    { tables: tables.map((table) => store.tables.holderOf(table)) },
  )
  let bytes = days.reduce((sum, { bytes }) => sum + bytes, 0)
  const dropped: string[] = []
  for (const { day, bytes: dayBytes } of days.slice(0, -1)) {
    if (bytes <= maxBytes) break
    // The name comes from the engine, but a statement takes only what is surely a date.
    if (!/^\d{8}$/.test(day)) continue
    for (const table of tables) await store.define(store.tables.alter(table, `DROP PARTITION ID '${day}'`))
    bytes -= dayBytes
    dropped.push(day)
  }
  return dropped
}
