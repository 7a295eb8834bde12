import { legState, type CallState } from './call-state.ts'
import type { Dialog } from './dialog.ts'
import type { Finding, VerdictContext } from './finding.ts'
import { LegVerdict } from './leg-verdict.ts'
import { LegRecord } from './leg.ts'
import type { NameAddress } from './name-address.ts'
import type { ObservedMessage } from './observed-message.ts'
import { PbxHosts } from './pbx-hosts.ts'
import { SightingMerger } from './sighting-merger.ts'
import { mergeSightings, type Sighting } from './sightings.ts'
import type { Transaction } from './transaction.ts'
import { judge } from './verdict.ts'

export interface CallAnalysis {
  readonly state: CallState
  /** Who calls or registers: the user of the URI, else its host, else the URI as written; `''` when not known. */
  readonly from: string
  readonly to: string
  readonly startedAtMicros: number
  /** When the call ended; null while it goes on, and for what is no call. */
  readonly endedAtMicros: number | null
  /** Of a very long dialog only those that may still matter. */
  readonly transactions: readonly Transaction[]
  readonly dialogs: readonly Dialog[]
  /** The worst first, causes before effects. */
  readonly findings: readonly Finding[]
}

const over: ReadonlySet<CallState> = new Set(['completed', 'cancelled', 'busy', 'rejected', 'failed'])

/** What is kept of a leg and of a call, so that judging one more message costs the same however many came before. */
const maxTransactions = 32
const maxLegs = 128

function partyName({ user, host, uri }: NameAddress): string {
  return user || host || uri
}

interface JudgedLeg {
  readonly leg: LegRecord
  readonly verdict: LegVerdict
}

/** A call as far as it is known, message by message. */
class CallRecord {
  readonly #byCallId = new Map<string, JudgedLeg>()
  /** In order of their first message. */
  readonly #legs: JudgedLeg[] = []
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
    const leg = this.#byCallId.get(sighting.message.message.callId)?.leg
    if (leg === undefined) return
    this.#pbx.note(sighting.message)
    leg.touch(sighting)
    this.#keepOrder(leg, sighting)
  }

  #keepOrder(leg: LegRecord, changed: Sighting): void {
    if (leg.first === changed && this.#legs.length > 1)
      this.#legs.sort((a, b) => a.leg.first.message.atMicros - b.leg.first.message.atMicros)
  }

  /** Undefined when there are too many already. */
  #legOf(sighting: Sighting): LegRecord | undefined {
    const { callId } = sighting.message.message
    const known = this.#byCallId.get(callId)
    if (known !== undefined || this.#legs.length >= maxLegs) return known?.leg
    const leg = new LegRecord(sighting, { maxTransactions, pbx: this.#pbx })
    const judged = { leg, verdict: new LegVerdict(leg) }
    this.#byCallId.set(callId, judged)
    this.#legs.push(judged)
    return leg
  }

  analyse(context: VerdictContext): CallAnalysis {
    const legs = this.#legs.map(({ leg }) => leg)
    const states = legs.map((leg) => legState(leg, context.nowMicros))
    const firstCall = states.findIndex((state) => state !== 'registration' && state !== 'other')
    const firstRegistration = states.indexOf('registration')
    const main = firstCall >= 0 ? firstCall : Math.max(firstRegistration, 0)
    const leg = legs[main]
    const state = states[main] ?? 'other'
    const startedAtMicros = Math.min(
      this.#looseAtMicros,
      legs[0]?.first.message.atMicros ?? Number.POSITIVE_INFINITY,
    )
    const transactions: Transaction[] = []
    const dialogs: Dialog[] = []
    for (const one of legs) {
      transactions.push(...one.transactions)
      dialogs.push(...one.dialogs)
    }
    const opening = (leg?.opening ?? leg?.first)?.message
    return {
      state,
      from: opening ? partyName(opening.message.from) : '',
      to: opening ? partyName(opening.message.to) : '',
      startedAtMicros: Number.isFinite(startedAtMicros) ? startedAtMicros : 0,
      endedAtMicros: over.has(state) && leg !== undefined ? leg.last.message.atMicros : null,
      transactions,
      dialogs,
      findings: judge(
        this.#legs.map(({ verdict }) => verdict),
        context,
      ),
    }
  }
}

/** All sights of the messages of one call, any order, one or more legs (Call-IDs) → where it stands and why. The state,
 *  the parties and the times are those of the first leg that is a call. `nowMicros`: the time to judge by, epoch
 *  microseconds; for a finished capture any later time. Never throws on any message. */
export function analyseCall(messages: readonly ObservedMessage[], context: VerdictContext): CallAnalysis {
  return readCall(messages).analyse(context)
}

/** The same for a call that is judged more than once: with more that is known beside its messages. */
export function readCall(messages: readonly ObservedMessage[]): Pick<CallJudge, 'analyse'> {
  const call = new CallRecord()
  for (const sighting of mergeSightings(messages)) call.add(sighting)
  return call
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
