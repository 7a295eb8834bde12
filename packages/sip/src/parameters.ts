/** `;name=value` parameters and comma lists, RFC 3261 7.3.1 and 25.1. Every function here is linear in its input. */

const quote = 0x22
const backslash = 0x5c
const semicolon = 0x3b
const comma = 0x2c
const lessThan = 0x3c
const greaterThan = 0x3e

export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a
}

/** Trims what SIP calls white space; unlike `trim()` it leaves a no-break space or a byte order mark alone. */
export function trimSpace(text: string, start = 0, end = text.length): string {
  let from = start
  let to = end
  while (from < to && isSpace(text.charCodeAt(from))) from++
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

/** `text.slice(start, end)` without white space at its end. */
export function trimEnd(text: string, start: number, end: number): string {
  let to = end
  while (to > start && isSpace(text.charCodeAt(to - 1))) to--
  return text.slice(start, to)
}

/** The index behind the quoted string that opens at `start`; the end of the text when it never closes. */
export function skipQuoted(text: string, start: number): number {
  const end = text.indexOf('"', start + 1)
  if (end < 0) return text.length
  // Looked for in this string alone: a search to the end of the text for every string would be quadratic.
  const escape = text.slice(start + 1, end).indexOf('\\')
  if (escape < 0) return end + 1
  for (let i = start + 1 + escape; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === backslash) i++
    else if (code === quote) return i + 1
  }
  return text.length
}

/** `"a \"b\""` → `a "b"`; text that is not quoted comes back trimmed. A missing closing quote is tolerated. */
export function unquote(text: string): string {
  const inner = trimSpace(text)
  if (inner.charCodeAt(0) !== quote) return inner
  const end = skipQuoted(inner, 0)
  const closed = end <= inner.length && end > 1 && inner.charCodeAt(end - 1) === quote
  const content = inner.slice(1, closed ? end - 1 : inner.length)
  if (!content.includes('\\')) return content
  let out = ''
  for (let i = 0; i < content.length; i++) {
    if (content.charCodeAt(i) === backslash && i + 1 < content.length) i++
    out += content[i]
  }
  return out
}

/** The index of the next `wanted` character at or behind `start`, outside quoted strings; `end` when there is none. */
function findOutsideQuotes(text: string, wanted: number, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === wanted) return i
    if (code === quote) i = skipQuoted(text, i) - 1
  }
  return end
}

/** The value of one parameter (unquoted, `''` for a bare flag), or `undefined`. `name` in lower case. `start` is the
 *  index where the parameters begin: at or before their first semicolon. The first of equal names counts. */
export function findParameter(text: string, start: number, name: string): string | undefined {
  if (!text.includes('"', start)) return findPlainParameter(text, start, name)
  const firstLetter = name.charCodeAt(0)
  let at = findOutsideQuotes(text, semicolon, start, text.length)
  while (at < text.length) {
    let nameAt = at + 1
    while (isSpace(text.charCodeAt(nameAt))) nameAt++
    const next = findOutsideQuotes(text, semicolon, nameAt, text.length)
    // Most parameters are not the one asked for: nothing is cut out before the first letter fits.
    if ((text.charCodeAt(nameAt) | 0x20) === firstLetter) {
      let nameEnd = nameAt
      while (nameEnd < next && text.charCodeAt(nameEnd) !== 0x3d) nameEnd++
      if (trimSpace(text, nameAt, nameEnd).toLowerCase() === name)
        return nameEnd < next ? unquote(text.slice(nameEnd + 1, next)) : ''
    }
    at = next
  }
  return undefined
}

/** `findParameter` for a text without quotes: what nearly every message has, and searching beats walking. */
function findPlainParameter(text: string, start: number, name: string): string | undefined {
  const firstLetter = name.charCodeAt(0)
  let at = text.indexOf(';', start)
  while (at >= 0) {
    const nextAt = text.indexOf(';', at + 1)
    const next = nextAt < 0 ? text.length : nextAt
    let nameAt = at + 1
    while (nameAt < next && isSpace(text.charCodeAt(nameAt))) nameAt++
    // Most parameters are not the one asked for: nothing is cut out before the first letter fits.
    if ((text.charCodeAt(nameAt) | 0x20) === firstLetter) {
      let nameEnd = nameAt + name.length
      if (!text.startsWith(name, nameAt) || text.charCodeAt(nameEnd) !== 0x3d) {
        nameEnd = nameAt
        while (nameEnd < next && text.charCodeAt(nameEnd) !== 0x3d) nameEnd++
        if (trimSpace(text, nameAt, nameEnd).toLowerCase() !== name) nameEnd = -1
      }
      if (nameEnd >= 0) return nameEnd < next ? trimSpace(text, nameEnd + 1, next) : ''
    }
    at = nextAt
  }
  return undefined
}

/** All parameters from `start` on; names in lower case, values unquoted, the first of equal names counts. */
export function parseParameters(text: string, start = 0): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  let at = findOutsideQuotes(text, semicolon, start, text.length)
  while (at < text.length) {
    const next = findOutsideQuotes(text, semicolon, at + 1, text.length)
    let nameEnd = at + 1
    while (nameEnd < next && text.charCodeAt(nameEnd) !== 0x3d) nameEnd++
    const name = trimSpace(text, at + 1, nameEnd).toLowerCase()
    if (name !== '' && !found.has(name))
      found.set(name, nameEnd < next ? unquote(text.slice(nameEnd + 1, next)) : '')
    at = next
  }
  return found
}

/** Splits at commas outside quoted strings and angle brackets; empty items are left out. `limit` bounds the items. */
export function splitList(text: string, limit = Number.POSITIVE_INFINITY): string[] {
  const items: string[] = []
  let from = 0
  let inBrackets = false
  for (let i = 0; i < text.length && items.length < limit; i++) {
    const code = text.charCodeAt(i)
    if (code === quote) i = skipQuoted(text, i) - 1
    else if (code === lessThan) inBrackets = true
    else if (code === greaterThan) inBrackets = false
    else if (code === comma && !inBrackets) {
      const item = trimSpace(text, from, i)
      if (item !== '') items.push(item)
      from = i + 1
    }
  }
  if (items.length < limit) {
    const last = trimSpace(text, from)
    if (last !== '') items.push(last)
  }
  return items
}
