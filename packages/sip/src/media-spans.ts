import { toPrintable } from './printable.ts'
import type { Sdp, SdpMedia } from './sdp.ts'
import { codecNames } from './sdp-change.ts'
import type { Sighting } from './sightings.ts'

/** A time in which, by what both sides described, media flow on a leg. Nobody captured them here. */
export interface MediaSpan {
  readonly callId: string
  /** Ids of the sightings that began and ended it; null while it goes on, or when its end was not seen. */
  readonly beganById: string
  readonly endedById: string | null
  readonly fromMicros: number
  readonly toMicros: number | null
  /** Lane of the caller's and of the callee's media address. */
  readonly callerLane: number
  readonly calleeLane: number
  readonly streams: readonly MediaStream[]
}

export interface MediaStream {
  /** `audio`, `video`. Plain text. */
  readonly kind: string
  /** The first codec that both named; `''` when there is none. Plain text. */
  readonly codec: string
  readonly toCallee: boolean
  readonly toCaller: boolean
  /** `192.0.2.10:4000`, RTP. Plain text. */
  readonly caller: string
  readonly callee: string
  /** Both ports carry RTCP as well (RFC 5761), else RTCP has ports of its own (RFC 3605, or the next one). */
  readonly isMuxed: boolean
}

/** Lanes of a message and, where one lane alone has it, of an address. */
export interface LanePlaces {
  place(sighting: Sighting): { fromLane: number; toLane: number }
  laneOf(address: string): number | undefined
}

interface Side {
  agreed: Sdp | null
  offered: Sdp | null
}

interface LegMedia {
  readonly callerTag: string
  readonly caller: Side
  readonly callee: Side
  callerLane: number
  calleeLane: number
  isAnswered: boolean
  /** Place in `spans` of the one that goes on, and its streams as text. */
  openAt: number
  openText: string
}

/** Follows offers and answers (RFC 3264) of all legs; messages are given in their order, with their SDP if any. */
export class MediaHistory {
  readonly spans: MediaSpan[] = []
  readonly #legs = new Map<string, LegMedia>()
  readonly #places: LanePlaces

  constructor(places: LanePlaces) {
    this.#places = places
  }

  note(sighting: Sighting, sdp: Sdp | null): void {
    const { message } = sighting.message
    const leg = this.#legOf(sighting)
    if (leg === null) return
    const isCaller = (message.kind === 'request' ? message.fromTag : message.toTag) === leg.callerTag
    const side = isCaller ? leg.caller : leg.callee
    if (sdp !== null) side.offered = sdp
    const status = message.status ?? 0
    if (message.kind === 'request') {
      if (message.method === 'BYE') this.#close(leg, sighting)
      else if (message.method === 'ACK') this.#agree(leg, sighting)
      return
    }
    if (message.method !== 'INVITE' && message.method !== 'UPDATE') return
    if (status >= 300) {
      // RFC 3261 14.1: a refused change changes nothing.
      leg.caller.offered = null
      leg.callee.offered = null
    } else if (status >= 200) {
      if (message.method === 'INVITE' && !leg.isAnswered) {
        leg.isAnswered = true
        leg.calleeLane = this.#places.place(sighting).fromLane
      }
      this.#agree(leg, sighting)
    }
  }

  #legOf(sighting: Sighting): LegMedia | null {
    const { message } = sighting.message
    const { callId } = message
    const known = this.#legs.get(callId)
    if (known !== undefined) return known
    // Who called is told by the INVITE that opens the leg; without it the sides are not known.
    if (message.kind !== 'request' || message.method !== 'INVITE' || message.toTag !== '') return null
    const { fromLane, toLane } = this.#places.place(sighting)
    const leg: LegMedia = {
      callerTag: message.fromTag,
      caller: { agreed: null, offered: null },
      callee: { agreed: null, offered: null },
      callerLane: fromLane,
      calleeLane: toLane,
      isAnswered: false,
      openAt: -1,
      openText: '',
    }
    this.#legs.set(callId, leg)
    return leg
  }

  #agree(leg: LegMedia, sighting: Sighting): void {
    const caller = leg.caller.offered ?? leg.caller.agreed
    const callee = leg.callee.offered ?? leg.callee.agreed
    if (!leg.isAnswered || caller === null || callee === null) return
    const isNews = leg.caller.offered !== null || leg.callee.offered !== null
    leg.caller.agreed = caller
    leg.callee.agreed = callee
    leg.caller.offered = null
    leg.callee.offered = null
    if (!isNews) return
    const streams = streamsOf(caller, callee)
    const text = JSON.stringify(streams)
    if (leg.openAt >= 0 && leg.openText === text) return
    this.#close(leg, sighting)
    if (!streams.some(({ toCaller, toCallee }) => toCaller || toCallee)) return
    leg.openAt = this.spans.length
    leg.openText = text
    this.spans.push({
      callId: sighting.message.message.callId,
      beganById: sighting.id,
      endedById: null,
      fromMicros: sighting.message.atMicros,
      toMicros: null,
      ...this.#lanes(leg, caller, callee),
      streams,
    })
  }

  #close(leg: LegMedia, sighting: Sighting): void {
    const open = this.spans[leg.openAt]
    if (open === undefined) return
    this.spans[leg.openAt] = { ...open, endedById: sighting.id, toMicros: sighting.message.atMicros }
    leg.openAt = -1
  }

  /** With direct media a side names an address that is not its own: that of another lane, if it has one. */
  #lanes(leg: LegMedia, caller: Sdp, callee: Sdp): { callerLane: number; calleeLane: number } {
    const lane = (sdp: Sdp, otherwise: number) =>
      this.#places.laneOf(sdp.media.find(({ port }) => port !== 0)?.address ?? '') ?? otherwise
    const callerLane = lane(caller, leg.callerLane)
    const calleeLane = lane(callee, leg.calleeLane)
    return callerLane === calleeLane
      ? { callerLane: leg.callerLane, calleeLane: leg.calleeLane }
      : { callerLane, calleeLane }
  }
}

const maxStreams = 8

function streamsOf(caller: Sdp, callee: Sdp): MediaStream[] {
  const streams: MediaStream[] = []
  for (const [index, a] of caller.media.entries()) {
    const b = callee.media[index]
    if (b === undefined || a.port === 0 || b.port === 0 || streams.length >= maxStreams) continue
    const common = codecNames(b).find((name) => codecNames(a).includes(name))
    streams.push({
      kind: toPrintable(b.kind, 20),
      codec: toPrintable(common ?? codecNames(b)[0] ?? '', 30),
      toCallee: sends(a) && receives(b),
      toCaller: sends(b) && receives(a),
      caller: hostPort(a),
      callee: hostPort(b),
      isMuxed: a.attributes.includes('rtcp-mux') && b.attributes.includes('rtcp-mux'),
    })
  }
  return streams
}

function sends({ direction }: SdpMedia): boolean {
  return direction === 'sendrecv' || direction === 'sendonly'
}

function receives({ direction, address }: SdpMedia): boolean {
  return (direction === 'sendrecv' || direction === 'recvonly') && address !== '0.0.0.0' && address !== '::'
}

function hostPort({ address, port }: SdpMedia): string {
  return toPrintable(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`, 60)
}
