import type { Parsed, SearchProblem } from './query.ts'

/** A piece of the text with its place. `quoted`: taken letter for letter, `*` included. */
export interface Value {
  readonly text: string
  readonly quoted: boolean
  readonly at: number
  readonly length: number
}

export type Token =
  | { readonly kind: '(' | ')' | 'or' | 'and' | 'not'; readonly at: number; readonly length: number }
  | { readonly kind: 'word'; readonly value: Value; readonly at: number; readonly length: number }
  | {
      readonly kind: 'test'
      readonly field: string
      readonly values: readonly Value[]
      readonly at: number
      readonly length: number
    }

/** Words that look like a field but begin an address. */
const schemes = new Set(['sip', 'sips', 'tel', 'urn', 'http', 'https'])
const fieldStart = /[A-Za-z][A-Za-z-]*:/y
const word = /[^\s()"]+/y
const bareValue = /[^\s(),"]+/y

const fail = (message: string, at: number, length: number): { ok: false; problem: SearchProblem } => ({
  ok: false,
  problem: { message, at, length },
})

/** Text → tokens. The grammar is told in `parser.ts`. */
export function tokenize(text: string): Parsed<Token[]> {
  const tokens: Token[] = []
  let at = 0

  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0] ?? ''
    at += found.length
    return found
  }
  /** From an opening quote; `\"` and `\\` stand for themselves. */
  const takeQuoted = (): Value | undefined => {
    const from = at
    const body = /"((?:[^"\\]|\\[\s\S])*)"/y
    body.lastIndex = at
    const found = body.exec(text)
    if (!found) return undefined
    at += found[0].length
    const inner = (found[1] ?? '').replaceAll(/\\(["\\])/g, '$1')
    return { text: inner, quoted: true, at: from, length: found[0].length }
  }

  while (at < text.length) {
    const from = at
    const char = text[at] ?? ''
    if (/\s/.test(char)) {
      at += 1
    } else if (char === '(' || char === ')') {
      at += 1
      tokens.push({ kind: char, at: from, length: 1 })
    } else if (char === '-' && /[^\s-]/.test(text[at + 1] ?? ' ')) {
      at += 1
      tokens.push({ kind: 'not', at: from, length: 1 })
    } else if (char === '"') {
      const value = takeQuoted()
      if (!value) return fail('a closing " is missing', from, text.length - from)
      tokens.push({ kind: 'word', value, at: from, length: value.length })
    } else {
      const name = take(fieldStart).slice(0, -1)
      if (name !== '' && !schemes.has(name.toLowerCase())) {
        const values: Value[] = []
        do {
          if (values.length > 0) {
            at += 1
            take(/\s*/y)
          }
          const start = at
          if (text[at] === '"') {
            const value = takeQuoted()
            if (!value) return fail('a closing " is missing', start, text.length - start)
            values.push(value)
          } else {
            const taken = take(bareValue)
            if (taken === '') return fail(`a value is missing after ${name}:`, from, Math.max(1, at - from))
            values.push({ text: taken, quoted: false, at: start, length: taken.length })
          }
        } while (text[at] === ',')
        tokens.push({ kind: 'test', field: name, values, at: from, length: at - from })
        continue
      }
      at = from
      const taken = take(word)
      const length = taken.length
      if (taken === 'OR' || taken === '|') tokens.push({ kind: 'or', at: from, length })
      else if (taken === 'AND') tokens.push({ kind: 'and', at: from, length })
      else if (taken === 'NOT') tokens.push({ kind: 'not', at: from, length })
      else
        tokens.push({
          kind: 'word',
          value: { text: taken, quoted: false, at: from, length },
          at: from,
          length,
        })
    }
  }
  return { ok: true, value: tokens }
}
