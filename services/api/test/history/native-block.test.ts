import t from 'tap'
import { NativeBlock } from '../../src/history/native-block.ts'
import { openTestStore } from '../test-store.ts'

const columns = [
  ['n', 'UInt32 CODEC(T64, ZSTD(1))'],
  ['at', `DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1))`],
  ['id', 'UUID'],
  ['signed', 'Int64'],
  ['port', 'UInt16'],
  ['isOdd', 'Bool'],
  ['text', 'String CODEC(ZSTD(1))'],
  ['word', 'LowCardinality(String)'],
  ['words', 'Array(LowCardinality(String))'],
  ['texts', 'Array(String) CODEC(ZSTD(1))'],
] as const

const texts = ['', 'a', 'ü', 'x'.repeat(127), 'x'.repeat(128), 'y'.repeat(20_000), "'\n\t\\\0"]
const textOf = (n: number) => texts[n % texts.length] ?? ''

interface Row {
  n: number
  at: number
  id: string
  signed: number
  port: number
  isOdd: boolean
  text: string
  word: string
  words: string[]
  texts: string[]
}

const rowOf = (n: number): Row => ({
  n,
  at: 1_795_391_929_000_000 + n,
  id: `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`,
  signed: -n,
  port: n % 65_536,
  isOdd: n % 2 === 1,
  text: textOf(n),
  word: textOf(n + 1),
  words: Array.from({ length: n % 3 }, (_, at) => textOf(n + at)),
  texts: Array.from({ length: (n + 1) % 4 }, (_, at) => textOf(at)),
})

function write(block: NativeBlock<typeof columns>, row: Row): void {
  const to = block.columns
  to.n.uint32(row.n)
  to.at.integer64(row.at)
  to.id.uuid(row.id.replaceAll('-', ''))
  to.signed.integer64(row.signed)
  to.port.uint16(row.port)
  to.isOdd.bool(row.isOdd)
  to.text.text(row.text)
  to.word.text(row.word)
  to.words.add(row.words)
  to.texts.add(row.texts)
}

function add(block: NativeBlock<typeof columns>, n: number): void {
  write(block, rowOf(n))
  block.endRow()
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

t.test('the engine reads what was written', async (t) => {
  const store = await openTestStore(t, { hasTables: false })
  const ddl = columns.map(([name, type]) => `${name} ${type}`).join(', ')
  await store.define(`CREATE TABLE block (${ddl}) ENGINE = MergeTree ORDER BY n`)
  const read = async () => {
    const rows = await store.query<Row>(
      'SELECT * REPLACE (toUnixTimestamp64Micro(at) AS at) FROM block ORDER BY n',
    )
    await store.command('TRUNCATE TABLE block')
    return rows
  }
  const insert = (pieces: readonly Buffer[]) =>
    store.insertColumns(
      'block',
      columns.map(([name]) => name),
      pieces,
    )

  const block = new NativeBlock(columns)
  for (const n of numbers(500)) add(block, n)
  await insert(block.toPieces())
  t.same(await read(), numbers(500).map(rowOf))

  for (const some of [[0], [499], [3, 4, 5], [1, 17, 333, 498], numbers(499)]) {
    await insert(block.toPieces(some))
    t.same(await read(), some.map(rowOf), `${some.length} of them`)
  }

  block.clear()
  for (const n of numbers(3)) add(block, n)
  const { text, words } = block.columns
  text.text('of a row that')
  words.add(['does', 'not', 'end'])
  block.dropUnfinished()
  add(block, 3)
  t.equal(block.rows, 4)
  await insert(block.toPieces())
  t.same(await read(), numbers(4).map(rowOf))
})

t.test('none of all rows is a block without rows', async (t) => {
  const block = new NativeBlock(columns)
  const empty = Buffer.concat(block.toPieces())
  add(block, 7)
  t.same(Buffer.concat(block.toPieces([])), empty)
  block.clear()
  t.same(Buffer.concat(block.toPieces()), empty)
})

t.test('a type that nothing writes is told at once', async (t) => {
  t.throws(() => new NativeBlock([['ratio', 'Float64']]), { message: 'ratio: Float64 is not written' })
})
