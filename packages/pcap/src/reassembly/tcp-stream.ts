import type { CapturedPacket } from '../captured-packet.ts'
import type { DecodedDatagram } from '../decode.ts'
import { contentLength, findKnownStart, headersEnd, sipStart, skipLineEnds } from './sip-framing.ts'
import { WebSocketFraming, webSocketUpgradeEnd } from './web-socket.ts'

export interface TcpLimits {
  readonly maxStreams: number
  /** Of bytes waiting in one direction of one connection. */
  readonly maxStreamBytes: number
  readonly maxBytes: number
  /** How long a hole may stay before reading goes on behind it. */
  readonly maxHoleMicros: number
  readonly maxIdleMicros: number
}

export const defaultTcpLimits: TcpLimits = {
  maxStreams: 4096,
  maxStreamBytes: 512 * 1024,
  maxBytes: 32 * 1024 * 1024,
  maxHoleMicros: 3_000_000,
  maxIdleMicros: 600_000_000,
}

export interface StreamMessage {
  readonly transport: 'TCP' | 'WS'
  readonly payload: Uint8Array
  readonly packets: readonly CapturedPacket[]
  /** False: bytes between messages, for example after a lost segment. */
  readonly isSip: boolean
  /** False: cut off by a lost segment, the connection's end, or a bound. */
  readonly isComplete: boolean
  /** Bytes of line ends since the message before. */
  readonly lineEnds: number
  /** Of any of the segments. */
  readonly datagram: DecodedDatagram
}

interface Segment {
  readonly sequence: number
  readonly bytes: Uint8Array
  readonly packet: CapturedPacket
}

interface Stream {
  datagram: DecodedDatagram
  next: number
  /** Contiguous bytes that are no whole message yet. */
  waiting: Uint8Array
  /** The segments `waiting` came from and where each one ends in it. */
  sources: { packet: CapturedPacket; end: number }[]
  /** Segments behind a hole. */
  ahead: Segment[]
  aheadBytes: number
  holeSinceMicros: number
  isEncrypted: boolean
  /** Set behind an upgrade to WebSocket. */
  webSocket: WebSocketFraming | null
  /** Bytes before the ones that wait are missing. */
  isAdrift: boolean
  /** Bytes of line ends passed by since the last message. */
  lineEnds: number
  lastMicros: number
}

/** The largest window of TCP is 1 GiB; SIP never needs a hundredth of it. */
const maxJumpBytes = 16 * 1024 * 1024
const maxSegmentsAhead = 256
const maxSourcesInMessage = 256
const empty: Uint8Array = new Uint8Array(0)

/** One direction of a TCP connection each: bytes in sequence, cut into messages by Content-Length (RFC 3261 18.3). */
export class TcpStreams {
  readonly #limits: TcpLimits
  readonly #streams = new Map<string, Stream>()
  #sizeBytes = 0
  readonly counters = {
    segments: 0,
    retransmitted: 0,
    holes: 0,
    resynchronised: 0,
    encrypted: 0,
    compressed: 0,
    evicted: 0,
  }

  constructor(limits: TcpLimits = defaultTcpLimits) {
    this.#limits = limits
  }

  push(datagram: DecodedDatagram, packet: CapturedPacket): StreamMessage[] {
    const { tcp, payload } = datagram
    const found: StreamMessage[] = []
    if (!tcp) return found
    const key = `${datagram.src} ${datagram.srcPort} ${datagram.dst} ${datagram.dstPort}`
    let stream = this.#streams.get(key)
    if (tcp.isSyn) {
      if (stream) this.#close(key, stream, found)
      this.#open(key, datagram, (tcp.sequence + 1) >>> 0, packet.atMicros, false, found)
      return found
    }
    if (payload.length > 0) {
      if (stream && Math.abs((tcp.sequence - stream.next) | 0) > maxJumpBytes) {
        // Too far for a retransmission or a hole: the ports' next connection, its start not captured.
        this.#close(key, stream, found)
        stream = undefined
      }
      stream ??= this.#open(key, datagram, tcp.sequence, packet.atMicros, true, found)
      this.counters.segments += 1
      stream.lastMicros = packet.atMicros
      if (stream.isEncrypted) this.counters.encrypted += 1
      else this.#accept(stream, datagram, tcp.sequence, packet, found)
    }
    if (stream && (tcp.isReset || (tcp.isFin && stream.ahead.length === 0))) this.#close(key, stream, found)
    return found
  }

  /** Goes on behind old holes and closes idle connections; with no argument, ends all. */
  expire(nowMicros = Number.POSITIVE_INFINITY): StreamMessage[] {
    const found: StreamMessage[] = []
    for (const [key, stream] of this.#streams) {
      if (nowMicros - stream.lastMicros > this.#limits.maxIdleMicros) this.#close(key, stream, found)
      else if (stream.ahead.length > 0 && nowMicros - stream.holeSinceMicros > this.#limits.maxHoleMicros) {
        this.#skipHole(stream, found)
      }
    }
    return found
  }

  #open(
    key: string,
    datagram: DecodedDatagram,
    next: number,
    atMicros: number,
    isAdrift: boolean,
    found: StreamMessage[],
  ): Stream {
    const stream: Stream = {
      datagram,
      next,
      waiting: empty,
      sources: [],
      ahead: [],
      aheadBytes: 0,
      holeSinceMicros: 0,
      isEncrypted: false,
      webSocket: null,
      isAdrift,
      lineEnds: 0,
      lastMicros: atMicros,
    }
    this.#streams.set(key, stream)
    while (this.#streams.size > this.#limits.maxStreams) {
      const oldest = this.#streams.entries().next()
      if (oldest.done) break
      this.counters.evicted += 1
      this.#close(...oldest.value, found)
    }
    return stream
  }

  #close(key: string, stream: Stream, found: StreamMessage[]): void {
    while (stream.ahead.length > 0) this.#skipHole(stream, found)
    this.#flushWaiting(stream, found)
    this.#streams.delete(key)
  }

  #accept(
    stream: Stream,
    datagram: DecodedDatagram,
    sequence: number,
    packet: CapturedPacket,
    found: StreamMessage[],
  ): void {
    const distance = (sequence - stream.next) | 0
    if (distance > 0) {
      this.#hold(stream, datagram, sequence, packet, found)
      return
    }
    if (-distance >= datagram.payload.length) {
      this.counters.retransmitted += 1
      return
    }
    stream.datagram = datagram
    this.#append(stream, datagram.payload.subarray(-distance), packet)
    this.#drainAhead(stream)
    this.#cut(stream, found)
  }

  #append(stream: Stream, bytes: Uint8Array, packet: CapturedPacket): void {
    stream.next = (stream.next + bytes.length) >>> 0
    if (stream.waiting.length === 0) stream.waiting = bytes
    else {
      const joined = new Uint8Array(stream.waiting.length + bytes.length)
      joined.set(stream.waiting)
      joined.set(bytes, stream.waiting.length)
      stream.waiting = joined
    }
    this.#sizeBytes += bytes.length
    stream.sources.push({ packet, end: stream.waiting.length })
  }

  #hold(
    stream: Stream,
    datagram: DecodedDatagram,
    sequence: number,
    packet: CapturedPacket,
    found: StreamMessage[],
  ): void {
    if (stream.ahead.some((segment) => segment.sequence === sequence)) {
      this.counters.retransmitted += 1
      return
    }
    if (stream.ahead.length === 0) stream.holeSinceMicros = packet.atMicros
    stream.ahead.push({
      sequence,
      bytes: datagram.payload.slice(),
      packet: { ...packet, bytes: packet.bytes.slice() },
    })
    stream.aheadBytes += datagram.payload.length
    this.#sizeBytes += datagram.payload.length
    const isOverBound =
      stream.ahead.length > maxSegmentsAhead ||
      stream.aheadBytes > this.#limits.maxStreamBytes ||
      this.#sizeBytes > this.#limits.maxBytes
    const isOld = packet.atMicros - stream.holeSinceMicros > this.#limits.maxHoleMicros
    if (isOverBound || isOld) this.#skipHole(stream, found)
  }

  #drainAhead(stream: Stream): void {
    for (;;) {
      const index = stream.ahead.findIndex((segment) => ((segment.sequence - stream.next) | 0) <= 0)
      const segment = stream.ahead[index]
      if (!segment) return
      stream.ahead.splice(index, 1)
      stream.aheadBytes -= segment.bytes.length
      this.#sizeBytes -= segment.bytes.length
      const overlap = -((segment.sequence - stream.next) | 0)
      if (overlap < segment.bytes.length)
        this.#append(stream, segment.bytes.subarray(overlap), segment.packet)
    }
  }

  /** Gives up the missing bytes: what waits is told as incomplete, reading goes on at the nearest segment. */
  #skipHole(stream: Stream, found: StreamMessage[]): void {
    this.counters.holes += 1
    this.#flushWaiting(stream, found)
    let nearest = stream.ahead[0]
    for (const segment of stream.ahead) {
      if (nearest && ((segment.sequence - nearest.sequence) | 0) < 0) nearest = segment
    }
    if (!nearest) return
    stream.next = nearest.sequence
    stream.isAdrift = true
    stream.webSocket?.forget()
    stream.holeSinceMicros = nearest.packet.atMicros
    this.#drainAhead(stream)
    this.#cut(stream, found)
  }

  #flushWaiting(stream: Stream, found: StreamMessage[]): void {
    const from = skipLineEnds(stream.waiting, 0, stream.waiting.length)
    const end = stream.waiting.length
    if (from < end) this.#emit(stream, from, end, sipStart(stream.waiting, from, end) === 'yes', false, found)
    this.#consume(stream, end)
  }

  /** Takes whole messages off the front of what waits. */
  #cut(stream: Stream, found: StreamMessage[]): void {
    for (;;) {
      if (stream.webSocket) {
        this.#cutFrames(stream, stream.webSocket, found)
        return
      }
      const { waiting } = stream
      const end = waiting.length
      const from = skipLineEnds(waiting, 0, end)
      if (from === end) {
        stream.lineEnds += end
        this.#consume(stream, end)
        return
      }
      if (waiting[from] === 0x16 && waiting[from + 1] === 0x03) {
        stream.isEncrypted = true
        this.counters.encrypted += 1
        this.#consume(stream, end)
        return
      }
      const upgradeEnd = webSocketUpgradeEnd(waiting, from, end)
      if (upgradeEnd === 'more') return
      if (upgradeEnd > 0) {
        stream.webSocket = new WebSocketFraming(this.#limits.maxStreamBytes)
        this.#consume(stream, upgradeEnd)
        continue
      }
      if (stream.isAdrift) {
        const known = findKnownStart(waiting, from, end)
        // A known start further down does not make the first line, of a method we do not know, less of a start.
        const isFirstLine = known >= 0 && known <= waiting.indexOf(10, from)
        const isStart = !isFirstLine && sipStart(waiting, from, end) === 'yes'
        stream.isAdrift = known < 0 && !isStart
        const skipTo = isStart ? from : known < 0 ? end : known
        if (skipTo > from) {
          this.counters.resynchronised += 1
          this.#emit(stream, from, skipTo, false, false, found)
          this.#consume(stream, skipTo)
          continue
        }
      }
      const start = sipStart(waiting, from, end)
      if (start === 'no') {
        this.#resynchronise(stream, from, found)
        continue
      }
      const messageEnd = start === 'yes' ? streamMessageEnd(waiting, from, end) : -1
      if (messageEnd < 0) {
        if (end > this.#limits.maxStreamBytes || stream.sources.length >= maxSourcesInMessage) {
          this.#flushWaiting(stream, found)
        }
        return
      }
      this.#emit(stream, from, messageEnd, true, true, found)
      this.#consume(stream, messageEnd)
    }
  }

  /** Takes whole WebSocket frames off the front. After a hole the next segment is taken to start with one. */
  #cutFrames(stream: Stream, webSocket: WebSocketFraming, found: StreamMessage[]): void {
    for (;;) {
      const { waiting } = stream
      const length = webSocket.frameBytes(waiting)
      if (length === 0) {
        if (stream.sources.length >= maxSourcesInMessage) this.#flushWaiting(stream, found)
        return
      }
      if (length < 0) {
        webSocket.forget()
        this.#flushWaiting(stream, found)
        return
      }
      const message = webSocket.take(waiting.subarray(0, length), packetsOf(stream, 0, length))
      this.#consume(stream, length)
      if (!message) continue
      const { payload, packets, isCompressed } = message
      if (isCompressed) this.counters.compressed += 1
      const from = skipLineEnds(payload, 0, payload.length)
      if (from === payload.length) continue
      const isSip = !isCompressed && sipStart(payload, from, payload.length) === 'yes'
      const { datagram } = stream
      found.push({
        transport: 'WS',
        payload: payload.subarray(from),
        packets,
        isSip,
        isComplete: true,
        lineEnds: from,
        datagram,
      })
    }
  }

  /** Bytes that start no message go out as they are, up to the next line that starts one. */
  #resynchronise(stream: Stream, from: number, found: StreamMessage[]): void {
    this.counters.resynchronised += 1
    const { waiting } = stream
    let at = from
    for (;;) {
      const line = waiting.indexOf(10, at)
      at = line < 0 ? waiting.length : line + 1
      if (at >= waiting.length || sipStart(waiting, at, waiting.length) === 'yes') break
    }
    this.#emit(stream, from, at, false, false, found)
    this.#consume(stream, at)
  }

  #emit(
    stream: Stream,
    from: number,
    end: number,
    isSip: boolean,
    isComplete: boolean,
    found: StreamMessage[],
  ): void {
    const packets = packetsOf(stream, from, end)
    const payload = stream.waiting.subarray(from, end)
    const lineEnds = stream.lineEnds + skipLineEnds(stream.waiting, 0, from)
    stream.lineEnds = 0
    found.push({ transport: 'TCP', payload, packets, isSip, isComplete, lineEnds, datagram: stream.datagram })
  }

  #consume(stream: Stream, end: number): void {
    this.#sizeBytes -= end
    stream.waiting = end === stream.waiting.length ? empty : stream.waiting.subarray(end)
    const rest = stream.sources.filter((source) => source.end > end)
    stream.sources = rest.map((source) => ({ packet: source.packet, end: source.end - end }))
  }
}

/** The packets whose bytes are in a part of what waits. */
function packetsOf(stream: Stream, from: number, end: number): CapturedPacket[] {
  const packets: CapturedPacket[] = []
  let start = 0
  for (const source of stream.sources) {
    if (source.end > from && start < end) packets.push(source.packet)
    start = source.end
  }
  return packets
}

/** Where the message at `from` ends, or -1 if it is not all there. */
function streamMessageEnd(bytes: Uint8Array, from: number, end: number): number {
  const bodyStart = headersEnd(bytes, from, end)
  if (bodyStart < 0) return -1
  const length = contentLength(bytes, from, bodyStart)
  if (length >= 0) return bodyStart + length <= end ? bodyStart + length : -1
  // RFC 3261 wants Content-Length on streams. Without it: up to the next start, or all there is.
  const next = skipLineEnds(bytes, bodyStart, end)
  return next === end || sipStart(bytes, next, end) !== 'no' ? bodyStart : end
}
