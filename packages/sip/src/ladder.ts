import { arrowDetail, arrowLabel } from './arrow-text.ts'
import { orderCausally } from './causal-order.ts'
import { createLanes, type Lane, type Lanes } from './lanes.ts'
import { splitLegs } from './leg.ts'
import { MediaHistory, type MediaSpan } from './media-spans.ts'
import { findMissing, type MissingMessage, type Watch } from './missing-messages.ts'
import type { ObservedMessage } from './observed-message.ts'
import { SdpHistory } from './sdp-change.ts'
import { mergeSightings, type Sighting } from './sightings.ts'
import { findRetransmissions } from './transaction.ts'

export type { Lane, LaneHost } from './lanes.ts'
export type { MediaSpan, MediaStream } from './media-spans.ts'
export type { Watch } from './missing-messages.ts'

/** A ladder diagram before it is drawn: who stands where, and who said what to whom, in order. */
export interface Ladder {
  /** Left to right, in the order of the call: caller, PBX, callee. */
  readonly lanes: readonly Lane[]
  /** One a Call-ID, in order of their first message. */
  readonly legs: readonly LadderLeg[]
  /** Top to bottom. No arrow points to its own lane. */
  readonly arrows: readonly Arrow[]
  /** In order of their begin. */
  readonly media: readonly MediaSpan[]
  /** The messages behind the arrows, in the same order; a ghost has none. */
  readonly sightings: readonly Sighting[]
}

export interface LadderLeg {
  readonly callId: string
  /** From 1. */
  readonly number: number
  /** Lanes of its first message. */
  readonly fromLane: number
  readonly toLane: number
  readonly messages: number
}

export interface Arrow {
  /** The id of the sighting, of its best message; of a ghost one that no message has. */
  readonly id: string
  /** From 1, as verdicts cite it: its place among the messages. 0 for a ghost. */
  readonly number: number
  /** Index into `legs`. */
  readonly leg: number
  /** Indices into `lanes`. */
  readonly fromLane: number
  readonly toLane: number
  readonly atMicros: number
  /** Since the first arrow; never negative. */
  readonly offsetMicros: number
  /** `INVITE`, `401 Unauthorized`, `200 OK (INVITE)`. Plain text. */
  readonly label: string
  /** A second line, `''` when there is nothing to add: what the SDP says or changes, who is called. Plain text. */
  readonly detail: string
  readonly kind: 'request' | 'response'
  /** Null for a request. */
  readonly status: number | null
  readonly cseq: number | null
  readonly hasSdp: boolean
  /** What the SDP changes against the last of the same side; empty for the first. Plain text. */
  readonly sdpChanges: readonly string[]
  /** Of a retransmission: the id of the first sending. */
  readonly repeatOf: string | null
  /** Of a first sending: how often it was sent again. */
  readonly repeats: number
  readonly sources: readonly string[]
  readonly callId: string
  /** Set for a message that should be there and is not. */
  readonly ghost: Ghost | null
  /** What is missing after this message without anyone being sure, one sentence; `''` as a rule. Plain text. */
  readonly note: string
}

export interface Ghost {
  /** Why it is expected and surely missing. One sentence. */
  readonly reason: string
  readonly rfc: string
}

/** All sights of the messages of one or more legs, in any order → their ladder. `watch`: when the capture would have
 *  seen a message: until now for live traffic, to its end for a file; without it nothing is said to be missing that
 *  could come after the last message. Never throws, nearly linear. */
export function buildLadder(messages: readonly ObservedMessage[], watch: Partial<Watch> = {}): Ladder {
  const steps = ladderSteps(messages, watch)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** A page must answer its user while it draws some thousand messages: the same as `buildLadder`, in steps of a few
 *  milliseconds. */
export function* ladderSteps(
  messages: readonly ObservedMessage[],
  { seenUntilMicros = 0, blind = [] }: Partial<Watch> = {},
): Generator<undefined, Ladder> {
  const merged = mergeSightings(messages)
  yield
  const sightings = orderCausally(merged)
  yield
  const lanes = createLanes(sightings)
  yield
  const legs = createLegs(sightings, lanes)
  const firstOf = findRetransmissions(sightings)
  yield
  const repeats = new Map<string, number>()
  for (const first of firstOf.values()) repeats.set(first, (repeats.get(first) ?? 0) + 1)
  let [startMicros, endMicros] = [Number.POSITIVE_INFINITY, 0]
  for (const { message } of sightings) {
    startMicros = Math.min(startMicros, message.atMicros)
    endMicros = Math.max(endMicros, message.atMicros)
  }
  const missing = groupByAfter(
    findMissing(splitLegs(sightings), { seenUntilMicros: Math.max(seenUntilMicros, endMicros), blind }),
  )
  yield
  const descriptions = new SdpHistory()
  const media = new MediaHistory({ place: (one) => lanes.place(one), laneOf: addressLanes(lanes.list) })
  const arrows: Arrow[] = []
  for (const [index, sighting] of sightings.entries()) {
    if (index % arrowsPerStep === 0) yield
    const { message, atMicros } = sighting.message
    const repeatOf = firstOf.get(sighting.id) ?? null
    // A retransmission says nothing new, and is no change of its own.
    const described = repeatOf === null ? descriptions.note(message) : undefined
    if (described !== undefined) media.note(sighting, described.sdp)
    const lacking = missing.get(sighting.id) ?? none
    const { fromLane, toLane } = lanes.place(sighting)
    const arrow: Arrow = {
      id: sighting.id,
      number: index + 1,
      leg: legs.indexOf.get(message.callId) ?? 0,
      fromLane,
      toLane,
      atMicros,
      offsetMicros: atMicros - startMicros,
      label: arrowLabel(message),
      detail: described === undefined ? '' : arrowDetail(message, described.note),
      kind: message.kind,
      status: message.status,
      cseq: message.cseq?.number ?? null,
      hasSdp: message.hasSdp,
      sdpChanges: described?.note.changes ?? none,
      repeatOf,
      repeats: repeats.get(sighting.id) ?? 0,
      sources: sighting.sources,
      callId: message.callId,
      ghost: null,
      note: lacking.length === 0 ? '' : doubtsOf(lacking),
    }
    arrows.push(arrow)
    for (const one of lacking) if (one.isCertain) arrows.push(toGhost(one, arrow, lanes))
  }
  return { lanes: lanes.list, legs: legs.list, arrows, media: media.spans, sightings }
}

const arrowsPerStep = 250

const none: readonly never[] = []

function doubtsOf(lacking: readonly MissingMessage[]): string {
  return lacking
    .filter(({ isCertain }) => !isCertain)
    .map(({ reason }) => reason)
    .join(' ')
}

function createLegs(
  sightings: readonly Sighting[],
  lanes: Lanes,
): { list: LadderLeg[]; indexOf: Map<string, number> } {
  const byCallId = new Map<string, { first: Sighting; messages: number }>()
  for (const sighting of sightings) {
    const { callId } = sighting.message.message
    const leg = byCallId.get(callId)
    if (leg === undefined) byCallId.set(callId, { first: sighting, messages: 1 })
    else leg.messages++
  }
  const list = [...byCallId].map(([callId, { first, messages }], index) => ({
    callId,
    number: index + 1,
    ...lanes.place(first),
    messages,
  }))
  return { list, indexOf: new Map(list.map(({ callId }, index) => [callId, index])) }
}

function groupByAfter(missing: readonly MissingMessage[]): Map<string, MissingMessage[]> {
  const groups = new Map<string, MissingMessage[]>()
  for (const one of missing) groups.set(one.after.id, [...(groups.get(one.after.id) ?? []), one])
  return groups
}

function toGhost(missing: MissingMessage, after: Arrow, lanes: Lanes): Arrow {
  const { answers, label, reason, rfc } = missing
  const { fromLane, toLane } = lanes.place(answers)
  const isAck = answers.message.message.kind === 'response'
  return {
    ...after,
    id: `${after.id} ${label}`,
    number: 0,
    fromLane: toLane,
    toLane: fromLane,
    label,
    detail: '',
    kind: isAck ? 'request' : 'response',
    status: null,
    cseq: answers.message.message.cseq?.number ?? null,
    hasSdp: false,
    sdpChanges: [],
    repeatOf: null,
    repeats: 0,
    sources: [],
    ghost: { reason, rfc },
    note: '',
  }
}

function addressLanes(lanes: readonly Lane[]): (address: string) => number | undefined {
  const places = new Map<string, number | undefined>()
  for (const [index, { hosts }] of lanes.entries())
    for (const { address } of hosts) places.set(address, places.has(address) ? undefined : index)
  return (address) => places.get(address)
}
