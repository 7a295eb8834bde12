import type { MessageFilter } from '@sip-capture/contract/rest/message.ts'
import type { MessageField } from '@sip-capture/contract/search/fields.ts'
import { toLikePattern } from '@sip-capture/contract/search/glob.ts'
import { toMessageQuery } from '@sip-capture/contract/search/message-query.ts'
import type { Test } from '@sip-capture/contract/search/query.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { fold, foldNumber, foldText } from '../filter-words.ts'
import {
  branchSql,
  mayHaveNumber,
  numbers,
  partyFoldSql,
  requestUriSql,
  userAgentFoldSql,
  userSql,
} from './implied-columns.ts'
import {
  anySql,
  exactSql,
  likeFoldedSql,
  numbersSql,
  partSql,
  rangeSql,
  SqlParams,
  toQuerySql,
} from './query-sql.ts'
import { atOrAfter, before } from './time-sql.ts'

export interface SqlCondition {
  /** For a WHERE over `messages`; constants of this folder and parameter names only. */
  readonly sql: string
  readonly params: Record<string, unknown>
}

/** The slots where these Call-IDs are in `messages`: what the primary key can use. Of a call that is in thousands it takes half the time
 *  that pairs of slot and Call-ID take. */
export const slotsOf = (callIds: string): string =>
  `slot IN (SELECT slot FROM callSlots WHERE callId IN ${callIds})`

/** The same words as `live/message-match.ts`; one test suite runs over both. `findsSlots`: where the calls of the filter are is
 *  looked for by the statement itself, in `messages`. @throws SearchError */
export function toFilterSql(filter: MessageFilter, { findsSlots } = { findsSlots: true }): SqlCondition {
  const params = new SqlParams()
  const query = toMessageQuery(filter, { nowMicros: nowMicros() })
  const conditions: string[] = []
  if (filter.capture?.length) {
    conditions.push('capture IN {capture:Array(String)}')
    params.values['capture'] = filter.capture
  } else conditions.push(`capture = ''`)
  if (filter.callId?.length && findsSlots)
    conditions.push(slotsOf(params.add(filter.callId, 'Array(String)')))
  const terms = query.type === 'all' ? query.terms : [query]
  for (const term of terms) conditions.push(toQuerySql(term, (field, tests) => leaves[field](tests, params)))
  return { sql: conditions.join(' AND '), params: params.values }
}

type Leaf = (tests: readonly Test[], params: SqlParams) => string

const exact =
  (...columns: string[]): Leaf =>
  (tests, params) =>
    `(${columns.map((column) => exactSql(column, tests, params)).join(' OR ')})`

const part =
  (column: string): Leaf =>
  (tests, params) =>
    anySql(tests, (test) => partSql(column, test, params))

const range =
  (columns: readonly string[], unknown?: number): Leaf =>
  (tests, params) =>
    anySql(tests, (test) => columns.map((column) => rangeSql(column, test, params, unknown)).join(' OR '))

/** From and To: part of name or URI; with `*` the whole user, name or URI. */
const party =
  (side: 'from' | 'to'): Leaf =>
  (tests, params) =>
    anySql(tests, (test) => {
      if ('text' in test)
        return `position(${partyFoldSql(side)}, ${params.add(fold(test.text), 'String')}) > 0`
      if (test.op !== 'like') return '0'
      const [first = '', ...others] = test.parts
      const user = toLikePattern([foldNumber(first), ...others.map(foldText)])
      return [
        `replaceRegexpOne(lower(${userSql(side)}), '^[+]', '') LIKE ${params.add(user, 'String')}`,
        likeFoldedSql(`${side}DisplayName`, test.parts, params),
        likeFoldedSql(`${side}Uri`, test.parts, params),
      ].join(' OR ')
    })

const number: Leaf = (tests, params) =>
  anySql(tests, (test) => {
    const holds = numbersSql([test], params, numbers)
    return 'text' in test
      ? `(${mayHaveNumber(params.add(foldNumber(test.text), 'String'))} AND ${holds})`
      : holds
  })

const address =
  (...sides: readonly ('src' | 'dst')[]): Leaf =>
  (tests, params) =>
    anySql(tests, (test) => {
      if (test.op === 'like')
        return sides.map((side) => likeFoldedSql(`${side}Address`, test.parts, params)).join(' OR ')
      if (test.op !== 'address') return '0'
      const ip = params.add(test.address, 'String')
      if (test.port === 0) return sides.map((side) => `${side}Address = ${ip}`).join(' OR ')
      const port = params.add(Math.min(test.port, 65_535), 'UInt16')
      return sides.map((side) => `(${side}Address = ${ip} AND ${side}Port = ${port})`).join(' OR ')
    })

/** Whoever looks for U+FFFD means bytes that are not UTF-8, as the page shows them. */
function textColumns(test: Test): readonly string[] {
  const words = 'text' in test ? test.text : test.op === 'like' ? test.parts.join('') : ''
  return words.includes('\ufffd') ? ['payload', 'payloadText'] : ['payload']
}

function whenSql(test: Test, params: SqlParams): string {
  if (test.op !== 'range') return '0'
  const bounds: string[] = []
  if (test.from !== null) bounds.push(atOrAfter(params.add(test.from, 'Int64')))
  if (test.until !== null) bounds.push(before(params.add(test.until, 'Int64')))
  return bounds.length === 0 ? '1' : `(${bounds.join(' AND ')})`
}

const leaves: Readonly<Record<MessageField, Leaf>> = {
  from: party('from'),
  to: party('to'),
  number,
  method: exact('method'),
  // 0: no status, a request.
  status: range(['status'], 0),
  reason: part('reason'),
  callid: exact('callId'),
  trunk: exact('trunk', 'srcName', 'dstName'),
  address: address('src', 'dst'),
  src: address('src'),
  dst: address('dst'),
  port: range(['srcPort', 'dstPort']),
  ua: (tests, params) =>
    anySql(tests, (test) =>
      'text' in test
        ? `position(${userAgentFoldSql}, ${params.add(fold(test.text), 'String')}) > 0`
        : test.op === 'like'
          ? likeFoldedSql('userAgent', test.parts, params)
          : '0',
    ),
  uri: part(requestUriSql),
  source: exact('source'),
  transport: exact('transport'),
  direction: exact('direction'),
  kind: exact('kind'),
  sdp: exact(`if(hasSdp, 'yes', 'no')`),
  cseq: range(['cseq'], -1),
  branch: exact(branchSql),
  channel: exact('channel'),
  node: exact('node'),
  size: range(['sizeBytes']),
  problem: (tests, params) =>
    anySql(tests, (test) => `arrayExists(p -> ${partSql('p', test, params)}, problems)`),
  at: (tests, params) => anySql(tests, (test) => whenSql(test, params)),
  text: (tests, params) =>
    anySql(tests, (test) =>
      textColumns(test)
        .map((column) =>
          test.op === 'like'
            ? `lower(${column}) LIKE ${params.add(`%${toLikePattern(test.parts.map(foldText))}%`, 'String')}`
            : partSql(column, test, params),
        )
        .join(' OR '),
    ),
}
