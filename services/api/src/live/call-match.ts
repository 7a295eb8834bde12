import type { CallFilter, CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { toCallQuery } from '@sip-capture/contract/search/call-query.ts'
import type { CallField } from '@sip-capture/contract/search/fields.ts'
import { matchesParts } from '@sip-capture/contract/search/glob.ts'
import type { Test } from '@sip-capture/contract/search/query.ts'
import { nowMicros, parseTime } from '@sip-capture/contract/time.ts'
import { foldCaller, foldCallText } from '../calls/call-columns.ts'
import type { CallRecord } from '../calls/call-record.ts'
import { fold, foldNumber, foldText } from '../filter-words.ts'
import { exactMatch, likeFolded, partMatch, rangeMatch, toQueryMatch } from './query-match.ts'

export type CallMatch = (call: CallRecord) => boolean

/** The same words as `calls/call-sql.ts`; one test suite runs over both. @throws SearchError */
export function compileCallMatch(filter: CallFilter): CallMatch {
  const captures = filter.capture ?? []
  const query = toCallQuery(filter, { nowMicros: nowMicros() })
  const matches = toQueryMatch<CallField, CallRecord>(query, (field, test) => leaves[field](test))
  return (call) => {
    const { capture } = call.row
    return (captures.length === 0 ? capture === null : captures.includes(capture ?? '')) && matches(call)
  }
}

type Leaf = (test: Test) => CallMatch

const exact =
  (read: (row: CallRow) => readonly string[]): Leaf =>
  (test) => {
    const matches = exactMatch(test)
    return ({ row }) => read(row).some(matches)
  }

const part =
  (read: (row: CallRow) => readonly string[]): Leaf =>
  (test) => {
    const matches = partMatch(test)
    return ({ row }) => read(row).some(matches)
  }

const range =
  (read: (row: CallRow) => number | null): Leaf =>
  (test) => {
    const matches = rangeMatch(test)
    return ({ row }) => matches(read(row))
  }

/** Caller and called: part of number or name; with `*` the whole number or name. */
const party =
  (side: 'from' | 'to'): Leaf =>
  (test) => {
    if ('text' in test) {
      const word = fold(test.text)
      return ({ row }) => foldCaller(row[side]).includes(word)
    }
    if (test.op !== 'like') return () => false
    const [first = '', ...others] = test.parts
    const number = [foldNumber(first), ...others.map(foldText)]
    const matches = likeFolded(test.parts)
    return ({ row }) =>
      matchesParts(foldText(row[side].number).replace(/^\+/, ''), number) || matches(row[side].name)
  }

const leaves: Readonly<Record<CallField, Leaf>> = {
  from: party('from'),
  to: party('to'),
  number: (test) => {
    if ('text' in test) {
      const word = foldNumber(test.text)
      return ({ numbers }) => numbers.some((number) => number.includes(word))
    }
    if (test.op !== 'like') return () => false
    const [first = '', ...others] = test.parts
    const parts = [foldNumber(first), ...others.map(fold)]
    return ({ numbers }) => numbers.some((number) => matchesParts(number, parts))
  },
  state: exact((row) => [row.state]),
  answered: exact((row) => [row.answeredAt === null ? 'no' : 'yes']),
  code: range((row) => row.code),
  reason: part((row) => [row.reason]),
  cause: range((row) => row.cause),
  verdict: part((row) => [row.verdict?.title ?? '', ...row.ruleIds]),
  severity: exact((row) => [row.verdict?.severity ?? '']),
  trunk: exact((row) => row.trunks),
  endpoint: exact((row) => row.endpoints),
  duration: range((row) => row.durationMillis),
  talk: range((row) => row.talkMillis),
  ring: range((row) => row.ringMillis),
  pdd: range((row) => row.pddMillis),
  legs: range((row) => row.legs),
  messages: range((row) => row.messages),
  callid: exact((row) => row.callIds),
  linkedid: exact((row) => [row.linkedid ?? '']),
  node: exact((row) => [row.node]),
  text: (test) => {
    if ('text' in test) {
      const word = fold(test.text)
      return ({ row }) => foldCallText(row).includes(word)
    }
    if (test.op !== 'like') return () => false
    const parts = ['', ...test.parts.map(fold), '']
    return ({ row }) => matchesParts(foldCallText(row), parts)
  },
  at: (test) => {
    const matches = rangeMatch(test)
    return ({ row }) => matches(parseTime(row.startedAt) ?? null)
  },
}
