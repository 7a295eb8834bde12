import type { CapturedPacket } from './captured-packet.ts'
import { CopyFilter } from './copies.ts'
import { decodeFrame, decodeReassembled, type DecodedDatagram } from './decode.ts'
import { readHep } from './frames/hep.ts'
import { ipProtocols } from './frames/ip-packet.ts'
import { FragmentReassembler, type ReassembledPacket } from './reassembly/fragments.ts'
import { SctpMessages } from './reassembly/sctp-messages.ts'
import { keepAliveKind, splitDatagram } from './reassembly/sip-framing.ts'
import { TcpStreams, type StreamMessage } from './reassembly/tcp-stream.ts'

export type ExtractedTransport = 'UDP' | 'TCP' | 'WS' | 'SCTP'

/** One SIP message, or one payload on a SIP port that is none, as the capture shows it. */
export interface ExtractedMessage {
  /** Of the frame that completed it. */
  readonly atMicros: number
  readonly nanos: number
  readonly transport: ExtractedTransport
  readonly src: { readonly address: string; readonly port: number }
  readonly dst: { readonly address: string; readonly port: number }
  /** A view: copy it to keep it beyond its neighbours. */
  readonly payload: Uint8Array
  readonly frames: readonly CapturedPacket[]
  readonly isSip: boolean
  /** n-th message of its datagram or segment, from 0. */
  readonly index: number
  /** Bytes of line ends before it in its datagram or stream: keep-alives, or none. */
  readonly lineEnds: number
  /** 1 and one for each copy seen by the end of the same `push`. */
  copies: number
  /** `reassembled` `incomplete` `truncated` `overlapping-fragments` `not-sip` `hep` */
  readonly notes: string[]
  /** Linux's packet type, a hint at the direction: 0 to us, 4 sent by us, -1 unknown. */
  readonly packetType: number
}

export interface ExtractorOptions {
  /** Ports on which any payload is kept. Elsewhere only what starts like SIP is. */
  readonly isSipPort: (port: number) => boolean
  /** Leave out copies of a packet (capture on `any`); true unless told. */
  readonly dropCopies?: boolean
  /**
   * Take the message out of HEP packets: for files; false unless told. A live capture beside a HEP sender would see
   * each message twice.
   */
  readonly openHep?: boolean
}

const sweepEveryMicros = 1_000_000
const maxFramesOfMessage = 256
const maxNestedFragments = 4
const noNotes: readonly string[] = []

/** Frames in, SIP messages out: link layer, IP, copies, fragments, TCP streams, framing. Never throws; all bounded. */
export class SipExtractor {
  readonly #isSipPort: (port: number) => boolean
  readonly #copies: CopyFilter | null
  readonly #fragments = new FragmentReassembler()
  readonly #streams = new TcpStreams()
  readonly #sctp = new SctpMessages()
  readonly #opensHep: boolean
  #found: ExtractedMessage[] = []
  /** The frame that completed each of them, for the count of copies. */
  #completedBy: CapturedPacket[] = []
  #lastSweepMicros = 0
  readonly #counters = {
    received: 0,
    messages: 0,
    notSip: 0,
    otherTraffic: 0,
    malformed: 0,
    duplicates: 0,
    truncated: 0,
    keepAlives: 0,
    stun: 0,
  }

  constructor(options: ExtractorOptions) {
    this.#isSipPort = options.isSipPort
    this.#copies = options.dropCopies === false ? null : new CopyFilter()
    this.#opensHep = options.openHep === true
  }

  /** Counts since the start, flat, for a heartbeat. */
  get counters(): Record<string, number> {
    const fragments = this.#fragments.counters
    const tcp = this.#streams.counters
    return {
      ...this.#counters,
      fragments: fragments.fragments,
      fragmentsReassembled: fragments.reassembled,
      fragmentsIncomplete: fragments.incomplete,
      fragmentsOverlapping: fragments.overlapping,
      fragmentsRejected: fragments.rejected,
      tcpSegments: tcp.segments,
      tcpRetransmitted: tcp.retransmitted,
      tcpHoles: tcp.holes,
      tcpEncrypted: tcp.encrypted,
      webSocketCompressed: tcp.compressed,
      sctpChunks: this.#sctp.counters.chunks,
      sctpRetransmitted: this.#sctp.counters.retransmitted,
      sctpDropped: this.#sctp.counters.dropped,
    }
  }

  push(packets: readonly CapturedPacket[]): ExtractedMessage[] {
    for (const packet of packets) this.#packet(packet)
    return this.#take()
  }

  /** Gives out what waits too long at `nowMicros` for its missing parts; with no argument, all that waits. */
  expire(nowMicros?: number): ExtractedMessage[] {
    this.#sweep(nowMicros)
    return this.#take()
  }

  #take(): ExtractedMessage[] {
    const found = this.#found
    if (found.length > 0) {
      this.#found = []
      this.#completedBy = []
    }
    this.#counters.messages += found.length
    return found
  }

  #sweep(nowMicros?: number): void {
    this.#fragments.expire(nowMicros)
    this.#takeGivenUp()
    this.#copies?.forgetBefore(nowMicros ?? Number.POSITIVE_INFINITY)
    for (const message of this.#streams.expire(nowMicros)) this.#streamMessage(message)
  }

  #packet(packet: CapturedPacket): void {
    this.#counters.received += 1
    if (packet.atMicros - this.#lastSweepMicros > sweepEveryMicros) {
      this.#lastSweepMicros = packet.atMicros
      this.#sweep(packet.atMicros)
    }
    const decoded = decodeFrame(packet.linkType, packet.bytes)
    if (decoded.problem !== null) {
      if (decoded.kind === 'malformed') this.#counters.malformed += 1
      else this.#counters.otherTraffic += 1
      return
    }
    const original = this.#copies?.match(decoded, packet)
    if (original) {
      this.#counters.duplicates += 1
      this.#countCopy(original)
      return
    }
    if (decoded.fragment) {
      const whole = this.#fragments.push(decoded, packet)
      if (whole) this.#reassembled(whole, packet)
      this.#takeGivenUp()
      return
    }
    this.#datagram(decoded, [packet], noNotes, packet)
  }

  /** Copies follow within microseconds, so the message is among the last; a frame's messages stand together. */
  #countCopy(original: CapturedPacket): void {
    let at = this.#completedBy.lastIndexOf(original)
    for (; at >= 0 && this.#completedBy[at] === original; at -= 1) {
      const message = this.#found[at]
      if (message) message.copies += 1
    }
  }

  #takeGivenUp(): void {
    for (const partial of this.#fragments.takeGivenUp()) {
      const last = partial.packets.at(-1)
      if (last) this.#reassembled(partial, last)
    }
  }

  /** `last`: the captured frame that completed it, as copies of it will be matched. */
  #reassembled(whole: ReassembledPacket, last: CapturedPacket, depth = 0): void {
    const decoded = decodeReassembled(whole.first, whole.payload)
    if (decoded.problem !== null) {
      if (decoded.kind === 'malformed') this.#counters.malformed += 1
      else this.#counters.otherTraffic += 1
      return
    }
    if (decoded.fragment) {
      // A tunnel's packet in pieces that carried a piece of the packet inside.
      const inner = depth < maxNestedFragments ? this.#fragments.push(decoded, last, whole.packets) : null
      if (inner) this.#reassembled(inner, last, depth + 1)
      return
    }
    const notes = [whole.isComplete ? 'reassembled' : 'incomplete']
    if (whole.hasOverlap) notes.push('overlapping-fragments')
    this.#datagram(
      whole.isComplete ? decoded : { ...decoded, isTruncated: false },
      whole.packets,
      notes,
      last,
    )
  }

  #datagram(
    datagram: DecodedDatagram,
    frames: readonly CapturedPacket[],
    notes: readonly string[],
    last: CapturedPacket,
  ): void {
    if (datagram.protocol === ipProtocols.tcp && !datagram.isUpperPdu) {
      this.#tcpSegment(datagram, last)
      return
    }
    if (datagram.protocol === ipProtocols.sctp && !datagram.isUpperPdu) {
      this.#sctpPacket(datagram, last)
      return
    }
    const hep = this.#opensHep ? readHep(datagram.payload) : null
    if (hep) {
      this.#payload({ ...datagram, ...hep }, frames, [...notes, 'hep'], last)
      return
    }
    this.#payload(datagram, frames, notes, last)
  }

  #payload(
    datagram: DecodedDatagram,
    frames: readonly CapturedPacket[],
    notes: readonly string[],
    last: CapturedPacket,
  ): void {
    const onSipPort = this.#isSipPort(datagram.srcPort) || this.#isSipPort(datagram.dstPort)
    const keepAlive = keepAliveKind(datagram.payload)
    if (keepAlive) {
      if (keepAlive === 'stun') this.#counters.stun += 1
      else this.#counters.keepAlives += 1
      return
    }
    const pieces = splitDatagram(datagram.payload)
    if (!onSipPort && pieces[0]?.isSip !== true) {
      this.#counters.otherTraffic += 1
      return
    }
    const all = datagram.isTruncated ? [...notes, 'truncated'] : notes
    if (datagram.isTruncated) this.#counters.truncated += 1
    const transport = transportOf(datagram)
    let index = 0
    for (const { bytes, isSip, lineEnds } of pieces) {
      this.#emit(transport, datagram, bytes, isSip, frames, all, last, index, lineEnds)
      index += 1
    }
  }

  #tcpSegment(datagram: DecodedDatagram, packet: CapturedPacket): void {
    let index = 0
    for (const message of this.#streams.push(datagram, packet)) {
      this.#streamMessage(message, index)
      index += 1
    }
  }

  #sctpPacket(datagram: DecodedDatagram, packet: CapturedPacket): void {
    const onSipPort = this.#isSipPort(datagram.srcPort) || this.#isSipPort(datagram.dstPort)
    for (const [index, { payload, packets }] of this.#sctp.push(datagram, packet).entries()) {
      const [piece] = splitDatagram(payload)
      if (piece?.isSip !== true && !onSipPort) {
        this.#counters.otherTraffic += 1
        continue
      }
      const notes = packets.length > 1 ? ['reassembled'] : []
      if (datagram.isTruncated) notes.push('truncated')
      this.#emit('SCTP', datagram, payload, piece?.isSip === true, packets, notes, packet, index, 0)
    }
  }

  #streamMessage(message: StreamMessage, index = 0): void {
    const { datagram, packets } = message
    const last = packets.at(-1)
    const onSipPort = this.#isSipPort(datagram.srcPort) || this.#isSipPort(datagram.dstPort)
    if (!last || (!message.isSip && !onSipPort)) {
      this.#counters.otherTraffic += 1
      return
    }
    const notes: string[] = []
    if (packets.length > 1) notes.push('reassembled')
    if (!message.isComplete && message.isSip) notes.push('incomplete')
    const { transport, payload, isSip, lineEnds } = message
    this.#emit(transport, datagram, payload, isSip, packets, notes, last, index, lineEnds)
  }

  #emit(
    transport: ExtractedTransport,
    datagram: DecodedDatagram,
    payload: Uint8Array,
    isSip: boolean,
    frames: readonly CapturedPacket[],
    notes: readonly string[],
    last: CapturedPacket,
    index: number,
    lineEnds: number,
  ): void {
    if (!isSip) this.#counters.notSip += 1
    const all = isSip ? notes : [...notes, 'not-sip']
    const message: ExtractedMessage = {
      atMicros: last.atMicros,
      nanos: last.nanos,
      transport,
      src: { address: datagram.src, port: datagram.srcPort },
      dst: { address: datagram.dst, port: datagram.dstPort },
      payload,
      frames: frames.length > maxFramesOfMessage ? frames.slice(0, maxFramesOfMessage) : frames,
      isSip,
      index,
      lineEnds,
      copies: 1,
      // Of a message its own; nearly always none, and to copy that costs more than to make it.
      notes: all.length === 0 ? [] : [...all],
      packetType: datagram.packetType,
    }
    this.#found.push(message)
    this.#completedBy.push(last)
  }
}

/** Of a datagram, or of a message that was exported without its packets. */
function transportOf(datagram: DecodedDatagram): ExtractedTransport {
  if (datagram.protocol === ipProtocols.tcp) return 'TCP'
  return datagram.protocol === ipProtocols.sctp ? 'SCTP' : 'UDP'
}
