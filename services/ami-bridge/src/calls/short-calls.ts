import type { LinkSource } from '@sip-capture/contract/bus/calls/leg.ts'
import { hasCallId, isConfirmed, type Leg } from './leg.ts'

/** The INVITE that opened a dialog, as the tap in use saw it. */
export interface SeenInvite {
  readonly callId: string
  readonly atMicros: number
  /** How exact that is. */
  readonly precisionMicros: number
  readonly direction: 'in' | 'out'
  readonly farAddress: string
  /** User of the Request-URI. */
  readonly calledNumber: string
}

export interface FoundLink {
  readonly callId: string
  readonly from: LinkSource
  readonly reason: string
}

/**
 * Links for channels that were gone before Asterisk could be asked: by HEP's channel name, else by address, number and time,
 * and then only where no second Call-ID and no second channel fit. Nothing here can tie a caller's INVITE to another call:
 * an incoming channel must be the first of its call, an outgoing INVITE is Asterisk's own, and a channel about which the
 * events disagree is left alone.
 */
export interface ShortCalls {
  onInvite(invite: SeenInvite): void
  onHepCorrelation(channel: string, callId: string): void
  /** A channel has this Call-ID for sure: it is free for no other. */
  noteLinked(callId: string): void
  callIdByHep(channel: string): string | undefined
  /** The tap still shows what is older than this channel: what it will show may decide. */
  isBehind(leg: Leg): boolean
  /** `others`: all further channels without a Call-ID, which may have the same claim. */
  find(leg: Leg, others: Iterable<Leg>): FoundLink | undefined
}

const maxInvites = 20_000
const maxCorrelations = 20_000
/** How far an INVITE may be from its channel's beginning, of which Asterisk tells the second. */
const beforeMicros = 500_000
const afterMicros = 1_500_000
/** No INVITE for so long: the tap has shown all there is. */
const idleMillis = 2_000

export function createShortCalls(options: {
  /** Is this one of the endpoint's own addresses? Undefined where the directory knows none of it. */
  isEndpointAt: (endpoint: string, address: string) => boolean | undefined
}): ShortCalls {
  const { isEndpointAt } = options
  /** Call-IDs that no channel has yet, oldest first. */
  const free = new Map<string, SeenInvite>()
  const linked = new Set<string>()
  const byHep = new Map<string, string>()
  let newestMicros = 0
  let shownAt = -Infinity

  function fits(leg: Leg, invite: SeenInvite): boolean {
    const { reported, endpoint } = leg
    if (reported.direction !== invite.direction) return false
    if (reported.exten === '' || reported.exten !== invite.calledNumber) return false
    const apart = invite.atMicros - startOf(leg)
    if (apart < -beforeMicros - invite.precisionMicros || apart > afterMicros + invite.precisionMicros)
      return false
    return isEndpointAt(endpoint, invite.farAddress) ?? true
  }

  return {
    onInvite(invite) {
      newestMicros = Math.max(newestMicros, invite.atMicros)
      shownAt = performance.now()
      if (linked.has(invite.callId) || free.has(invite.callId)) return
      free.set(invite.callId, invite)
      dropOldest(free, maxInvites)
    },
    onHepCorrelation(channel, callId) {
      byHep.set(channel, callId)
      dropOldest(byHep, maxCorrelations)
    },
    noteLinked(callId) {
      free.delete(callId)
      linked.add(callId)
      dropOldest(linked, maxInvites)
    },
    callIdByHep: (channel) => byHep.get(channel),
    isBehind: (leg) =>
      performance.now() - shownAt < idleMillis && newestMicros < startOf(leg) + 2 * afterMicros,
    find(leg, others) {
      if (!isPlausible(leg)) return undefined
      const named = byHep.get(leg.channel)
      if (named !== undefined)
        return {
          callId: named,
          from: 'hep',
          reason: 'HEP named the channel; it was gone before Asterisk could be asked for its call',
        }
      const candidates = [...free.values()].filter((invite) => fits(leg, invite))
      const [invite] = candidates
      if (!invite || candidates.length > 1) return undefined
      for (const other of others)
        if (other !== leg && other.callId === '' && hasCallId(other) && fits(other, invite)) return undefined
      const way = invite.direction === 'in' ? 'from' : 'to'
      return {
        callId: invite.callId,
        from: 'guess',
        reason: `the only INVITE ${way} endpoint ${leg.endpoint} with the dialled number when the channel began; it was gone before Asterisk could be asked`,
      }
    },
  }
}

/** Epoch microseconds, by Asterisk's clock to a second: a Uniqueid is `[system-]seconds.number`. */
function startOf({ reported }: Leg): number {
  const seconds = Number(/(?:^|-)(\d{9,10})\.\d+$/.exec(reported.uniqueid)?.[1])
  return seconds > 0 ? seconds * 1_000_000 : reported.startedAtMicros
}

/** An incoming channel begins a call; only Asterisk's own outgoing ones belong to one that is there. */
function isPlausible(leg: Leg): boolean {
  if (isConfirmed(leg)) return true
  const { reported } = leg
  if (reported.isContradicted || reported.uniqueid === '' || reported.linkedid === '') return false
  return reported.direction === 'out' || reported.linkedid === reported.uniqueid
}

/** Maps and sets keep the order of insertion. */
function dropOldest(items: Map<string, unknown> | Set<string>, max: number): void {
  if (items.size <= max) return
  for (const oldest of items.keys()) {
    items.delete(oldest)
    return
  }
}
