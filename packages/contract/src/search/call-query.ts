import type { CallFilter } from '../rest/call-log.ts'
import { callTable, type CallField } from './fields.ts'
import { contains, equals, toCodeRange } from './message-query.ts'
import { parseSearch } from './parser.ts'
import { all, any, SearchError, type Query, type Test } from './query.ts'

/** What a filter of calls asks, its words and its search text as one query; `capture` is not in it. @throws SearchError */
export function toCallQuery(filter: CallFilter, { nowMicros }: { nowMicros: number }): Query<CallField> {
  const terms: Query<CallField>[] = []
  const anyOf = (field: CallField, words: readonly string[] | undefined, toTest: (word: string) => Test) => {
    if (words?.length) terms.push(any(words.map((word) => ({ type: 'test', field, test: toTest(word) }))))
  }
  anyOf('state', filter.state, equals)
  anyOf('from', filter.from, contains)
  anyOf('to', filter.to, contains)
  anyOf('number', filter.number, contains)
  anyOf('trunk', filter.trunk, equals)
  anyOf('endpoint', filter.endpoint, equals)
  anyOf('verdict', filter.verdict, contains)
  anyOf('code', filter.code, toCodeRange)
  anyOf('cause', filter.cause?.map(String), toCodeRange)
  const { minDuration, maxDuration } = filter
  if (minDuration !== undefined || maxDuration !== undefined)
    terms.push({
      type: 'test',
      field: 'duration',
      test: {
        op: 'range',
        from: minDuration ?? null,
        until: maxDuration === undefined ? null : maxDuration + 1,
      },
    })
  if (filter.q !== undefined) {
    const parsed = parseSearch(filter.q, callTable, { nowMicros })
    if (!parsed.ok) throw new SearchError(parsed.problem)
    terms.push(parsed.value)
  }
  return all(terms)
}
