import type { CallRow, Resolution } from '@sip-capture/contract/rest/call-log.ts'
import { parseTime } from '@sip-capture/contract/time.ts'
import { foldNumber } from '../filter-words.ts'
import { findCall } from '../history/leg-store.ts'
import { ofCalls } from '../history/message-reader.ts'
import type { Store } from '../history/store.ts'
import { callSelect, toCallRecord, type StoredCall } from './call-columns.ts'
import type { CallRecord } from './call-record.ts'
import { findCallRecords } from './call-store.ts'

export interface ResolveQuery {
  /** Call-ID, Uniqueid, Linkedid, channel or our own id; else the number of either side. */
  readonly id?: string | undefined
  /** Epoch microseconds. */
  readonly at?: number | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
}

type Candidate = Resolution['candidates'][number]

const maxCandidates = 20
/** With a number, clocks and CDRs may be this far off; with the time alone only near calls mean anything. */
const numberWindowMicros = 3_600_000_000
const timeWindowMicros = 300_000_000
/** A Uniqueid or Linkedid of Asterisk's: the second in which the channel began, and a counter; before them the system's name. */
const uniqueidPattern = /(?:^|-)(\d{9,10})\.\d{1,10}$/
const numberPattern = /^(?:(?:sips?|tel):)?(\+?[\d*#]{2,24})$/i
/** Digits that make two spellings of a number alike: national and international differ before them. */
const significantDigits = 7

const nothing: Resolution = { match: 'none', callId: null, candidates: [] }

/**
 * A deep link → the call. What Asterisk or SIP itself names is opened; what only lies near is a list with distances, however
 * short, and equal ones stand side by side. @throws StoreError
 */
export async function resolveCall(store: Store, query: ResolveQuery): Promise<Resolution> {
  const { id } = query
  if (id !== undefined) {
    const named =
      (await byOwnId(store, id)) ?? (await byCallId(store, id)) ?? (await byAsteriskId(store, id, query.at))
    if (named) return named
  }
  const hints = readHints(query)
  if (hints.at === undefined && !hasNumber(hints)) return nothing
  const near = await byProximity(store, hints)
  if (near.match !== 'none' || hints.at === undefined || !hasNumber(hints)) return near
  const { candidates } = await byProximity(store, { at: hints.at })
  if (candidates.length === 0) return nothing
  const others = candidates.map((one) => ({ ...one, why: ['other numbers', ...one.why] }))
  return { match: 'proximity', callId: null, candidates: others }
}

interface Hints {
  readonly at?: number | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** Of either side. */
  readonly number?: string | undefined
}

const hasNumber = ({ from, to, number }: Hints): boolean =>
  from !== undefined || to !== undefined || number !== undefined

/** What an id that names no call still tells: the number of a party, or when the channel began. */
function readHints({ id = '', at, from, to }: ResolveQuery): Hints {
  const number = numberPattern.exec(id.replaceAll(/[\s()/-]/g, ''))?.[1]
  const began = uniqueidPattern.exec(id)?.[1]
  return { from, to, number, at: at ?? (began === undefined ? undefined : Number(began) * 1_000_000) }
}

async function byOwnId(store: Store, id: string): Promise<Resolution | undefined> {
  if (!/^[0-9a-f]{32}$/.test(id)) return undefined
  const [record] = await findCallRecords(store, { id })
  return record && toExact('exact', record.row.callIds[0] ?? id, [record])
}

async function byCallId(store: Store, id: string): Promise<Resolution | undefined> {
  const [message] = await store.query<{ found: number }>(
    `SELECT 1 AS found FROM messages WHERE ${ofCalls} LIMIT 1`,
    { callIds: [id], capture: '' },
  )
  if (!message) return undefined
  return toExact('exact', id, await findCallRecords(store, { callIds: [id], capture: '' }))
}

/** Uniqueid, Linkedid or channel. They are unique on one PBX only: when two know it, the person chooses. */
async function byAsteriskId(
  store: Store,
  id: string,
  at: number | undefined,
): Promise<Resolution | undefined> {
  const owners = await store.query<{ node: string; linkedid: string; callId: string }>(
    // The leg that is named, else the first of the call; what is sure before what was guessed.
    `SELECT node, linkedid, argMax(callId, (uniqueid = {id:String} OR channel = {id:String}, link != 'guess', -toUnixTimestamp64Micro(at))) AS callId FROM legs
     WHERE kind = 'leg-linked' AND (uniqueid = {id:String} OR linkedid = {id:String} OR channel = {id:String})
     GROUP BY node, linkedid LIMIT ${maxCandidates}`,
    { id },
  )
  // Two Linkedids that were joined are one call.
  const calls = new Map<string, { callId: string; records: CallRecord[] }>()
  for (const { callId } of owners) {
    const { callIds } = await findCall(store, { id: callId })
    const key = callIds.toSorted().join('\0')
    if (!calls.has(key))
      calls.set(key, { callId, records: await findCallRecords(store, { callIds, capture: '' }) })
  }
  const [only] = calls.values()
  if (!only) return undefined
  if (calls.size === 1) return toExact('linked', only.callId, only.records)
  const candidates = [...calls.values()]
    .flatMap(({ records }) => records)
    .map(({ row }) => toCandidate(row, at, [`its id on ${row.node}`]))
  return { match: 'proximity', callId: null, candidates: sorted(candidates, at) }
}

function toExact(match: 'exact' | 'linked', callId: string, records: readonly CallRecord[]): Resolution {
  const candidates = records.map(({ row }) => ({ call: row, distanceSeconds: null, why: [] }))
  return { match, callId, candidates }
}

async function byProximity(store: Store, hints: Hints): Promise<Resolution> {
  const { at, from, to, number: either } = hints
  const conditions = [`capture = ''`]
  const params: Record<string, unknown> = {}
  if (at !== undefined) {
    const window = hasNumber(hints) ? numberWindowMicros : timeWindowMicros
    params['sinceMicros'] = Math.max(0, at - window)
    params['untilMicros'] = at + window
    // A long call may have begun long before: it counts when it was going on.
    conditions.push(
      `(startedAt <= fromUnixTimestamp64Micro({untilMicros:Int64}, 'UTC') AND (startedAt >= fromUnixTimestamp64Micro({sinceMicros:Int64}, 'UTC')
        OR endedAt >= {sinceMicros:Int64} OR state IN ('setting-up', 'ringing', 'in-call')))`,
    )
  }
  for (const [side, number] of Object.entries({ from, to, either })) {
    if (number === undefined) continue
    const digits = foldNumber(number)
    params[`${side}Digits`] = digits
    params[`${side}Tail`] = digits.slice(-significantDigits)
    const alike = (side === 'either' ? ['from', 'to'] : [side]).map((column) => {
      const folded = `replaceRegexpOne(lower(${column}Number), '^[+]', '')`
      const tail = digits.length >= significantDigits ? ` OR endsWith(${folded}, {${side}Tail:String})` : ''
      return `${folded} = {${side}Digits:String}${tail}`
    })
    conditions.push(`(${alike.join(' OR ')} OR has(numbers, {${side}Digits:String}))`)
  }
  const order =
    at === undefined ? 'startedAt DESC' : 'abs(toUnixTimestamp64Micro(startedAt) - {at:Int64}), startedAt'
  if (at !== undefined) params['at'] = at
  const rows = await store.query<StoredCall>(
    `SELECT ${callSelect} FROM calls FINAL WHERE ${conditions.join(' AND ')} ORDER BY ${order} LIMIT ${maxCandidates * 5}
     SETTINGS do_not_merge_across_partitions_select_final = 1, max_execution_time = 20`,
    params,
  )
  const candidates = rows.map((stored) => {
    const { row } = toCallRecord(stored)
    const why = [
      ...whyNumber(from, { from: row.from.number }),
      ...whyNumber(to, { to: row.to.number }),
      ...whyNumber(either, { from: row.from.number, to: row.to.number }),
    ]
    return toCandidate(row, at, why)
  })
  if (candidates.length === 0) return nothing
  return { match: 'proximity', callId: null, candidates: sorted(candidates, at).slice(0, maxCandidates) }
}

/** How a number agrees with that of one of these sides; an equal one says more than one that ends alike. */
function whyNumber(wanted: string | undefined, sides: Readonly<Record<string, string>>): string[] {
  if (wanted === undefined) return []
  const digits = foldNumber(wanted)
  const all = Object.entries(sides)
  const equal = all.find(([, number]) => foldNumber(number) === digits)
  if (equal) return [`${equal[0]} is ${equal[1]}`]
  const tail = digits.slice(-significantDigits)
  const alike = all.find(
    ([, number]) => tail.length >= significantDigits && foldNumber(number).endsWith(tail),
  )
  return [alike ? `${alike[0]} ${alike[1]} ends alike` : `${wanted} is a number of another leg`]
}

const running: ReadonlySet<string> = new Set(['setting-up', 'ringing', 'in-call'])

function toCandidate(call: CallRow, at: number | undefined, why: readonly string[]): Candidate {
  if (at === undefined) return { call, distanceSeconds: null, why: [...why] }
  const began = parseTime(call.startedAt) ?? 0
  const ended = running.has(call.state) ? Infinity : (parseTime(call.endedAt ?? '') ?? began)
  const micros = at < began ? began - at : Math.max(0, at - ended)
  const distanceSeconds = Math.round(micros / 1000) / 1000
  const when =
    micros === 0 ? 'it was going on then' : `${distanceSeconds} s ${at < began ? 'later' : 'earlier'}`
  return { call, distanceSeconds, why: [...why, when] }
}

/** The nearest first; of equally near ones that whose numbers agree the best, then that which began nearer. */
function sorted(candidates: readonly Candidate[], at: number | undefined): Candidate[] {
  const afterStart = ({ call }: Candidate) =>
    at === undefined ? 0 : Math.abs(at - (parseTime(call.startedAt) ?? 0))
  const looseness = ({ why }: Candidate) => why.filter((reason) => !/^(from|to) is /.test(reason)).length
  return candidates.toSorted(
    (a, b) =>
      (a.distanceSeconds ?? 0) - (b.distanceSeconds ?? 0) ||
      looseness(a) - looseness(b) ||
      afterStart(a) - afterStart(b) ||
      a.call.id.localeCompare(b.call.id),
  )
}
