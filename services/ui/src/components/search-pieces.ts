import { tokenize } from '@sip-capture/contract/search/lexer.ts'

/** A condition of a search that stands for itself: leaving it out leaves the others as they are. */
export interface SearchPiece {
  readonly text: string
  /** The search without it. */
  readonly rest: string
}

/** The conditions that stand side by side. With an `OR` outside brackets, or where the text cannot be read, it is one. */
export function toPieces(text: string): SearchPiece[] {
  const trimmed = text.trim()
  if (trimmed === '') return []
  const whole = [{ text: trimmed, rest: '' }]
  const read = tokenize(trimmed)
  if (!read.ok) return whole
  const spans: { from: number; to: number }[] = []
  let depth = 0
  /** Where a `-` or `NOT` began that the next condition belongs to. */
  let negatedAt: number | undefined
  for (const { kind, at, length } of read.value) {
    const to = at + length
    const last = spans.at(-1)
    if (kind === '(') {
      if (depth === 0) spans.push({ from: negatedAt ?? at, to })
      depth += 1
    } else if (depth > 0) {
      if (last) last.to = to
      if (kind === ')') depth -= 1
    } else if (kind === 'or') return whole
    else if (kind === 'not') {
      negatedAt ??= at
      continue
    } else if (kind !== 'and') spans.push({ from: negatedAt ?? at, to })
    negatedAt = undefined
  }
  const texts = spans.map(({ from, to }) => trimmed.slice(from, to))
  return texts.map((one, index) => ({
    text: one,
    rest: texts.filter((_, other) => other !== index).join(' '),
  }))
}
