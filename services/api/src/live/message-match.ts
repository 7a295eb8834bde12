import type { MessageFilter, MessageRow } from '@sip-capture/contract/rest/message.ts'
import type { MessageField } from '@sip-capture/contract/search/fields.ts'
import { matchesParts } from '@sip-capture/contract/search/glob.ts'
import { toMessageQuery } from '@sip-capture/contract/search/message-query.ts'
import type { Test } from '@sip-capture/contract/search/query.ts'
import { nowMicros, parseTime } from '@sip-capture/contract/time.ts'
import { fold, foldNumber, foldParty, foldText } from '../filter-words.ts'
import { exactMatch, likeFolded, partMatch, rangeMatch, toQueryMatch } from './query-match.ts'

/** What a filter looks at. `numbers` and `text` are not shown in a row but can be asked for. */
export interface MatchSubject {
  readonly row: MessageRow
  /** Users of From, To, Request-URI and P-Asserted-Identity, as `foldNumber` makes them. */
  readonly numbers: readonly string[]
  /** The whole message as text. */
  readonly text: string
}

export type Match = (subject: MatchSubject) => boolean

/** The same words as `history/filter-sql.ts`; one test suite runs over both. @throws SearchError */
export function compileMatch(filter: MessageFilter): Match {
  const captures = filter.capture ?? []
  const matches = toQueryMatch<MessageField, MatchSubject>(
    toMessageQuery(filter, { nowMicros: nowMicros() }),
    (field, test) => leaves[field](test),
  )
  return (subject) => {
    const { capture } = subject.row
    return (captures.length === 0 ? capture === null : captures.includes(capture ?? '')) && matches(subject)
  }
}

type Leaf = (test: Test) => Match

let lastText = ''
let lastFolded = ''

/** A message is asked by all subscribers in turn: its text, the longest there is to fold, is folded for the first of them. */
function foldOnce(text: string): string {
  if (text !== lastText) {
    lastFolded = foldText(text)
    lastText = text
  }
  return lastFolded
}

const exact =
  (read: (row: MessageRow) => readonly (string | null | undefined)[]): Leaf =>
  (test) => {
    const matches = exactMatch(test)
    return ({ row }) => read(row).some((value) => matches(value ?? ''))
  }

const part =
  (read: (row: MessageRow) => readonly string[]): Leaf =>
  (test) => {
    const matches = partMatch(test)
    return ({ row }) => read(row).some(matches)
  }

const range =
  (read: (row: MessageRow) => readonly (number | null)[]): Leaf =>
  (test) => {
    const matches = rangeMatch(test)
    return ({ row }) => read(row).some(matches)
  }

/** From and To: part of name or URI; with `*` the whole user, name or URI. */
const party =
  (side: 'from' | 'to'): Leaf =>
  (test) => {
    if ('text' in test) {
      const word = fold(test.text)
      return ({ row }) => foldParty(row[side]).includes(word)
    }
    if (test.op !== 'like') return () => false
    const [first = '', ...others] = test.parts
    const user = [foldNumber(first), ...others.map(foldText)]
    const matches = likeFolded(test.parts)
    return ({ row }) =>
      matchesParts(foldText(row[side].user).replace(/^\+/, ''), user) ||
      matches(row[side].displayName) ||
      matches(row[side].uri)
  }

const address =
  (read: (row: MessageRow) => readonly MessageRow['src'][]): Leaf =>
  (test) => {
    if (test.op === 'like') {
      const matches = likeFolded(test.parts)
      return ({ row }) => read(row).some((side) => matches(side.address))
    }
    if (test.op !== 'address') return () => false
    const port = Math.min(test.port, 65_535)
    return ({ row }) =>
      read(row).some((side) => side.address === test.address && (port === 0 || side.port === port))
  }

const leaves: Readonly<Record<MessageField, Leaf>> = {
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
  method: exact((row) => [row.method]),
  status: range((row) => [row.status]),
  reason: part((row) => [row.reason]),
  callid: exact((row) => [row.callId]),
  trunk: exact((row) => [row.trunk, row.src.name, row.dst.name]),
  address: address((row) => [row.src, row.dst]),
  src: address((row) => [row.src]),
  dst: address((row) => [row.dst]),
  port: range((row) => [row.src.port, row.dst.port]),
  ua: (test) => {
    if (!('text' in test)) return part((row) => [row.userAgent])(test)
    const word = fold(test.text)
    return ({ row }) => fold(row.userAgent).includes(word)
  },
  uri: part((row) => [row.requestUri]),
  text: (test) => {
    if ('text' in test) {
      const word = foldText(test.text)
      return ({ text }) => foldOnce(text).includes(word)
    }
    if (test.op !== 'like') return () => false
    const parts = ['', ...test.parts.map(foldText), '']
    return ({ text }) => matchesParts(foldOnce(text), parts)
  },
  source: exact((row) => [row.source]),
  transport: exact((row) => [row.transport]),
  direction: exact((row) => [row.direction]),
  kind: exact((row) => [row.kind]),
  sdp: exact((row) => [row.hasSdp ? 'yes' : 'no']),
  cseq: range((row) => [row.cseq]),
  branch: exact((row) => [row.branch]),
  channel: exact((row) => [row.channel]),
  node: exact((row) => [row.node]),
  size: range((row) => [row.sizeBytes]),
  problem: part((row) => row.problems),
  at: (test) => {
    const matches = rangeMatch(test)
    return ({ row }) => matches(parseTime(row.at) ?? null)
  },
}
