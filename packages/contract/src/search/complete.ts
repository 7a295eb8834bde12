import { fieldNames, findField, type SearchTable } from './fields.ts'

export interface Completion {
  /** What to put in place of `from`..`to`. */
  readonly insert: string
  readonly label: string
  readonly help: string
}

export interface Completions {
  readonly from: number
  readonly to: number
  readonly items: readonly Completion[]
}

const maxItems = 50

/** A value as it is written: in quotes where it must be. */
export function quoteValue(text: string): string {
  if (/^[^\s(),"*<>-][^\s(),"*]*$/.test(text) && !text.includes('..')) return text
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/**
 * What may be typed at `cursor`: fields, or values of the field that is being written. `known`: values seen so far by
 * field, such as trunks and rule ids; what begins with the typed letters comes first.
 */
export function complete(
  text: string,
  cursor: number,
  table: SearchTable<string>,
  known: Readonly<Record<string, readonly string[]>> = {},
): Completions {
  const start = wordStart(text, cursor)
  const typed = text.slice(start, cursor)
  const sign = typed.startsWith('-') ? 1 : 0
  const colon = /^-?([A-Za-z][A-Za-z-]*):/.exec(typed)
  const name = colon ? findField(table, colon[1] ?? '') : undefined
  if (colon === null)
    return { from: start + sign, to: cursor, items: completeField(typed.slice(sign), table) }
  if (name === undefined) return { from: cursor, to: cursor, items: [] }
  const values = typed.slice(colon[0].length)
  const last = lastValue(values)
  const from = start + colon[0].length + last
  const spec = table.fields[name]
  const candidates = [...(spec?.choices ?? []), ...(known[name] ?? [])]
  return {
    from,
    to: cursor,
    items: rank(values.slice(last).replace(/^"/, ''), [...new Set(candidates)]).map((value) => ({
      insert: quoteValue(value),
      label: value,
      help: spec?.help ?? '',
    })),
  }
}

function completeField(typed: string, table: SearchTable<string>): Completion[] {
  const names = new Set<string>()
  for (const found of rank(typed, fieldNames(table))) {
    const name = findField(table, found)
    if (name !== undefined) names.add(name)
  }
  return [...names].map((name) => ({
    insert: `${name}:`,
    label: name,
    help: `${table.fields[name]?.help ?? ''}, such as ${table.fields[name]?.example ?? ''}`,
  }))
}

function rank(typed: string, candidates: readonly string[]): string[] {
  const wanted = typed.toLowerCase()
  const begins = candidates.filter((one) => one.toLowerCase().startsWith(wanted))
  const holds = candidates.filter((one) => !begins.includes(one) && one.toLowerCase().includes(wanted))
  return [...begins, ...holds].slice(0, maxItems)
}

/** Where the word under the cursor begins: behind the last space or ( that is not in quotes. */
function wordStart(text: string, cursor: number): number {
  let start = 0
  let isQuoted = false
  for (let at = 0; at < cursor; at++) {
    const char = text[at] ?? ''
    if (isQuoted && char === '\\') at += 1
    else if (char === '"') isQuoted = !isQuoted
    else if (!isQuoted && /[\s()]/.test(char) && text[at - 1] !== ',') start = at + 1
  }
  return start
}

/** Where in a comma list the last value begins. */
function lastValue(values: string): number {
  let last = 0
  let isQuoted = false
  for (let at = 0; at < values.length; at++) {
    if (isQuoted && values[at] === '\\') at += 1
    else if (values[at] === '"') isQuoted = !isQuoted
    else if (!isQuoted && values[at] === ',') last = at + 1
  }
  const space = /^\s*/.exec(values.slice(last))?.[0].length ?? 0
  return last + space
}
