import { randomBytes } from 'node:crypto'
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from './engine.ts'
import { withLiterals } from './literals.ts'
import { toStoreError, type Store } from './store.ts'
import { tablesOfOne } from './tables.ts'

/** A store in an engine of ours. Values go in as literals, since the package binds them for one statement of the whole process at
 *  a time. Closes the engine with it. */
export function createEmbeddedStore(engine: Engine): Store {
  const name = randomBytes(8).toString('hex')
  let files = 0
  /** A file that is gone at once stays in the page cache. */
  const withFile = async <T>(work: (file: string) => Promise<T>): Promise<T> => {
    const file = join(engine.exchange, `${name}-${files++}`)
    try {
      return await work(file)
    } catch (error) {
      throw toStoreError(error)
    } finally {
      await rm(file, { force: true })
    }
  }
  const command = (sql: string, params: Record<string, unknown> = {}) => engine.run(withLiterals(sql, params))
  const insert = (table: string, columns: readonly string[], format: string, pieces: readonly Buffer[]) =>
    withFile(async (file) => {
      await writePieces(file, pieces)
      await engine.run(
        `INSERT INTO ${table} (${columns.join(', ')}) FROM INFILE ${toSqlString(file)} FORMAT ${format}`,
      )
    })
  return {
    tables: tablesOfOne,
    define: (sql) => command(sql),
    async query<T>(sql: string, params: Record<string, unknown> = {}) {
      return parseLines<T>(await engine.lines(withLiterals(sql, params)))
    },
    async queryBinary(sql, params = {}, { isLarge } = { isLarge: false }) {
      if (!isLarge) return await engine.bytes(withLiterals(sql, params))
      return await withFile(async (file) => {
        await command(
          `${sql} INTO OUTFILE ${toSqlString(file)} FORMAT RowBinary SETTINGS max_threads = 1`,
          params,
        )
        return await readFile(file)
      })
    },
    insert: (table, columns, body) => insert(table, columns, 'JSONCompactEachRow', [body]),
    insertBinary: (table, columns, rows) => insert(table, columns, 'RowBinary', [rows]),
    insertColumns: (table, columns, block) => insert(table, columns, 'Native', block),
    command,
    close: () => engine.close(),
  }
}

/** In one go: pieces are many and most are short. */
async function writePieces(path: string, pieces: readonly Buffer[]): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    const { bytesWritten } = await file.writev(pieces)
    const size = pieces.reduce((sum, { length }) => sum + length, 0)
    if (bytesWritten < size) throw new Error(`${bytesWritten} of ${size} bytes could be written`)
  } finally {
    await file.close()
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
