import type { Query, Test } from '@sip-capture/contract/search/query.ts'
import { toLikePattern } from '@sip-capture/contract/search/glob.ts'
import { fold, foldNumber, foldText } from '../filter-words.ts'

/** Values on their way into a statement: bound by the engine, never part of the text. */
export class SqlParams {
  readonly values: Record<string, unknown> = {}
  #count = 0

  /** → what stands for the value in the statement. */
  add(value: unknown, type: 'String' | 'Int64' | 'UInt16' | 'Array(String)'): string {
    const name = `q${this.#count++}`
    this.values[name] = value
    return `{${name}:${type}}`
  }
}

/** Tests of one field, of which any may hold → a condition of constants and parameter names. */
export type SqlLeaf<F extends string> = (field: F, tests: readonly Test[]) => string

/** A query → a condition for WHERE. */
export function toQuerySql<F extends string>(query: Query<F>, leaf: SqlLeaf<F>): string {
  switch (query.type) {
    case 'test':
      return leaf(query.field, [query.test])
    case 'not':
      return `NOT (${toQuerySql(query.term, leaf)})`
    case 'all':
      return query.terms.length === 0
        ? '1'
        : `(${query.terms.map((term) => toQuerySql(term, leaf)).join(' AND ')})`
    case 'any': {
      const byField = new Map<F, Test[]>()
      const parts: string[] = []
      for (const term of query.terms) {
        if (term.type !== 'test') parts.push(toQuerySql(term, leaf))
        else {
          const tests = byField.get(term.field)
          if (tests) tests.push(term.test)
          else byField.set(term.field, [term.test])
        }
      }
      for (const [field, tests] of byField) parts.push(leaf(field, tests))
      return parts.length === 0 ? '0' : `(${parts.join(' OR ')})`
    }
    default:
      return query satisfies never
  }
}

export const anySql = (tests: readonly Test[], toSql: (test: Test) => string): string =>
  tests.length === 0 ? '0' : `(${tests.map(toSql).join(' OR ')})`

/** Whole value, letter for letter. */
export function exactSql(column: string, tests: readonly Test[], params: SqlParams): string {
  const words = tests.flatMap((test) => ('text' in test ? [test.text] : []))
  const parts = tests.flatMap((test) =>
    test.op === 'like' ? [`${column} LIKE ${params.add(toLikePattern(test.parts), 'String')}`] : [],
  )
  if (words.length > 0) parts.push(`${column} IN ${params.add(words, 'Array(String)')}`)
  return parts.length === 0 ? '0' : `(${parts.join(' OR ')})`
}

/** Whole number. `unknown` is the column's mark for "none", which no range holds. */
export function rangeSql(column: string, test: Test, params: SqlParams, unknown?: number): string {
  return toBounds(test, column, (value) => params.add(value, 'Int64'), unknown)
}

/** Moments of a DateTime64 column: bounds alone, so that the primary key can use them. */
export function timeSql(column: string, test: Test, params: SqlParams): string {
  return toBounds(test, column, (micros) => `fromUnixTimestamp64Micro(${params.add(micros, 'Int64')}, 'UTC')`)
}

function toBounds(test: Test, column: string, bind: (value: number) => string, unknown?: number): string {
  if (test.op !== 'range') return '0'
  const bounds: string[] = []
  if (test.from !== null) bounds.push(`${column} >= ${bind(test.from)}`)
  if (test.until !== null) bounds.push(`${column} < ${bind(test.until)}`)
  if (unknown !== undefined) bounds.push(`${column} != ${unknown}`)
  return bounds.length === 0 ? '1' : `(${bounds.join(' AND ')})`
}

/** Part of a text, ASCII letters alike; with `*` the whole text. */
export function partSql(column: string, test: Test, params: SqlParams): string {
  if ('text' in test)
    return `positionCaseInsensitive(${column}, ${params.add(foldText(test.text), 'String')}) > 0`
  return test.op === 'like' ? likeFoldedSql(column, test.parts, params) : '0'
}

/** The whole text, ASCII letters alike. */
export function likeFoldedSql(column: string, parts: readonly string[], params: SqlParams): string {
  return `lower(${column}) LIKE ${params.add(toLikePattern(parts.map(foldText)), 'String')}`
}

/** Over an array: a part of one, with `*` the whole of one. */
export function numbersSql(tests: readonly Test[], params: SqlParams, numbers = 'numbers'): string {
  return anySql(tests, (test) => {
    if ('text' in test)
      return `arrayExists(n -> position(n, ${params.add(foldNumber(test.text), 'String')}) > 0, ${numbers})`
    if (test.op !== 'like') return '0'
    const [first = '', ...others] = test.parts
    const pattern = toLikePattern([foldNumber(first), ...others.map(fold)])
    return `arrayExists(n -> n LIKE ${params.add(pattern, 'String')}, ${numbers})`
  })
}
