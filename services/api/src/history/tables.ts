/** A table of the history. */
export interface TableDefinition {
  readonly name: string
  /** Columns and indexes, as between the parentheses of CREATE TABLE. */
  readonly columns: string
  /** From the engine's name on. */
  readonly engine: string
  /** Which shard of a cluster has a row. Rows of one key of the engine are on one shard, and so are rows that an `IN (SELECT …)`
   *  brings together (docs/decisions/history-cluster.md). */
  readonly shardBy: string
}

/** A column that a table of before did not have. */
export interface ColumnAddition {
  readonly table: string
  readonly column: string
  readonly type: string
  readonly isNew: true
  /** What finds its values, from the index's name on. */
  readonly index?: string
}

/** How a column is compressed from now on; `type` has the codec. What is there stays as it is until it is merged. */
export interface ColumnCodec {
  readonly table: string
  readonly column: string
  readonly type: string
}

/** How the tables of a history lie: the only place that knows whether they are spread over a cluster. Rows are read and inserted
 *  by the name of the table, wherever they lie. */
export interface Tables {
  /** Statements that make a table where it is missing; `Store.define` takes them. */
  create(table: TableDefinition): readonly string[]
  /** Statements that add a column where it is missing; `Store.define` takes them. */
  add(addition: ColumnAddition): readonly string[]
  /** A statement that changes how a column is compressed; `Store.define` takes it. */
  compress(codec: ColumnCodec): string
  /** A statement that changes rows or settings of a table where they are; `Store.define` takes it. */
  alter(name: string, change: string): string
  /** The table that holds the rows, as tables of the system name it. */
  holderOf(name: string): string
  /** A table of the system, such as `parts`, of all servers. */
  system(name: string): string
}

/** All on one server, or in this process. */
export const tablesOfOne: Tables = {
  create: ({ name, columns, engine }) => [
    `CREATE TABLE IF NOT EXISTS ${name} (${columns}) ENGINE = ${engine}`,
  ],
  add: ({ table, column, type, index }) => [
    `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${column} ${type}${withIndex(index)}`,
  ],
  compress: ({ table, column, type }) => `ALTER TABLE ${table} MODIFY COLUMN ${column} ${type}`,
  alter: (name, change) => `ALTER TABLE ${name} ${change}`,
  holderOf: (name) => name,
  system: (name) => `system.${name}`,
}

const withIndex = (index: string | undefined): string =>
  index === undefined ? '' : `, ADD INDEX IF NOT EXISTS ${index}`

const holderOf = (name: string): string => `${name}_local`

/** Each table is a `Distributed` one over tables of the shards. `onCluster`: a server hands a statement on to the others. */
export function tablesOfCluster(
  cluster: string,
  { database, onCluster }: { database: string; onCluster: boolean },
): Tables {
  if (!isClusterName(cluster) || !isDatabaseName(database)) throw new RangeError('cluster: not a name')
  const everywhere = onCluster ? ` ON CLUSTER '${cluster}'` : ''
  return {
    create: ({ name, columns, engine, shardBy }) => [
      `CREATE TABLE IF NOT EXISTS ${holderOf(name)}${everywhere} (${columns}) ENGINE = ${engine}`,
      `CREATE TABLE IF NOT EXISTS ${name}${everywhere} AS ${holderOf(name)}
        ENGINE = Distributed('${cluster}', '${database}', '${holderOf(name)}', ${shardBy})`,
    ],
    add: ({ table, column, type, index }) => [
      `ALTER TABLE ${holderOf(table)}${everywhere} ADD COLUMN IF NOT EXISTS ${column} ${type}${withIndex(index)}`,
      `ALTER TABLE ${table}${everywhere} ADD COLUMN IF NOT EXISTS ${column} ${type}`,
    ],
    compress: ({ table, column, type }) =>
      `ALTER TABLE ${holderOf(table)}${everywhere} MODIFY COLUMN ${column} ${type}`,
    alter: (name, change) => `ALTER TABLE ${holderOf(name)}${everywhere} ${change}`,
    holderOf,
    system: (name) => `clusterAllReplicas('${cluster}', system.${name})`,
  }
}

/** Names go into statements: only what is surely one. */
export const isClusterName = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(text)
export const isDatabaseName = (text: string): boolean => /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/.test(text)
