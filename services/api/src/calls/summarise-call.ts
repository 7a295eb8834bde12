import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { readCall, type CallAnalysis } from '@sip-capture/sip/call.ts'
import type { Leg as SipLeg } from '@sip-capture/sip/leg.ts'
import type { Standing } from '@sip-capture/sip/standing.ts'
import type { Sighting } from '@sip-capture/sip/sightings.ts'
import type { FoundCall } from '../history/leg-store.ts'
import { toObservedMessage, type MessageView } from '../ingest/message-row.ts'
import { toCallKey, type CallRecord } from './call-record.ts'
import { nextLook } from './next-look.ts'

/** How a channel ended, as Asterisk says. */
export interface ChannelEnd {
  readonly uniqueid: string
  readonly cause: number
  readonly causeText: string
  readonly techCause: string
}

export interface CallMaterial {
  readonly call: FoundCall
  /** Every sighting of every leg. */
  readonly views: readonly MessageView[]
  readonly ends: readonly ChannelEnd[]
  /** `''`: live traffic. */
  readonly capture: string
  readonly isTrunk: (name: string, node: string) => boolean
}

export interface CallSummary extends CallRecord {
  readonly startedAtMicros: number
  /** When time alone may change what is said; null: never. */
  readonly lookAgainAtMicros: number | null
}

const maxStoredCallIds = 500
const maxNumbers = 64
const maxNames = 32

/** What the call log says of a call at `nowMicros`; null when the messages are of no call. Pure. */
export function summariseCall(
  material: CallMaterial,
  { nowMicros }: { nowMicros: number },
): CallSummary | null {
  const { call, views, capture } = material
  const observed = views.map(toObservedMessage).filter((message) => message !== undefined)
  const read = readCall(observed)
  const analysis = read.analyse({ nowMicros })
  const { state, standing } = analysis
  if (standing === null || state === 'registration' || state === 'other') return null
  const { sightings, legs } = read
  // Not the front: which leg came first does not change while the call goes on, and so the row's id does not.
  const first = legs.find((leg) => leg.attempt !== null) ?? legs[0]
  if (!first) return null
  const callIds = [...new Set([first.callId, ...callIdsOf(sightings)])]
  const node = call.node || (views[0]?.record.node ?? '')
  const endpoints = namesOf(sightings, views)
  const row: CallRow = {
    id: toCallKey(capture, first.callId),
    capture: capture === '' ? null : capture,
    node,
    linkedid: linkedidOf(call, first.callId),
    callIds: callIds.slice(0, maxStoredCallIds),
    ...toTiming(standing),
    ...toParties(standing, analysis),
    trunks: endpoints.filter((name) => material.isTrunk(name, node)),
    endpoints,
    state,
    ...toOutcome(standing),
    ...toCause(material, standing.front, sightings),
    legs: callIds.length,
    messages: sightings.length,
    ...toVerdict(analysis),
  }
  return {
    row,
    numbers: [...new Set(views.flatMap(({ numbers }) => numbers))].slice(0, maxNumbers),
    startedAtMicros: standing.invitedAtMicros,
    lookAgainAtMicros: nextLook(read, analysis, nowMicros),
  }
}

function toVerdict({ findings }: CallAnalysis): Pick<CallRow, 'verdict' | 'ruleIds'> {
  const [worst] = findings
  return {
    verdict: worst
      ? {
          ruleId: worst.ruleId,
          severity: worst.severity,
          title: worst.title,
          sentence: worst.sentence.slice(0, 2_000),
        }
      : null,
    ruleIds: [...new Set(findings.map(({ ruleId }) => ruleId))],
  }
}

const millisBetween = (from: number | null, until: number | null): number | null =>
  from === null || until === null ? null : Math.max(0, Math.round((until - from) / 1000))

/** RFC 6076 4.3 calls it session request delay: INVITE to the first response that says something to the caller. He waits
 *  from the first INVITE, also when that was only challenged or went to a trunk that failed. */
function toTiming(standing: Standing) {
  const { invitedAtMicros, ringingAtMicros, answeredAtMicros, endedAtMicros, final } = standing
  const hungUpAtMicros = standing.hungUpAtMicros ?? endedAtMicros
  return {
    startedAt: toRfc3339(invitedAtMicros),
    answeredAt: answeredAtMicros === null ? null : toRfc3339(answeredAtMicros),
    endedAt: endedAtMicros === null ? null : toRfc3339(endedAtMicros),
    pddMillis: millisBetween(invitedAtMicros, ringingAtMicros),
    ringMillis: millisBetween(ringingAtMicros, final?.message.atMicros ?? null),
    talkMillis: endedAtMicros === null ? null : millisBetween(answeredAtMicros, hungUpAtMicros),
    durationMillis: millisBetween(invitedAtMicros, endedAtMicros),
  }
}

function toOutcome({ final }: Standing): { code: number | null; reason: string } {
  const message = final?.message.message
  return { code: message?.status ?? null, reason: message?.reason ?? '' }
}

function toParties({ front }: Standing, analysis: CallAnalysis): Pick<CallRow, 'from' | 'to'> {
  const { message } = (front.attempt?.request ?? front.opening ?? front.first).message
  return {
    from: { number: analysis.from, name: message.from.displayName },
    to: { number: analysis.to, name: message.to.displayName },
  }
}

/** In order of their first message. */
function callIdsOf(sightings: readonly Sighting[]): string[] {
  return [...new Set(sightings.map(({ message }) => message.message.callId))].filter((id) => id !== '')
}

/** Along the call: the caller's before the trunk's, whichever source saw what first. */
function namesOf(sightings: readonly Sighting[], views: readonly MessageView[]): string[] {
  const nameOf = new Map(views.map(({ record, naming }) => [record.id, naming.trunk]))
  const names = new Set<string>()
  for (const { all } of sightings)
    for (const { id } of all) {
      const name = nameOf.get(id) ?? ''
      if (name !== '' && names.size < maxNames) names.add(name)
    }
  return [...names]
}

function linkedidOf({ legs }: FoundCall, callId: string): string | null {
  const own = legs.find((leg) => leg.callId === callId && leg.linkedid !== null)
  return own?.linkedid ?? legs.find((leg) => leg.linkedid !== null)?.linkedid ?? null
}

/** Asterisk's word on the channel of the front, else on another; without Asterisk what the Reason header says (RFC 3326). */
function toCause(
  { call, ends }: CallMaterial,
  front: SipLeg,
  sightings: readonly Sighting[],
): Pick<CallRow, 'cause' | 'causeText' | 'techCause'> {
  const own = new Set(
    call.legs.filter(({ callId }) => callId === front.callId).map(({ uniqueid }) => uniqueid),
  )
  const end = ends.find(({ uniqueid }) => own.has(uniqueid)) ?? ends[0]
  const techCause = end?.techCause || (ends.find((one) => one.techCause !== '')?.techCause ?? '')
  if (end && end.cause > 0) return { cause: end.cause, causeText: end.causeText, techCause }
  for (const { message } of sightings.toReversed())
    for (const value of message.message.headerValues('reason')) {
      const reason = readQ850(value)
      if (reason) return { ...reason, techCause }
    }
  return { cause: null, causeText: '', techCause }
}

/** `SIP;cause=503, Q.850;cause=34;text="No circuit"` → the Q.850 part; undefined when there is none (RFC 3326 2). */
function readQ850(value: string): { cause: number; causeText: string } | undefined {
  for (const [element] of value.matchAll(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g)) {
    if (!/^\s*Q\.850\s*;/i.test(element)) continue
    const cause = Number(/;\s*cause\s*=\s*(\d{1,3})(?!\d)/i.exec(element)?.[1] ?? Number.NaN)
    const causeText = /;\s*text\s*=\s*"([^"]{0,200})"/i.exec(element)?.[1] ?? ''
    if (cause <= 127) return { cause, causeText }
  }
  return undefined
}
