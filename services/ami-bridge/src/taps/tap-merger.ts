import { createRecordId, RecordIds } from '@sip-capture/contract/bus/record-id.ts'
import type { AmiTap } from '@sip-capture/contract/bus/source-status.ts'
import type { HostPort, SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { parseMessage, type SipMessage } from '@sip-capture/sip/message.ts'
import { parseUri } from '@sip-capture/sip/uri.ts'
import type { AmiBlock } from '../ami/block.ts'
import type { SeenInvite } from '../calls/short-calls.ts'
import { canonicalAddress, type OwnAddresses } from '../own-addresses.ts'
import { digestOf, messageKey, transportOf } from '../record.ts'
import { parseEventMessage } from './events.ts'
import type { HepPacket } from './hep-packet.ts'
import type { HistoryMessage } from './history.ts'
import { createMessageGate } from './message-gate.ts'
import type { TapSelection } from './tap-selection.ts'

export interface TapMerger {
  readonly onHistory: (message: HistoryMessage) => void
  readonly onHep: (packet: HepPacket, message: SipMessage | undefined) => void
  readonly onEvent: (block: AmiBlock) => void
  readonly counters: Readonly<Record<string, number>>
}

/** How far apart two taps may date one message, beyond what the history itself does not know. */
const toleranceMicros = 300_000
/** How long an event with SIP text waits for the history to confirm it. */
const candidateMicros = 5_000_000
const maxCandidates = 5_000
const ipProtocols: Readonly<Record<number, SipRecord['transport']>> = { 6: 'TCP', 17: 'UDP', 132: 'SCTP' }

/** Makes records of what the taps see, and lets each message through once. */
export function createTapMerger(options: {
  node: string
  own: OwnAddresses
  selection: TapSelection
  /** No other tap can show the same message. */
  isAlone: boolean
  publish: (record: SipRecord) => void
  onInvite: (invite: SeenInvite) => void
  /** Why the history cannot be read; undefined when it can. */
  historyProblem: () => string | undefined
  onCorrelation: (channel: string, callId: string) => void
  onSuspect: () => void
}): TapMerger {
  const { node, own, selection, isAlone, historyProblem, onCorrelation, onSuspect } = options
  const hepIds = new RecordIds()
  const gate = isAlone ? undefined : createMessageGate<AmiTap>()
  const counters = { received: 0, duplicates: 0, events_with_sip: 0, unparsed: 0 }
  /** Messages in events that nothing has confirmed yet, oldest first. */
  let candidates: { readonly key: string; readonly atMicros: number }[] = []

  function parse(bytes: Uint8Array): SipMessage | undefined {
    const parsed = parseMessage(bytes)
    if (parsed.ok) return parsed.message
    counters.unparsed += 1
    return undefined
  }

  function publish(record: SipRecord, message: SipMessage | undefined): void {
    options.publish(record)
    const invite = message && toSeenInvite(record, message)
    if (invite) options.onInvite(invite)
  }

  function onHistory(seen: HistoryMessage): void {
    counters.received += 1
    const message = parse(seen.bytes)
    const transport = message ? transportOf(message) : 'unknown'
    const ownSide = message ? ownSideOf(seen, message, transport) : own.guessFor(seen.far, transport)
    const key = message ? messageKey(message) : seen.id
    const shownBy = gate?.shownBy('history', key, seen.atMicros, seen.precisionMicros + toleranceMicros)
    const inEvents = takeCandidate(key)
    selection.noteHistory([...(shownBy ? [shownBy] : []), ...(inEvents ? (['events'] as const) : [])])
    if (shownBy) {
      counters.duplicates += 1
      return
    }
    publish(
      {
        ...common,
        node,
        id: seen.id,
        atMicros: seen.atMicros,
        precisionMicros: seen.precisionMicros,
        source: 'ami-history',
        transport,
        src: seen.direction === 'in' ? seen.far : ownSide,
        dst: seen.direction === 'in' ? ownSide : seen.far,
        direction: seen.direction,
        payload: seen.bytes,
      },
      message,
    )
  }

  /** Where Asterisk itself wrote the top Via (its requests, and the answers to them), that is its address. */
  function ownSideOf(seen: HistoryMessage, message: SipMessage, transport: SipRecord['transport']): HostPort {
    const via = message.topVia
    const isOwnVia = (seen.direction === 'out') === (message.kind === 'request')
    const address = isOwnVia && via ? canonicalAddress(via.host) : ''
    if (address === '' || !via) return own.guessFor(seen.far, transport)
    const said = { address, port: via.port ?? (transport === 'TLS' ? 5061 : 5060) }
    // Behind NAT the Via holds the outer address; the transport's own one is what the message left from.
    const isKnown = own.list.length === 0 || own.list.some((side) => side.address === address)
    if (!isKnown) return own.guessFor(seen.far, transport)
    own.learn(seen.far, said)
    return said
  }

  function onHep(packet: HepPacket, message: SipMessage | undefined): void {
    if (selection.tap === undefined) return
    counters.received += 1
    selection.noteDelivery('hep')
    const problem = historyProblem()
    if (problem !== undefined && selection.tap === 'history') selection.noteOnlySource('hep', problem)
    if (message === undefined) counters.unparsed += 1
    const src = { address: packet.srcAddress, port: packet.srcPort }
    const dst = { address: packet.dstAddress, port: packet.dstPort }
    const { atMicros, payload } = packet
    const id = hepIds.next(atMicros)
    if (gate?.shownBy('hep', message ? messageKey(message) : id, atMicros, toleranceMicros)) {
      counters.duplicates += 1
      return
    }
    // Before there is a channel, Asterisk puts the Call-ID there, and that may look like a channel's name.
    const isChannel =
      packet.correlationId.startsWith('PJSIP/') && message && packet.correlationId !== message.callId
    const channel = isChannel ? packet.correlationId.slice(0, 512) : undefined
    if (channel !== undefined && message) onCorrelation(channel, message.callId)
    const fallback = ipProtocols[packet.ipProtocol] ?? 'unknown'
    // Field by field: objects made by spreading are of a new shape again and again.
    const record: SipRecord = {
      v: 1,
      id,
      atMicros,
      nanos: 0,
      precisionMicros: 1,
      source: 'ami-hep',
      node,
      // HEP says UDP or TCP only: TLS and WebSocket are in the Via.
      transport: message && fallback !== 'UDP' ? transportOf(message, fallback) : fallback,
      src,
      dst,
      direction: own.directionOf(src, dst),
      payload,
      frames: [],
      copies: 1,
      notes: [],
    }
    if (channel !== undefined) record.channel = channel
    publish(record, message)
  }

  function onEvent(block: AmiBlock): void {
    const event = parseEventMessage(block)
    if (!event) return
    counters.events_with_sip += 1
    const message = parse(event.bytes)
    if (!message) return
    const key = messageKey(message)
    const atMicros = nowMicros()
    // A caller can forge an event: in `auto` it counts once the history has shown that events tell the truth here.
    if (selection.tap !== 'events') {
      candidates.push({ key, atMicros })
      expireCandidates(atMicros)
      return
    }
    counters.received += 1
    selection.noteDelivery('events')
    if (gate?.shownBy('events', key, atMicros, toleranceMicros)) {
      counters.duplicates += 1
      return
    }
    publish(
      {
        ...common,
        node,
        id: createRecordId(atMicros, digestOf(['ami-event', node, atMicros], event.bytes)),
        atMicros,
        // When the event came, not when the message passed.
        precisionMicros: 100_000,
        source: 'ami-event',
        transport: transportOf(message),
        src: event.src,
        dst: event.dst,
        direction: event.direction === 'unknown' ? own.directionOf(event.src, event.dst) : event.direction,
        payload: event.bytes,
      },
      message,
    )
  }

  function takeCandidate(key: string): boolean {
    expireCandidates(nowMicros())
    const at = candidates.findIndex((candidate) => candidate.key === key)
    if (at < 0) return false
    candidates.splice(at, 1)
    return true
  }

  function expireCandidates(now: number): void {
    let expired = 0
    for (const candidate of candidates) {
      if (now - candidate.atMicros < candidateMicros && candidates.length - expired <= maxCandidates) break
      expired += 1
      if (selection.tap === 'history') onSuspect()
    }
    if (expired > 0) candidates = candidates.slice(expired)
  }

  return { onHistory, onHep, onEvent, counters }
}

function toSeenInvite(record: SipRecord, message: SipMessage): SeenInvite | undefined {
  if (message.kind !== 'request' || message.method !== 'INVITE' || message.to.tag !== '') return undefined
  if (record.direction === 'unknown' || message.callId === '') return undefined
  return {
    callId: message.callId,
    atMicros: record.atMicros,
    precisionMicros: record.precisionMicros,
    direction: record.direction,
    farAddress: (record.direction === 'in' ? record.src : record.dst).address,
    calledNumber: parseUri(message.requestUri).user,
  }
}

const common = { v: 1 as const, nanos: 0, frames: [], copies: 1, notes: [] }
