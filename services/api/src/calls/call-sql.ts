import type { CallFilter } from '@sip-capture/contract/rest/call-log.ts'
import { toCallQuery } from '@sip-capture/contract/search/call-query.ts'
import type { CallField } from '@sip-capture/contract/search/fields.ts'
import { toLikePattern } from '@sip-capture/contract/search/glob.ts'
import type { Test } from '@sip-capture/contract/search/query.ts'
import { fold, foldNumber, foldText } from '../filter-words.ts'
import type { SqlCondition } from '../history/filter-sql.ts'
import {
  anySql,
  exactSql,
  likeFoldedSql,
  numbersSql,
  partSql,
  rangeSql,
  SqlParams,
  timeSql,
  toQuerySql,
} from '../history/query-sql.ts'

/** For a WHERE over `calls FINAL`. The same words as `live/call-match.ts`; one test suite runs over both. @throws SearchError */
export function toCallFilterSql(filter: CallFilter, nowMicros: number): SqlCondition {
  const params = new SqlParams()
  const query = toCallQuery(filter, { nowMicros })
  const captures = filter.capture?.length
    ? `capture IN ${params.add(filter.capture, 'Array(String)')}`
    : `capture = ''`
  const terms = query.type === 'all' ? query.terms : [query]
  const conditions = terms.map((term) => toQuerySql(term, (field, tests) => leaves[field](tests, params)))
  return { sql: [captures, ...conditions].join(' AND '), params: params.values }
}

type Leaf = (tests: readonly Test[], params: SqlParams) => string

const exact =
  (column: string): Leaf =>
  (tests, params) =>
    exactSql(column, tests, params)

const exactIn =
  (column: string): Leaf =>
  (tests, params) =>
    `arrayExists(e -> ${exactSql('e', tests, params)}, ${column})`

const range =
  (column: string, unknown?: number): Leaf =>
  (tests, params) =>
    anySql(tests, (test) => rangeSql(column, test, params, unknown))

const part =
  (column: string): Leaf =>
  (tests, params) =>
    anySql(tests, (test) => partSql(column, test, params))

/** Caller and called: part of number or name; with `*` the whole number or name. */
const party =
  (side: 'from' | 'to'): Leaf =>
  (tests, params) =>
    anySql(tests, (test) => {
      if ('text' in test) return `position(${side}Fold, ${params.add(fold(test.text), 'String')}) > 0`
      if (test.op !== 'like') return '0'
      const [first = '', ...others] = test.parts
      const number = toLikePattern([foldNumber(first), ...others.map(foldText)])
      return [
        `replaceRegexpOne(lower(${side}Number), '^[+]', '') LIKE ${params.add(number, 'String')}`,
        likeFoldedSql(`${side}Name`, test.parts, params),
      ].join(' OR ')
    })

const leaves: Readonly<Record<CallField, Leaf>> = {
  from: party('from'),
  to: party('to'),
  number: numbersSql,
  state: exact('state'),
  answered: exact(`if(answeredAt > 0, 'yes', 'no')`),
  code: range('code', -1),
  reason: part('reason'),
  cause: range('cause', -1),
  verdict: (tests, params) =>
    anySql(
      tests,
      (test) =>
        `${partSql('title', test, params)} OR arrayExists(r -> ${partSql('r', test, params)}, ruleIds)`,
    ),
  severity: exact('severity'),
  trunk: exactIn('trunks'),
  endpoint: exactIn('endpoints'),
  duration: range('durationMillis', -1),
  talk: range('talkMillis', -1),
  ring: range('ringMillis', -1),
  pdd: range('pddMillis', -1),
  legs: range('legs'),
  messages: range('messages'),
  callid: exactIn('callIds'),
  linkedid: exact('linkedid'),
  node: exact('node'),
  text: (tests, params) =>
    anySql(tests, (test) => {
      if ('text' in test) return `position(textFold, ${params.add(fold(test.text), 'String')}) > 0`
      if (test.op !== 'like') return '0'
      return `textFold LIKE ${params.add(`%${toLikePattern(test.parts.map(fold))}%`, 'String')}`
    }),
  at: (tests, params) => anySql(tests, (test) => timeSql('startedAt', test, params)),
}
