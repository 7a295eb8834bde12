/** What a search means: made by `parser.ts` from text or by `filter-query.ts` from filter words, compiled to SQL and to a
 *  live matcher by the API. Plain data. */
export type Query<Field extends string> =
  | { readonly type: 'all'; readonly terms: readonly Query<Field>[] }
  | { readonly type: 'any'; readonly terms: readonly Query<Field>[] }
  | { readonly type: 'not'; readonly term: Query<Field> }
  | { readonly type: 'test'; readonly field: Field; readonly test: Test }

/** One question about one field; the field decides how letters compare. */
export type Test =
  | { readonly op: 'contains'; readonly text: string }
  | { readonly op: 'equals'; readonly text: string }
  /** The literal parts between `*`, at least two; the whole value must match. */
  | { readonly op: 'like'; readonly parts: readonly string[] }
  /** Whole numbers in the field's unit, `until` exclusive; null: no bound. */
  | { readonly op: 'range'; readonly from: number | null; readonly until: number | null }
  /** Port 0: any. IPv6 in its canonical spelling. */
  | { readonly op: 'address'; readonly address: string; readonly port: number }

export const all = <F extends string>(terms: readonly Query<F>[]): Query<F> =>
  terms.length === 1 && terms[0] ? terms[0] : { type: 'all', terms }

export const any = <F extends string>(terms: readonly Query<F>[]): Query<F> =>
  terms.length === 1 && terms[0] ? terms[0] : { type: 'any', terms }

/** Why a search cannot be read. `at` and `length` count UTF-16 units of the text. */
export interface SearchProblem {
  /** One sentence for the person who typed it. */
  readonly message: string
  readonly at: number
  readonly length: number
  /** What to put in place of `at`..`at + length`. */
  readonly suggestion?: string
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: SearchProblem }

/** A search that cannot be read, where no result can be handed back. */
export class SearchError extends Error {
  override readonly name = 'SearchError'
  readonly problem: SearchProblem

  constructor(problem: SearchProblem) {
    super(problem.message)
    this.problem = problem
  }
}
