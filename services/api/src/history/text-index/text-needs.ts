import type { MessageField } from '@sip-capture/contract/search/fields.ts'
import type { Query, Test } from '@sip-capture/contract/search/query.ts'
import { fold, foldNumber, foldText } from '../../filter-words.ts'
import { gramBytes } from './text-grams.ts'

/** Texts that a message or its numbers must hold, all of one alternative. */
export type TextNeeds = readonly (readonly string[])[]

/** Each is a statement. */
const maxAlternatives = 8
/** What bytes that are not UTF-8 are shown as: not how they are stored. */
const replacement = '\ufffd'

/** What every message that a query finds must hold; undefined where that is nothing that the index knows. */
export function toTextNeeds(query: Query<MessageField>): TextNeeds | undefined {
  switch (query.type) {
    case 'test': {
      const texts = textsOf(query.field, query.test).flatMap((text) => text.split(replacement))
      const known = texts.filter((text) => Buffer.byteLength(text) >= gramBytes)
      return known.length === 0 ? undefined : [known]
    }
    case 'any': {
      const alternatives: (readonly string[])[] = []
      for (const term of query.terms) {
        const needs = toTextNeeds(term)
        if (!needs) return undefined
        alternatives.push(...needs)
      }
      const unique = [...new Map(alternatives.map((texts) => [texts.join('\0'), texts])).values()]
      return unique.length === 0 || unique.length > maxAlternatives ? undefined : unique
    }
    case 'all': {
      let found: TextNeeds | undefined
      for (const term of query.terms) {
        const needs = toTextNeeds(term)
        if (!needs) continue
        const both = found?.flatMap((one) => needs.map((other) => [...one, ...other])) ?? needs
        // One of them alone is asked then: that leaves more to read, and loses nothing.
        if (both.length <= maxAlternatives) found = both
      }
      return found
    }
    case 'not':
      return undefined
    default:
      return query satisfies never
  }
}

/** True where the text of messages must be read. */
export function asksText(query: Query<MessageField>): boolean {
  switch (query.type) {
    case 'test':
      return query.field === 'text' || query.field === 'branch'
    case 'not':
      return asksText(query.term)
    default:
      return query.terms.some(asksText)
  }
}

/** As `filter-sql.ts` looks for them. */
function textsOf(field: MessageField, test: Test): readonly string[] {
  if (test.op !== 'contains' && test.op !== 'equals' && test.op !== 'like') return []
  const parts = test.op === 'like' ? test.parts : [test.text]
  if (field === 'text' || field === 'branch') return parts.map(foldText)
  if (field !== 'number') return []
  const [first = '', ...others] = parts
  return [foldNumber(first), ...others.map(fold)]
}
