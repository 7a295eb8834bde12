import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { analyseCall, type CallAnalysis } from '@sip-capture/sip/call.ts'
import { splitLegs, type Leg as SipLeg } from '@sip-capture/sip/leg.ts'
import { mergeSightings, type Sighting } from '@sip-capture/sip/sightings.ts'
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
  const analysis = analyseCall(observed, { nowMicros })
  if (analysis.state === 'registration' || analysis.state === 'other') return null
  const sightings = mergeSightings(observed)
  const legs = splitLegs(sightings)
  const main = legs.find((leg) => leg.attempt !== null) ?? legs[0]
  const first = sightings[0]
  if (!main || !first) return null
  const callIds = [...new Set([main.callId, ...legs.map(({ callId }) => callId)])].slice(0, maxStoredCallIds)
  const timing = toTiming(main, analysis, first)
  const outcome = toOutcome(main)
  const node = call.node || (views[0]?.record.node ?? '')
  const endpoints = namesOf(views)
  const row: CallRow = {
    id: toCallKey(capture, main.callId),
    capture: capture === '' ? null : capture,
    node,
    linkedid: linkedidOf(call, main.callId),
    callIds,
    ...timing.row,
    ...toParties(main, sightings, analysis),
    trunks: endpoints.filter((name) => material.isTrunk(name, node)),
    endpoints,
    state: toState(analysis.state, outcome.code),
    ...outcome,
    ...toCause(material, main, sightings),
    legs: legs.length,
    messages: sightings.length,
    ...toVerdict(analysis),
  }
  return {
    row,
    numbers: [...new Set(views.flatMap(({ numbers }) => numbers))].slice(0, maxNumbers),
    startedAtMicros: timing.startedAtMicros,
    lookAgainAtMicros: nextLook(observed, analysis, nowMicros),
  }
}

function toState(state: CallAnalysis['state'], code: number | null): CallRow['state'] {
  if (state === 'rejected' && code !== null && code >= 300 && code < 400) return 'diverted'
  return state === 'registration' || state === 'other' ? 'failed' : state
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

const statusOf = (sighting: Sighting): number => sighting.message.message.status ?? 0

const millisBetween = (from: number | null, until: number | null): number | null =>
  from === null || until === null ? null : Math.max(0, Math.round((until - from) / 1000))

/** RFC 6076 4.3 calls it session request delay: INVITE to the first response that says something to the caller. */
function toTiming(main: SipLeg, analysis: CallAnalysis, first: Sighting) {
  const { attempt } = main
  // The caller waits from the first INVITE, also when that was only challenged.
  const invited = main.transactions
    .filter(({ method, isInitial }) => method === 'INVITE' && isInitial)
    .reduce(
      (least, { startedAtMicros }) => Math.min(least, startedAtMicros),
      attempt?.startedAtMicros ?? Infinity,
    )
  const ringing = attempt?.responses.find((response) => statusOf(response) > 100 && statusOf(response) < 200)
  const ringingAt = ringing?.message.atMicros ?? null
  const final = attempt?.final ?? null
  const finalAt = final?.message.atMicros ?? null
  const isAnswered = final !== null && statusOf(final) < 300
  const startedAtMicros = Number.isFinite(invited) ? invited : first.message.atMicros
  const endedAt = analysis.endedAtMicros
  const bye = main.dialogs.find((dialog) => dialog.bye !== null)?.bye ?? null
  const hungUpAt = bye?.startedAtMicros ?? endedAt
  return {
    startedAtMicros,
    row: {
      startedAt: toRfc3339(startedAtMicros),
      answeredAt: isAnswered && finalAt !== null ? toRfc3339(finalAt) : null,
      endedAt: endedAt === null ? null : toRfc3339(endedAt),
      pddMillis: millisBetween(startedAtMicros, ringingAt),
      ringMillis: millisBetween(ringingAt, finalAt),
      talkMillis: isAnswered && endedAt !== null ? millisBetween(finalAt, hungUpAt) : null,
      durationMillis: millisBetween(startedAtMicros, endedAt),
    },
  }
}

function toOutcome({ attempt }: SipLeg): { code: number | null; reason: string } {
  const final = attempt?.final?.message.message
  return { code: final?.status ?? null, reason: final?.reason ?? '' }
}

function toParties(
  main: SipLeg,
  sightings: readonly Sighting[],
  analysis: CallAnalysis,
): Pick<CallRow, 'from' | 'to'> {
  const opening = (
    main.attempt?.request ??
    sightings.find(
      ({ message }) => message.message.callId === main.callId && message.message.kind === 'request',
    ) ??
    sightings[0]
  )?.message.message
  return {
    from: { number: analysis.from, name: opening?.from.displayName ?? '' },
    to: { number: analysis.to, name: opening?.to.displayName ?? '' },
  }
}

function namesOf(views: readonly MessageView[]): string[] {
  const names = new Set<string>()
  for (const { naming } of views) if (naming.trunk !== '' && names.size < maxNames) names.add(naming.trunk)
  return [...names]
}

function linkedidOf({ legs }: FoundCall, callId: string): string | null {
  const own = legs.find((leg) => leg.callId === callId && leg.linkedid !== null)
  return own?.linkedid ?? legs.find((leg) => leg.linkedid !== null)?.linkedid ?? null
}

/** Asterisk's word on the caller's channel, else on another; without Asterisk what the Reason header says (RFC 3326). */
function toCause(
  { call, ends }: CallMaterial,
  main: SipLeg,
  sightings: readonly Sighting[],
): Pick<CallRow, 'cause' | 'causeText' | 'techCause'> {
  const own = new Set(
    call.legs.filter(({ callId }) => callId === main.callId).map(({ uniqueid }) => uniqueid),
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
