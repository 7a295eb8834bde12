import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { parseTime, toRfc3339 } from '@sip-capture/contract/time.ts'
import { fold } from '../filter-words.ts'
import type { CallRecord } from './call-record.ts'
import type { CallSummary } from './summarise-call.ts'

/**
 * The call log in history: one row a call by (startedAt, id), the newest `version` counts, `isDeleted` rows are gone.
 * -1 in a number and 0 in a time: none. `…Fold`: as it is searched.
 */
export const callColumns = [
  ['startedAt', `DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1))`],
  ['id', 'UUID CODEC(ZSTD(1))'],
  ['version', 'UInt64 CODEC(ZSTD(1))'],
  ['isDeleted', 'UInt8'],
  ['lookAgainAt', 'Int64 CODEC(ZSTD(1))'],
  ['capture', 'LowCardinality(String)'],
  ['node', 'LowCardinality(String)'],
  ['linkedid', 'String CODEC(ZSTD(1))'],
  ['callIds', 'Array(String) CODEC(ZSTD(3))'],
  ['answeredAt', 'Int64 CODEC(ZSTD(1))'],
  ['endedAt', 'Int64 CODEC(ZSTD(1))'],
  ['fromNumber', 'String CODEC(ZSTD(1))'],
  ['fromName', 'String CODEC(ZSTD(1))'],
  ['toNumber', 'String CODEC(ZSTD(1))'],
  ['toName', 'String CODEC(ZSTD(1))'],
  ['numbers', 'Array(String) CODEC(ZSTD(1))'],
  ['trunks', 'Array(LowCardinality(String))'],
  ['endpoints', 'Array(LowCardinality(String))'],
  ['state', 'LowCardinality(String)'],
  ['code', 'Int16'],
  ['reason', 'LowCardinality(String)'],
  ['cause', 'Int16'],
  ['causeText', 'LowCardinality(String)'],
  ['techCause', 'LowCardinality(String)'],
  ['pddMillis', 'Int64 CODEC(T64, ZSTD(1))'],
  ['ringMillis', 'Int64 CODEC(T64, ZSTD(1))'],
  ['talkMillis', 'Int64 CODEC(T64, ZSTD(1))'],
  ['durationMillis', 'Int64 CODEC(T64, ZSTD(1))'],
  ['legs', 'UInt32 CODEC(T64, ZSTD(1))'],
  ['messages', 'UInt32 CODEC(T64, ZSTD(1))'],
  ['ruleId', 'LowCardinality(String)'],
  ['severity', 'LowCardinality(String)'],
  ['title', 'LowCardinality(String)'],
  ['sentence', 'String CODEC(ZSTD(3))'],
  ['ruleIds', 'Array(LowCardinality(String))'],
  ['fromFold', 'String CODEC(ZSTD(1))'],
  ['toFold', 'String CODEC(ZSTD(1))'],
  ['textFold', 'String CODEC(ZSTD(3))'],
] as const

export const callColumnNames = callColumns.map(([name]) => name)

/** Number and name as they are searched, a line each. */
export const foldCaller = ({ number, name }: CallRow['from']): string => fold(`${name}\n${number}`)

/** What a word without a field is looked for in: a line each, so that no match spans two. */
export function foldCallText(row: CallRow): string {
  const { from, to, trunks, endpoints, callIds, linkedid, reason, causeText, verdict } = row
  return fold(
    [
      from.number,
      from.name,
      to.number,
      to.name,
      ...new Set([...trunks, ...endpoints]),
      reason,
      causeText,
      verdict?.ruleId ?? '',
      verdict?.title ?? '',
      linkedid ?? '',
      ...callIds,
    ].join('\n'),
  )
}

const toColumnTime = (atMicros: number): string => toRfc3339(atMicros).replace('T', ' ').slice(0, -1)
const toMicros = (time: string | null): number => (time === null ? 0 : (parseTime(time) ?? 0))

/** One line of JSONCompactEachRow, in the order of `callColumnNames`. */
export function toCallLine(summary: CallSummary, version: number): string {
  const { row, numbers, startedAtMicros, lookAgainAtMicros } = summary
  return JSON.stringify([
    toColumnTime(startedAtMicros),
    row.id,
    version,
    0,
    lookAgainAtMicros ?? 0,
    row.capture ?? '',
    row.node,
    row.linkedid ?? '',
    row.callIds,
    toMicros(row.answeredAt),
    toMicros(row.endedAt),
    row.from.number,
    row.from.name,
    row.to.number,
    row.to.name,
    numbers,
    row.trunks,
    row.endpoints,
    row.state,
    row.code ?? -1,
    row.reason,
    row.cause ?? -1,
    row.causeText,
    row.techCause,
    row.pddMillis ?? -1,
    row.ringMillis ?? -1,
    row.talkMillis ?? -1,
    row.durationMillis ?? -1,
    row.legs,
    row.messages,
    row.verdict?.ruleId ?? '',
    row.verdict?.severity ?? '',
    row.verdict?.title ?? '',
    row.verdict?.sentence ?? '',
    row.ruleIds,
    foldCaller(row.from),
    foldCaller(row.to),
    foldCallText(row),
  ])
}

/** What a tombstone needs; the other columns take their defaults. */
export const tombstoneColumnNames = ['startedAt', 'id', 'version', 'isDeleted', 'capture', 'callIds'] as const

export interface Tombstone {
  readonly startedAtMicros: number
  readonly id: string
  readonly capture: string
  readonly callIds: readonly string[]
}

export function toTombstoneLine(
  { startedAtMicros, id, capture, callIds }: Tombstone,
  version: number,
): string {
  return JSON.stringify([toColumnTime(startedAtMicros), id, version, 1, capture, callIds])
}

/** For SELECT: what `toCallRecord` reads. */
export const callSelect = callColumnNames
  .filter((name) => !/Fold$|^version$|^isDeleted$|^lookAgainAt$/.test(name))
  .map((name) =>
    name === 'startedAt'
      ? 'toUnixTimestamp64Micro(calls.startedAt) AS startedAtMicros'
      : name === 'id'
        ? 'lower(hex(calls.id)) AS idHex'
        : name,
  )
  .join(', ')

export interface StoredCall {
  startedAtMicros: number
  idHex: string
  capture: string
  node: string
  linkedid: string
  callIds: string[]
  answeredAt: number
  endedAt: number
  fromNumber: string
  fromName: string
  toNumber: string
  toName: string
  numbers: string[]
  trunks: string[]
  endpoints: string[]
  state: CallRow['state']
  code: number
  reason: string
  cause: number
  causeText: string
  techCause: string
  pddMillis: number
  ringMillis: number
  talkMillis: number
  durationMillis: number
  legs: number
  messages: number
  ruleId: string
  severity: NonNullable<CallRow['verdict']>['severity']
  title: string
  sentence: string
  ruleIds: string[]
}

const orNull = (value: number): number | null => (value < 0 ? null : value)
const timeOrNull = (micros: number): string | null => (micros === 0 ? null : toRfc3339(micros))

export function toCallRecord(stored: StoredCall): CallRecord {
  return {
    numbers: stored.numbers,
    row: {
      id: stored.idHex,
      capture: stored.capture === '' ? null : stored.capture,
      node: stored.node,
      linkedid: stored.linkedid === '' ? null : stored.linkedid,
      callIds: stored.callIds,
      startedAt: toRfc3339(stored.startedAtMicros),
      answeredAt: timeOrNull(stored.answeredAt),
      endedAt: timeOrNull(stored.endedAt),
      from: { number: stored.fromNumber, name: stored.fromName },
      to: { number: stored.toNumber, name: stored.toName },
      trunks: stored.trunks,
      endpoints: stored.endpoints,
      state: stored.state,
      code: orNull(stored.code),
      reason: stored.reason,
      cause: orNull(stored.cause),
      causeText: stored.causeText,
      techCause: stored.techCause,
      pddMillis: orNull(stored.pddMillis),
      ringMillis: orNull(stored.ringMillis),
      talkMillis: orNull(stored.talkMillis),
      durationMillis: orNull(stored.durationMillis),
      legs: stored.legs,
      messages: stored.messages,
      verdict:
        stored.ruleId === ''
          ? null
          : {
              ruleId: stored.ruleId,
              severity: stored.severity,
              title: stored.title,
              sentence: stored.sentence,
            },
      ruleIds: stored.ruleIds,
    },
  }
}
