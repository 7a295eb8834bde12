import type { MessageSource } from '@sip-capture/contract/bus/sip-record.ts'
import type { Arrow, Ladder, MediaSpan, MediaStream } from '@sip-capture/sip/ladder.ts'
import { shownText } from '../../format/shown-text.ts'
import { sourceNames } from '../../format/source.ts'
import { lookOf, lookSign } from '../../format/status.ts'
import { clockTime, offsetText } from '../../format/time.ts'

/** `▸ INVITE ⟳+3`: sign, words, and what was sent again. */
export function arrowWords(arrow: Arrow, isFolded: boolean): string {
  const sign = arrow.ghost === null ? lookSign[lookOf(arrow)] : '◌'
  const again = arrow.repeatOf !== null ? ' ⟳' : isFolded && arrow.repeats > 0 ? ` ⟳+${arrow.repeats}` : ''
  return `${sign} ${shownText(arrow.label)}${again}`
}

/** The whole arrow in one sentence, for its tooltip and for those who hear the page. */
export function describeArrow(arrow: Arrow, ladder: Ladder): string {
  const [from, to] = [laneWords(ladder, arrow.fromLane), laneWords(ladder, arrow.toLane)]
  const legs = ladder.legs.length > 1 ? `leg ${ladder.legs[arrow.leg]?.number ?? 0}` : ''
  if (arrow.ghost !== null)
    return sentence([
      `Missing: ${shownText(arrow.label)}`,
      `from ${from} to ${to}`,
      legs,
      arrow.ghost.reason,
      arrow.ghost.rfc,
    ])
  return sentence([
    `${arrow.number}: ${shownText(arrow.label)}`,
    shownText(arrow.detail),
    `from ${from} to ${to}`,
    legs,
    arrow.cseq === null ? '' : `CSeq ${arrow.cseq}`,
    arrow.repeatOf === null ? '' : 'sent again (retransmission)',
    arrow.repeats === 0 ? '' : `sent ${arrow.repeats + 1} times`,
    clockTime(arrow.atMicros, 6),
    `seen by ${arrow.sources.map((source) => sourceNames[source as MessageSource].label).join(', ')}`,
    shownText(arrow.note),
  ])
}

function sentence(parts: readonly string[]): string {
  return parts.filter(Boolean).join(' · ')
}

export function laneWords(ladder: Ladder, lane: number): string {
  const one = ladder.lanes[lane]
  return shownText(one?.name || one?.hosts[0]?.address || (one?.isPbx === true ? 'PBX' : 'not known'))
}

/** `192.0.2.1:5060 :5061`, and how many more addresses. */
export function hostsText(hosts: Ladder['lanes'][number]['hosts'], withAddress: boolean): string {
  const [host, ...further] = hosts
  if (host === undefined) return ''
  const ports = host.ports.slice(0, 3).map((port) => `:${port}`)
  const address = withAddress ? (host.address.includes(':') ? `[${host.address}]` : host.address) : ''
  const more = further.length === 0 ? '' : ` +${further.length}`
  return shownText(`${address}${ports.join(' ')}${host.ports.length > 3 ? ' …' : ''}${more}`)
}

/** Every address and port of a lane, for its tooltip. */
export function laneTitle(lane: Ladder['lanes'][number]): string {
  const hosts = lane.hosts.map(({ address, ports }) => `${address} ports ${ports.join(', ')}`)
  return shownText([lane.name, ...hosts].filter(Boolean).join(' · '))
}

const arrows = (stream: MediaStream): string =>
  stream.toCallee && stream.toCaller ? '⇄' : stream.toCallee ? '→' : stream.toCaller ? '←' : '×'

/** `⇄ RTP PCMA`, by the direction of the leg as drawn. */
export function mediaWords(span: MediaSpan): string {
  const isTurned = span.callerLane > span.calleeLane
  const streams = span.streams.map((stream) => {
    const drawn = isTurned ? { ...stream, toCallee: stream.toCaller, toCaller: stream.toCallee } : stream
    return `${arrows(drawn)} RTP ${stream.kind === 'audio' ? '' : `${stream.kind} `}${stream.codec}`.trimEnd()
  })
  return shownText(streams.join(', '))
}

export function describeMedia(span: MediaSpan, ladder: Ladder): string {
  const seconds =
    span.toMicros === null ? '' : ` for ${((span.toMicros - span.fromMicros) / 1_000_000).toFixed(1)} s`
  const streams = span.streams.map(
    (stream) =>
      `${stream.kind} ${stream.codec} ${stream.caller} ${stream.toCallee && stream.toCaller ? 'and' : stream.toCallee ? 'to' : 'from'} ${stream.callee}, RTCP ${stream.isMuxed ? 'on the same ports' : 'on its own ports'}`,
  )
  return shownText(
    `By SDP, not captured: media between ${laneWords(ladder, span.callerLane)} and ${laneWords(ladder, span.calleeLane)}${seconds} · ${streams.join(' · ')}`,
  )
}

/** `12.4 s`, `3 min 05 s`. */
export function pauseText(micros: number): string {
  const seconds = micros / 1_000_000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${twoDigits(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`
}

/** Since the first message, short and to the millisecond: `+34.0 ms`, `+6.402 s`, `+1:05.102`. */
export function sinceStart(micros: number): string {
  if (micros < 60_000_000) return offsetText(micros)
  const seconds = micros / 1_000_000
  const minutes = Math.floor(seconds / 60)
  const rest = (seconds - minutes * 60).toFixed(3).padStart(6, '0')
  if (minutes < 60) return `+${minutes}:${rest}`
  return `+${Math.floor(minutes / 60)}:${twoDigits(minutes % 60)}:${rest}`
}

function twoDigits(count: number): string {
  return String(Math.floor(count)).padStart(2, '0')
}
