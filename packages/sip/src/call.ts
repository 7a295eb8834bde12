import type { CallState } from './call-state.ts'
import type { Finding, VerdictContext } from './finding.ts'
import { LegVerdict } from './leg-verdict.ts'
import { LegRecord, type Leg } from './leg.ts'
import type { NameAddress } from './name-address.ts'
import type { ObservedMessage } from './observed-message.ts'
import { PbxHosts } from './pbx-hosts.ts'
import { SightingMerger } from './sighting-merger.ts'
import { mergeSightings, type Sighting } from './sightings.ts'
import { standingOf, type Standing } from './standing.ts'
import { judge } from './verdict.ts'

export interface CallAnalysis {
  /** That of the whole call: see `Standing`. */
  readonly state: CallState
  /** What state, headline, code and times of a call are told from; null for what is no call. */
  readonly standing: Standing | null
  /** Who calls or registers: the user of the URI, else its host, else the URI as written; `''` when not known. */
  readonly from: string
  readonly to: string
  readonly startedAtMicros: number
  /** When the call ended; null while it goes on, and for what is no call. */
  readonly endedAtMicros: number | null
  /** The worst first, causes before effects. */
  readonly findings: readonly Finding[]
}

/** What is kept of a leg and of a call, so that judging one more message costs the same however many came before. */
const maxTransactions = 32
const maxLegs = 128

function partyName({ user, host, uri }: NameAddress): string {
  return user || host || uri
}

function byFirstMessage(a: Leg, b: Leg): number {
  return a.first.message.atMicros - b.first.message.atMicros
}

/** A call as far as it is known, message by message. */
class CallRecord {
  readonly #byCallId = new Map<string, LegRecord>()
  /** In order of their first message; their verdicts in the same order. */
  readonly #legs: LegRecord[] = []
  readonly #verdicts: LegVerdict[] = []
  readonly #pbx = new PbxHosts()
  /** The earliest message that belongs to no leg. */
  #looseAtMicros = Number.POSITIVE_INFINITY
  /** Messages of legs beyond the bound. */
  leftOut = 0

  add(sighting: Sighting): void {
    const { message, atMicros } = sighting.message
    const leg = message.callId === '' ? undefined : this.#legOf(sighting)
    if (leg === undefined) {
      if (message.callId !== '') this.leftOut++
      this.#looseAtMicros = Math.min(this.#looseAtMicros, atMicros)
      return
    }
    this.#pbx.note(sighting.message)
    leg.add(sighting)
    this.#keepOrder(leg, sighting)
  }

  /** A sighting that was added has a further sight now. */
  touch(sighting: Sighting): void {
    const leg = this.#byCallId.get(sighting.message.message.callId)
    if (leg === undefined) return
    this.#pbx.note(sighting.message)
    leg.touch(sighting)
    this.#keepOrder(leg, sighting)
  }

  #keepOrder(leg: LegRecord, changed: Sighting): void {
    if (leg.first !== changed || this.#legs.length < 2) return
    this.#legs.sort(byFirstMessage)
    this.#verdicts.sort((a, b) => byFirstMessage(a.leg, b.leg))
  }

  /** Undefined when there are too many already. */
  #legOf(sighting: Sighting): LegRecord | undefined {
    const { callId } = sighting.message.message
    const known = this.#byCallId.get(callId)
    if (known !== undefined || this.#legs.length >= maxLegs) return known
    const leg = new LegRecord(sighting, { maxTransactions, pbx: this.#pbx })
    this.#byCallId.set(callId, leg)
    this.#legs.push(leg)
    this.#verdicts.push(new LegVerdict(leg))
    return leg
  }

  get legs(): readonly Leg[] {
    return this.#legs
  }

  analyse(context: VerdictContext): CallAnalysis {
    const { legs } = this
    const standing = standingOf(legs, context.nowMicros)
    const registration = standing === null ? legs.find((leg) => leg.of('REGISTER').length > 0) : undefined
    const leg = standing?.front ?? registration ?? legs[0]
    const startedAtMicros = Math.min(
      this.#looseAtMicros,
      legs[0]?.first.message.atMicros ?? Number.POSITIVE_INFINITY,
    )
    const opening = (leg?.opening ?? leg?.first)?.message
    return {
      state: standing?.state ?? (registration === undefined ? 'other' : 'registration'),
      standing,
      from: opening ? partyName(opening.message.from) : '',
      to: opening ? partyName(opening.message.to) : '',
      startedAtMicros: Number.isFinite(startedAtMicros) ? startedAtMicros : 0,
      endedAtMicros: standing?.endedAtMicros ?? null,
      findings: judge(this.#verdicts, context, standing),
    }
  }
}

/** All sights of the messages of one call, any order, one or more legs (Call-IDs) → where it stands and why. Of what is
 *  no call the parties are those of the first leg that registers, else of the first. `nowMicros`: the time to judge by, epoch
 *  microseconds; for a finished capture any later time. Never throws on any message. */
export function analyseCall(messages: readonly ObservedMessage[], context: VerdictContext): CallAnalysis {
  return readCall(messages).analyse(context)
}

/** A call of which all that there is has been read: to be judged more than once, at other times or with more that is known
 *  beside its messages. */
export interface ReadCall extends Pick<CallJudge, 'analyse'> {
  /** In order of time. */
  readonly sightings: readonly Sighting[]
  /** In order of their first message; of very many only the first. */
  readonly legs: readonly Leg[]
}

export function readCall(messages: readonly ObservedMessage[]): ReadCall {
  const call = new CallRecord()
  const sightings = mergeSightings(messages)
  for (const sighting of sightings) call.add(sighting)
  return { sightings, legs: call.legs, analyse: (context) => call.analyse(context) }
}

export interface CallJudge {
  /** One more sight of a message of the call, in about the order they come. */
  add(observed: ObservedMessage): void
  /** Where the call stands and why, as far as it has come: what `analyseCall` says of all messages so far. */
  analyse(context: VerdictContext): CallAnalysis
}

/** Judges a call while it runs. Adding a message and judging cost the same however long the call is. */
export function createCallJudge(): CallJudge {
  const merger = new SightingMerger()
  const call = new CallRecord()
  return {
    add(observed) {
      const { sighting, isNew } = merger.add(observed)
      if (isNew) call.add(sighting)
      else call.touch(sighting)
    },
    analyse: (context) => call.analyse(context),
  }
}
