import type { Tables } from './tables.ts'

/** ClickHouse SQL, however it runs: embedded in this process, on a server of the user or on a cluster. Values only ever go in
 *  through `params`: bound by the engine (`{name:Type}`), or where a list is too long for that, as literals that the store makes.
 *  Statements are constants of this folder. */
export interface Store {
  /** How its tables lie. */
  readonly tables: Tables
  /** A statement that `tables` made, on every server that has a part of them. @throws StoreError */
  define(sql: string): Promise<void>
  /** Rows as objects by column name; 64-bit integers as numbers. @throws StoreError */
  query<T>(sql: string, params?: Record<string, unknown>): Promise<T[]>
  /** Rows as ClickHouse's RowBinary: for many or large ones. `isLarge`: some megabytes are expected. @throws StoreError */
  queryBinary(
    sql: string,
    params?: Record<string, unknown>,
    options?: { isLarge: boolean },
  ): Promise<Uint8Array<ArrayBuffer>>
  /** Durable when it resolves. `body`: one JSON array a line, in the order of `columns`. @throws StoreError */
  insert(table: string, columns: readonly string[], body: Buffer): Promise<void>
  /** Durable when it resolves. `rows`: RowBinary in the order of `columns`. @throws StoreError */
  insertBinary(table: string, columns: readonly string[], rows: Buffer): Promise<void>
  /** Durable when it resolves. `block`: Native, of these columns, in pieces. @throws StoreError */
  insertColumns(table: string, columns: readonly string[], block: readonly Buffer[]): Promise<void>
  /** A statement without rows. @throws StoreError */
  command(sql: string, params?: Record<string, unknown>): Promise<void>
  close(): Promise<void>
}

/** What the engine said, with ClickHouse's error number where it gave one. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly clickhouseCode: number | undefined

  constructor(message: string, clickhouseCode: number | undefined, options?: ErrorOptions) {
    super(message, options)
    this.clickhouseCode = clickhouseCode
  }
}

/** ClickHouse's numbers for "this row cannot be read": trying again cannot help, another row can. */
const badDataCodes = new Set([6, 26, 27, 38, 41, 53, 69, 72, 117, 131, 376, 407, 467])

export function isBadData(error: unknown): boolean {
  return (
    error instanceof StoreError &&
    error.clickhouseCode !== undefined &&
    badDataCodes.has(error.clickhouseCode)
  )
}

/** 159 TIMEOUT_EXCEEDED, 160 TOO_SLOW */
export function isTooSlow(error: unknown): boolean {
  return error instanceof StoreError && (error.clickhouseCode === 159 || error.clickhouseCode === 160)
}

export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const message = error instanceof Error ? error.message : String(error)
  const code =
    error instanceof Error && 'clickhouseCode' in error
      ? Number(error.clickhouseCode)
      : error instanceof Error && 'code' in error
        ? Number(error.code)
        : Number(/^Code: (\d+)\./.exec(message)?.[1])
  return new StoreError(message, Number.isInteger(code) ? code : undefined, { cause: error })
}

/** Every statement of ours runs with these. */
export const storeSettings = {
  output_format_json_quote_64bit_integers: 0,
  output_format_json_escape_forward_slashes: 0,
  /** A batch may hold stamps of any day; the default of 100 partitions would refuse it whole and for ever. */
  max_partitions_per_insert_block: 0,
  /** Rows of one key in one batch: none, or questions and merges see to them. To look costs a fifth of an insert. */
  optimize_on_insert: 0,
} as const
