import { BinaryWriter } from './binary-writer.ts'

/** Name and type of each, as a table has them. */
export type Columns = readonly (readonly [name: string, type: string])[]

type WriterOf<Type> = Type extends `Array(${string}` ? TextsColumn : BinaryWriter
type WritersOf<C extends Columns> = { readonly [Each in C[number] as Each[0]]: WriterOf<Each[1]> }

/** What a value of a column takes, bytes. A text has its length before it. */
const widths: Readonly<Record<string, number>> = {
  Bool: 1,
  UInt16: 2,
  UInt32: 4,
  UInt64: 8,
  Int64: 8,
  "DateTime64(6, 'UTC')": 8,
  UUID: 16,
}

const firstBytes = 4 * 1024

/**
 * Rows of a table column by column, as ClickHouse's Native format has them. The engine takes a column as a whole; of rows one
 * behind the other it reads each value by itself, for as much as all else that it does to store them.
 */
export class NativeBlock<const C extends Columns> {
  /** Where a row's values go, one to each, before `endRow`. */
  readonly columns: WritersOf<C>
  readonly #all: readonly (ValuesColumn | TextsColumn)[]
  readonly #heads: readonly Buffer[]
  #rows = 0

  constructor(columns: C) {
    this.#all = columns.map(([name, type]) => toColumn(name, type))
    this.#heads = columns.map(([name, type]) => toHead(name, type))
    this.columns = Object.fromEntries(
      this.#all.map((column, n) => [
        columns[n]?.[0],
        column instanceof ValuesColumn ? column.values : column,
      ]),
    ) as WritersOf<C>
  }

  get rows(): number {
    return this.#rows
  }

  endRow(): void {
    this.#rows += 1
  }

  /** Takes back what was written of a row that did not end. */
  dropUnfinished(): void {
    for (const column of this.#all) column.truncate(this.#rows)
  }

  /** Empty again, with the memory it has. */
  clear(): void {
    this.#rows = 0
    this.dropUnfinished()
  }

  /** The block of all rows, or of some by their numbers. In pieces: views, good until more is written. */
  toPieces(rows?: readonly number[]): Buffer[] {
    const head = new BinaryWriter(64)
    head.length(this.#all.length)
    head.length(rows?.length ?? this.#rows)
    const pieces = this.#all.flatMap((column, n) => [this.#heads[n] as Buffer, ...column.toPieces(rows)])
    return [head.written(), ...pieces]
  }
}

/** A text or a value of one width a row. */
class ValuesColumn {
  readonly values = new BinaryWriter(firstBytes)
  readonly #width: number | undefined

  constructor(width: number | undefined) {
    this.#width = width
  }

  truncate(rows: number): void {
    this.values.truncate(this.#endsOf(rows)(rows))
  }

  toPieces(rows?: readonly number[]): Buffer[] {
    const bytes = this.values.written()
    if (!rows) return [bytes]
    const endOf = this.#endsOf(Math.max(-1, ...rows) + 1)
    return [Buffer.concat(rows.map((row) => bytes.subarray(endOf(row), endOf(row + 1))))]
  }

  #endsOf(rows: number): Ends {
    const width = this.#width
    return width === undefined ? endsOfTexts(this.values.written(), rows) : (values) => values * width
  }
}

/** Any number of texts a row. */
export class TextsColumn {
  /** Of all rows, one behind the other. */
  readonly texts = new BinaryWriter(firstBytes)
  /** For each row how many texts there are as far as its end. */
  readonly #counts = new BinaryWriter(firstBytes)
  #count = 0

  add(texts: readonly string[]): void {
    for (const text of texts) this.texts.text(text)
    this.#count += texts.length
    this.#counts.integer64(this.#count)
  }

  truncate(rows: number): void {
    this.#count = this.#countAt(rows)
    this.#counts.truncate(rows * countBytes)
    this.texts.truncate(endsOfTexts(this.texts.written(), this.#count)(this.#count))
  }

  toPieces(rows?: readonly number[]): Buffer[] {
    const texts = this.texts.written()
    if (!rows) return [this.#counts.written(), texts]
    const endOf = endsOfTexts(texts, this.#count)
    const counts = new BinaryWriter(firstBytes)
    let count = 0
    for (const row of rows) {
      count += this.#countAt(row + 1) - this.#countAt(row)
      counts.integer64(count)
    }
    const chosen = rows.map((row) => texts.subarray(endOf(this.#countAt(row)), endOf(this.#countAt(row + 1))))
    return [counts.written(), Buffer.concat(chosen)]
  }

  /** Texts of so many rows: fewer than 2 ** 32. */
  #countAt(rows: number): number {
    return rows === 0 ? 0 : this.#counts.written().readUInt32LE((rows - 1) * countBytes)
  }
}

const countBytes = 8

/** How many bytes the first so many values take. */
type Ends = (values: number) => number

function endsOfTexts(bytes: Buffer, texts: number): Ends {
  const ends = new Uint32Array(texts + 1)
  let at = 0
  for (let n = 1; n <= texts; n++) {
    let length = 0
    let byte = 0x80
    for (let scale = 1; byte >= 0x80; scale *= 0x80) {
      byte = bytes[at++] ?? 0
      length += (byte & 0x7f) * scale
    }
    at += length
    ends[n] = at
  }
  return (values) => ends[values] ?? 0
}

/** Of words that the table keeps in a dictionary it takes the texts. */
const plainType = (declared: string): string =>
  declared.replace(/ CODEC.*$/, '').replace('LowCardinality(String)', 'String')

function toColumn(name: string, declared: string): ValuesColumn | TextsColumn {
  const type = plainType(declared)
  if (type === 'Array(String)') return new TextsColumn()
  const width = widths[type]
  if (width === undefined && type !== 'String') throw new RangeError(`${name}: ${type} is not written`)
  return new ValuesColumn(width)
}

function toHead(name: string, declared: string): Buffer {
  const head = new BinaryWriter(64)
  head.text(name)
  head.text(plainType(declared))
  return head.written()
}
