import type { MessageFilter } from '../rest/message.ts'
import { parseAddress } from './address.ts'
import { messageTable, type MessageField } from './fields.ts'
import { parseSearch } from './parser.ts'
import { all, any, SearchError, type Query, type Test } from './query.ts'

export const equals = (text: string): Test => ({ op: 'equals', text })
export const contains = (text: string): Test => ({ op: 'contains', text })

/** What a filter asks, its words and its search text as one query. `capture` is not in it: without one, live traffic is
 *  meant, and no search reaches over both. @throws SearchError */
export function toMessageQuery(
  filter: MessageFilter,
  { nowMicros }: { nowMicros: number },
): Query<MessageField> {
  const terms: Query<MessageField>[] = []
  const anyOf = (
    field: MessageField,
    words: readonly string[] | undefined,
    toTest: (word: string) => Test,
  ) => {
    if (words?.length) terms.push(any(words.map((word) => ({ type: 'test', field, test: toTest(word) }))))
  }
  anyOf('callid', filter.callId, equals)
  anyOf('method', filter.method, equals)
  anyOf('source', filter.source, equals)
  anyOf('status', filter.status, toCodeRange)
  anyOf('trunk', filter.trunk, equals)
  anyOf('address', filter.address, (word) => ({ op: 'address', ...parseAddress(word) }))
  anyOf('from', filter.from, contains)
  anyOf('to', filter.to, contains)
  anyOf('ua', filter.userAgent, contains)
  anyOf('number', filter.number, contains)
  if (filter.q !== undefined) {
    const parsed = parseSearch(filter.q, messageTable, { nowMicros })
    if (!parsed.ok) throw new SearchError(parsed.problem)
    terms.push(parsed.value)
  }
  // Last: it is the dearest.
  anyOf('text', filter.text, contains)
  return all(terms)
}

/** `4xx` → 400..500, `486` → 486..487. The word has passed the contract's `statusFilter`. */
export function toCodeRange(word: string): Test {
  const first = Number(word.slice(0, 1)) * 100
  return word.endsWith('xx')
    ? { op: 'range', from: first, until: first + 100 }
    : { op: 'range', from: Number(word), until: Number(word) + 1 }
}
