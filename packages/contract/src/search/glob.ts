/** `a*b` → `['a', 'b']`; undefined when there is no `*`. */
export function toParts(text: string): string[] | undefined {
  return text.includes('*') ? text.split('*') : undefined
}

/** True when `text` as a whole is the parts in this order with anything between. Time is linear in the text for any number
 *  of parts: each inner part is taken where it comes first. */
export function matchesParts(text: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

/** The same as an SQL LIKE pattern. */
export function toLikePattern(parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll(/[\\%_]/g, String.raw`\$&`)).join('%')
}
