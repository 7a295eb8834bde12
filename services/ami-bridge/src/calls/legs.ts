import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import type { LinkSource } from '@sip-capture/contract/bus/calls/leg.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { type AmiBlock, field } from '../ami/block.ts'
import type { AmiConnection } from '../ami/connection.ts'
import type { ChannelQuestions } from './channel-questions.ts'
import {
  createLeg,
  hasCallId,
  headOf,
  isConfirmed,
  isFollowed,
  type Leg,
  noteIds,
  takeReport,
  toEnded,
  toStarted,
} from './leg.ts'
import type { ShortCalls } from './short-calls.ts'

/**
 * Which SIP Call-ID belongs to which channel, and which channels are one call. Events only say where to look: a leg is
 * linked when Asterisk answers our own Getvar, and it has ended when Asterisk answers that it does not know the channel any
 * more. What was too short for that is left to `ShortCalls`.
 */
export interface LegTracker {
  onEvent(block: AmiBlock): void
  onHepCorrelation(channel: string, callId: string): void
  /** The leg of a channel that Asterisk confirmed. */
  find(channel: string): Leg | undefined
  /** Runs `work` once Asterisk has confirmed the channel, at once where it has; never, where it does not. */
  whenConfirmed(channel: string, work: (leg: Leg) => void): void
  /** Asks for the ids of this channel anew: its Linkedid may have changed. */
  recheck(channel: string): Promise<void>
  /** AMI is back: what is still there is asked, the rest is forgotten. */
  resync(): Promise<void>
  close(): void
  readonly openLegs: number
  readonly counters: Readonly<Record<string, number>>
}

const maxLegs = 20_000
/** Events of one channel that wait for its confirmation. */
const maxHeld = 16
/** Ended before they could be asked, waiting for HEP or the tap to tell. */
const maxShort = 5_000
/** Until the Call-ID is there: an incoming channel has none for its first moments. */
const retryMillis = [5, 15, 40, 100, 250, 600] as const
/** How long a Hangup may come behind the answer that the channel is gone. */
const hangupGraceMillis = 2_000
/** How long the tap may take to show the INVITE of a channel that is gone. */
const shortCallMillis = 3_000
const shortCallChecks = 60

const lookedAt =
  /^(?:Newchannel|Newstate|DialBegin|DialState|DialEnd|NewConnectedLine|NewCallerid|BridgeEnter|BridgeLeave|HangupRequest)$/

export function createLegTracker(options: {
  ami: Pick<AmiConnection, 'request' | 'isUp'>
  questions: ChannelQuestions
  shortCalls: ShortCalls
  node: string
  emit: (event: CallEvent) => void
  /** An event contradicts what Asterisk answers. */
  onSuspect: (what: string) => void
}): LegTracker {
  const { ami, questions, shortCalls, node, emit, onSuspect } = options
  const { getvar } = questions
  const counters = {
    legs_seen: 0,
    legs_linked: 0,
    legs_linked_by_hep: 0,
    legs_linked_by_guess: 0,
    legs_ended: 0,
    legs_unlinked: 0,
    legs_dropped: 0,
    calls_joined: 0,
  }
  const legs = new Map<string, Leg>()
  const short = new Set<Leg>()
  const timers = new Set<NodeJS.Timeout>()

  function later(millis: number, work: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
    }, millis)
    timers.add(timer)
  }

  function onEvent(block: AmiBlock): void {
    if (block.name === 'Hangup') return onHangup(block)
    if (!lookedAt.test(block.name)) return
    look(block, field(block, 'Channel'), field(block, 'Uniqueid'), field(block, 'Linkedid'))
    look(block, field(block, 'DestChannel'), field(block, 'DestUniqueid'), field(block, 'DestLinkedid'))
  }

  function look(block: AmiBlock, channel: string, uniqueid: string, linkedid: string): void {
    if (!isFollowed(channel)) return
    let leg = legs.get(channel)
    if (leg) noteIds(leg, { uniqueid, linkedid })
    else {
      if (legs.size >= maxLegs) {
        counters.legs_dropped += 1
        return
      }
      leg = createLeg(channel, { uniqueid, linkedid }, nowMicros())
      legs.set(channel, leg)
      counters.legs_seen += 1
    }
    takeReport(leg, block)
    if (block.name === 'Newstate' && field(block, 'ChannelState') === '6') void confirmAnswer(leg)
    const isKnown = isConfirmed(leg) && (leg.from === 'getvar' || !hasCallId(leg))
    if (isKnown && leg.linkedid === linkedid && leg.uniqueid === uniqueid) return
    leg.attempts = 0
    if (leg.isAsking) leg.isStale = true
    else void ask(leg)
  }

  async function ask(leg: Leg): Promise<void> {
    leg.isAsking = true
    await askNow(leg)
    leg.isAsking = false
    if (!leg.isStale || legs.get(leg.channel) !== leg) return
    leg.isStale = false
    await ask(leg)
  }

  async function askNow(leg: Leg): Promise<void> {
    const [callId, uniqueid, linkedid] = await Promise.all([
      hasCallId(leg) ? getvar(leg.channel, 'CHANNEL(pjsip,call-id)') : '',
      getvar(leg.channel, 'CHANNEL(uniqueid)'),
      getvar(leg.channel, 'CHANNEL(linkedid)'),
    ])
    if (uniqueid === null && !isConfirmed(leg)) return suspectUnlessHungUp(leg)
    if (uniqueid && linkedid) confirm(leg, uniqueid, linkedid, callId ?? '')
    if (leg.from === 'getvar' || (isConfirmed(leg) && !hasCallId(leg))) return
    // The session has no Call-ID yet, or there was no answer.
    const pause = retryMillis[leg.attempts]
    leg.attempts += 1
    if (pause === undefined || !ami.isUp) return
    later(pause, () => {
      if (legs.get(leg.channel) === leg && !leg.isAsking && leg.from !== 'getvar') void ask(leg)
    })
  }

  function confirm(leg: Leg, uniqueid: string, linkedid: string, callId: string): void {
    const before = { uniqueid: leg.uniqueid, linkedid: leg.linkedid }
    const isNew = before.uniqueid !== uniqueid
    leg.uniqueid = uniqueid
    leg.linkedid = linkedid
    // The same session in another channel, as after a masquerade, is the same call still. A name alone is not: names begin
    // anew with Asterisk.
    const isSameLeg = !isNew || (callId !== '' && callId === leg.callId)
    if (before.linkedid !== '' && before.linkedid !== linkedid && isSameLeg)
      join(before.linkedid, linkedid, 'linkedid', leg.channel)
    if (isNew) {
      emit(toStarted(leg, node))
      leg.isAnswered = false
      for (const work of leg.whenConfirmed.splice(0)) work()
    }
    if (callId !== '' && (isNew || leg.from !== 'getvar' || leg.callId !== callId)) {
      leg.callId = callId
      link(leg, 'getvar', '')
    }
    const named = shortCalls.callIdByHep(leg.channel)
    if (callId === '' && leg.callId === '' && named !== undefined && hasCallId(leg)) {
      leg.callId = named
      link(leg, 'hep', 'HEP named the channel')
    }
  }

  function join(
    linkedid: string,
    otherLinkedid: string,
    by: 'linkedid' | 'bridge' | 'local',
    through: string,
  ): void {
    counters.calls_joined += 1
    emit({ v: 1, kind: 'calls-joined', node, atMicros: nowMicros(), linkedid, otherLinkedid, by, through })
  }

  async function confirmAnswer(leg: Leg): Promise<void> {
    if (leg.isAnswered) return
    const atMicros = nowMicros()
    if ((await getvar(leg.channel, 'CHANNEL(state)')) !== 'Up') return
    if (leg.isAnswered || !isConfirmed(leg)) return
    leg.isAnswered = true
    emit({ ...headOf(leg, node, atMicros), kind: 'leg-answered' })
  }

  function link(leg: Leg, from: LinkSource, reason: string): void {
    counters.legs_linked += 1
    if (from === 'hep') counters.legs_linked_by_hep += 1
    if (from === 'guess') counters.legs_linked_by_guess += 1
    leg.from = from
    shortCalls.noteLinked(leg.callId)
    emit({ ...headOf(leg, node, nowMicros()), kind: 'leg-linked', callId: leg.callId, from, reason })
  }

  /** A short call is gone before it can be asked: then its Hangup is not far. A channel that never was has none. */
  function suspectUnlessHungUp(leg: Leg): void {
    later(hangupGraceMillis, () => {
      if (legs.get(leg.channel) !== leg || leg.isAsking || isConfirmed(leg)) return
      legs.delete(leg.channel)
      onSuspect('a channel that Asterisk does not know')
    })
  }

  function onHangup(block: AmiBlock): void {
    const channel = field(block, 'Channel')
    if (isFollowed(channel)) void confirmEnd(channel, block, nowMicros())
  }

  async function confirmEnd(channel: string, block: AmiBlock, atMicros: number): Promise<void> {
    const leg = legs.get(channel)
    const uniqueid = await getvar(channel, 'CHANNEL(uniqueid)')
    if (typeof uniqueid === 'string') return onSuspect('a Hangup of a channel that lives')
    if (!leg || legs.get(channel) !== leg) return
    if (uniqueid === undefined) {
      if (ami.isUp) later(hangupGraceMillis, () => void confirmEnd(channel, block, atMicros))
      return
    }
    legs.delete(channel)
    noteIds(leg, { uniqueid: field(block, 'Uniqueid'), linkedid: leg.reported.linkedid })
    if (isConfirmed(leg) && (leg.callId !== '' || !hasCallId(leg))) return end(leg, block, atMicros)
    if (!hasCallId(leg) || short.size >= maxShort) {
      counters.legs_unlinked += hasCallId(leg) ? 1 : 0
      return
    }
    leg.ended = { atMicros, block }
    short.add(leg)
    later(shortCallMillis, () => settleShort(leg, shortCallChecks))
  }

  /** What HEP and the tap had to tell of this channel is there now. */
  function settleShort(leg: Leg, checks: number): void {
    if (checks > 0 && shortCalls.callIdByHep(leg.channel) === undefined && shortCalls.isBehind(leg))
      return later(1_000, () => settleShort(leg, checks - 1))
    const found = shortCalls.find(leg, others())
    short.delete(leg)
    if (!leg.ended) return
    if (!found) {
      counters.legs_unlinked += 1
      // Never confirmed: a channel name out of events alone makes no row.
      if (isConfirmed(leg)) end(leg, leg.ended.block, leg.ended.atMicros)
      return
    }
    leg.callId = found.callId
    link(leg, found.from, found.reason)
    end(leg, leg.ended.block, leg.ended.atMicros)
  }

  function* others(): Generator<Leg> {
    yield* short
    yield* legs.values()
  }

  function end(leg: Leg, block: AmiBlock, atMicros: number): void {
    counters.legs_ended += 1
    emit(toEnded(leg, block, node, atMicros))
  }

  return {
    onEvent,
    onHepCorrelation(channel, callId) {
      if (callId === '' || !isFollowed(channel)) return
      shortCalls.onHepCorrelation(channel, callId)
      const leg = legs.get(channel)
      if (!leg || leg.callId !== '' || !isConfirmed(leg) || !hasCallId(leg)) return
      leg.callId = callId
      link(leg, 'hep', 'HEP named the channel')
    },
    find(channel) {
      const leg = legs.get(channel)
      return leg && isConfirmed(leg) ? leg : undefined
    },
    whenConfirmed(channel, work) {
      const leg = legs.get(channel)
      if (!leg) return
      if (isConfirmed(leg)) work(leg)
      else if (leg.whenConfirmed.length < maxHeld) leg.whenConfirmed.push(() => work(leg))
    },
    async recheck(channel) {
      const leg = legs.get(channel)
      if (leg) await askNow(leg)
    },
    async resync() {
      // What begins while the list is on its way may not be in it.
      const before = [...legs.keys()]
      const answer = await ami.request('CoreShowChannels')
      if (!answer.ok) return
      const alive = new Set<string>()
      for (const block of answer.events) {
        const channel = field(block, 'Channel')
        alive.add(channel)
        look(block, channel, field(block, 'Uniqueid'), field(block, 'Linkedid'))
      }
      for (const channel of before) if (!alive.has(channel)) legs.delete(channel)
    },
    close() {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
    get openLegs() {
      return legs.size
    },
    counters,
  }
}
