import { fieldNames, findField, type SearchTable } from './fields.ts'
import { tokenize, type Token, type Value } from './lexer.ts'
import { all, any, type Parsed, type Query, type SearchProblem, type Test } from './query.ts'
import { nearest } from './suggest.ts'
import { readValue } from './values.ts'

/**
 * The search language:
 *
 *     query  = and *( "OR" and )
 *     and    = 1*( term [ "AND" ] )
 *     term   = ( "-" / "NOT" ) term / "(" query ")" / field ":" value *( "," value ) / value
 *     value  = word / quoted                    ; `*` in a word stands for anything
 *     quoted = DQUOTE text DQUOTE               ; `\"` and `\\` inside
 *     range  = ( ">" / ">=" / "<" / "<=" ) word / word ".." word    ; for numbers and times
 *
 * A comma list is any of its values; words without a field are looked for in numbers and text. `OR` binds less than
 * standing side by side. Fields: `fields.ts`.
 */

export const maxSearchLength = 2_000
const maxTests = 64
const maxDepth = 16

class Stop extends Error {
  readonly problem: SearchProblem

  constructor(problem: SearchProblem) {
    super(problem.message)
    this.problem = problem
  }
}

/** Never throws. An empty text finds everything. `nowMicros`: epoch microseconds, what `-24h` counts from. */
export function parseSearch<F extends string>(
  text: string,
  table: SearchTable<F>,
  { nowMicros }: { nowMicros: number },
): Parsed<Query<F>> {
  if (text.length > maxSearchLength)
    return {
      ok: false,
      problem: {
        message: `a search may have ${maxSearchLength} characters`,
        at: maxSearchLength,
        length: text.length - maxSearchLength,
      },
    }
  const tokens = tokenize(text)
  if (!tokens.ok) return tokens
  try {
    return { ok: true, value: new Parser(tokens.value, table, nowMicros, text.length).parse() }
  } catch (error) {
    if (error instanceof Stop) return { ok: false, problem: error.problem }
    throw error
  }
}

class Parser<F extends string> {
  readonly #tokens: readonly Token[]
  readonly #table: SearchTable<F>
  readonly #nowMicros: number
  readonly #end: number
  #next = 0
  #tests = 0

  constructor(tokens: readonly Token[], table: SearchTable<F>, nowMicros: number, end: number) {
    this.#tokens = tokens
    this.#table = table
    this.#nowMicros = nowMicros
    this.#end = end
  }

  parse(): Query<F> {
    if (this.#tokens.length === 0) return all([])
    const query = this.#or(0)
    const rest = this.#tokens[this.#next]
    if (rest) throw new Stop({ message: 'there is no ( for this )', at: rest.at, length: rest.length })
    return query
  }

  #or(depth: number): Query<F> {
    const terms = [this.#and(depth)]
    while (this.#tokens[this.#next]?.kind === 'or') {
      this.#next += 1
      terms.push(this.#and(depth))
    }
    return any(terms)
  }

  #and(depth: number): Query<F> {
    const terms = [this.#term(depth)]
    for (;;) {
      const token = this.#tokens[this.#next]
      if (token?.kind === 'and') {
        this.#next += 1
        terms.push(this.#term(depth))
      } else if (token && token.kind !== 'or' && token.kind !== ')') terms.push(this.#term(depth))
      else return all(terms)
    }
  }

  #term(depth: number): Query<F> {
    const token = this.#tokens[this.#next]
    if (!token) throw new Stop({ message: 'something is missing at the end', at: this.#end, length: 0 })
    if (depth > maxDepth)
      throw new Stop({ message: 'too many ( or - inside each other', at: token.at, length: token.length })
    this.#next += 1
    switch (token.kind) {
      case 'not':
        return { type: 'not', term: this.#term(depth + 1) }
      case '(': {
        const query = this.#or(depth + 1)
        if (this.#tokens[this.#next]?.kind !== ')')
          throw new Stop({ message: 'a closing ) is missing', at: token.at, length: 1 })
        this.#next += 1
        return query
      }
      case 'word':
        return this.#bare(token.value)
      case 'test':
        return this.#tested(token)
      default:
        throw new Stop({
          message: `a condition is missing before ${token.kind === ')' ? ')' : token.kind.toUpperCase()}`,
          at: token.at,
          length: token.length,
        })
    }
  }

  #test(field: F, test: Test, at: number): Query<F> {
    this.#tests += 1
    if (this.#tests > maxTests)
      throw new Stop({ message: `a search may have ${maxTests} conditions`, at, length: 1 })
    return { type: 'test', field, test }
  }

  #bare(value: Value): Query<F> {
    const { text, number } = this.#table.bare
    const inText = this.#test(text, this.#read(text, value), value.at)
    if (value.quoted || !/^\+?[\d*]{3,}$/.test(value.text)) return inText
    return any([inText, this.#test(number, this.#read(number, value), value.at)])
  }

  #tested(token: Extract<Token, { kind: 'test' }>): Query<F> {
    const name = findField(this.#table, token.field)
    const length = token.field.length
    if (name === undefined) {
      const suggestion = nearest(token.field, fieldNames(this.#table))
      throw new Stop({
        message:
          `unknown field \`${token.field}\`` +
          (suggestion === undefined
            ? '; for a text with a colon write it in " "'
            : `: did you mean \`${suggestion}\`?`),
        at: token.at,
        length,
        ...(suggestion === undefined ? {} : { suggestion }),
      })
    }
    const field = name === 'since' || name === 'until' ? 'at' : name
    if (!this.#table.isField(field)) throw new TypeError(`no field ${field}`)
    return any(token.values.map((value) => this.#test(field, this.#read(name, value), value.at)))
  }

  #read(name: string, value: Value): Test {
    const spec = this.#table.fields[name]
    if (!spec) throw new TypeError(`no field ${name}`)
    const read = readValue(spec, value, this.#nowMicros)
    if (read.ok) return read.test
    const { suggestion } = read
    throw new Stop({
      message:
        `${name}: \`${value.text.slice(0, 60)}\` ${read.message}` +
        (suggestion === undefined ? '' : `; did you mean \`${suggestion}\`?`),
      at: value.at,
      length: value.length,
      ...(suggestion === undefined ? {} : { suggestion }),
    })
  }
}
