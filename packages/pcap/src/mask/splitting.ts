import { skipQuoted, trimSpace } from '@sip-capture/sip/parameters.ts'

/** Splits at a character outside quoted strings and angle brackets; items are trimmed, empty ones stay. */
export function splitOutside(text: string, separator: string): string[] {
  const items: string[] = []
  let from = 0
  let inBrackets = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') at = skipQuoted(text, at) - 1
    else if (character === '<') inBrackets = true
    else if (character === '>') inBrackets = false
    else if (character === separator && !inBrackets) {
      items.push(trimSpace(text, from, at))
      from = at + 1
    }
  }
  items.push(trimSpace(text, from))
  return items
}

/** `%34` → `4`, bytes as UTF-8; what is no escape stays. Never fails. */
export function percentDecode(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    const bytes = Uint8Array.from(run.slice(1).split('%'), (pair) => Number.parseInt(pair, 16))
    return new TextDecoder().decode(bytes)
  })
}
