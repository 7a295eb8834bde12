import type { CapturedPacket } from '../captured-packet.ts'
import type { DecodedDatagram } from '../decode.ts'

export interface FragmentLimits {
  readonly maxDatagrams: number
  readonly maxBytes: number
  readonly maxPieces: number
  readonly maxAgeMicros: number
}

/** RFC 791 and RFC 8200 hosts wait 15 to 60 s; Linux waits 30 s. */
export const defaultFragmentLimits: FragmentLimits = {
  maxDatagrams: 4096,
  maxBytes: 16 * 1024 * 1024,
  maxPieces: 256,
  maxAgeMicros: 30_000_000,
}

const maxPayloadBytes = 65_535

export interface ReassembledPacket {
  /** The first piece (offset 0): addresses, protocol, packet type. */
  readonly first: DecodedDatagram
  /** What follows the IP header, put together; of an incomplete one the part before the first hole. */
  readonly payload: Uint8Array
  /** Every frame that carried a piece, in the order of arrival. */
  readonly packets: readonly CapturedPacket[]
  readonly isComplete: boolean
  /** Pieces contradicted each other; the first to arrive were kept. */
  readonly hasOverlap: boolean
}

interface Piece {
  readonly offset: number
  readonly bytes: Uint8Array
}

interface PartialPacket {
  readonly pieces: Piece[]
  readonly packets: CapturedPacket[]
  first: DecodedDatagram | null
  /** Payload length, known from the last piece; -1 before. */
  total: number
  received: number
  sizeBytes: number
  hasOverlap: boolean
  readonly startedAtMicros: number
}

/**
 * Puts IP fragments together, in any order. Pieces are copied, so a waiting one does not hold the memory around it.
 * When a bound is met the oldest packet is given up: `takeGivenUp` has it.
 */
export class FragmentReassembler {
  readonly #limits: FragmentLimits
  readonly #partial = new Map<string, PartialPacket>()
  #sizeBytes = 0
  #givenUp: ReassembledPacket[] = []
  readonly counters = { fragments: 0, reassembled: 0, incomplete: 0, overlapping: 0, rejected: 0 }

  constructor(limits: FragmentLimits = defaultFragmentLimits) {
    this.#limits = limits
  }

  /** Bytes held for packets that are not complete. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** `packets`: where the piece itself came from several frames, being inside a tunnel, all of them. */
  push(
    datagram: DecodedDatagram,
    packet: CapturedPacket,
    packets: readonly CapturedPacket[] = [packet],
  ): ReassembledPacket | null {
    const { fragment } = datagram
    if (!fragment) return null
    this.counters.fragments += 1
    const end = fragment.offset + datagram.payload.length
    // All but the last piece are multiples of 8 (RFC 791); anything else is damage or an attack.
    const isOdd = fragment.more && datagram.payload.length % 8 !== 0 && !datagram.isTruncated
    if (end > maxPayloadBytes || datagram.payload.length === 0 || isOdd) {
      this.counters.rejected += 1
      return null
    }
    const key = `${datagram.src} ${datagram.dst} ${datagram.protocol} ${datagram.ipId}`
    let partial = this.#partial.get(key)
    if (partial && Math.abs(packet.atMicros - partial.startedAtMicros) > this.#limits.maxAgeMicros) {
      this.#giveUp(key, partial)
      partial = undefined
    }
    if (!partial) {
      partial = {
        pieces: [],
        packets: [],
        first: null,
        total: -1,
        received: 0,
        sizeBytes: 0,
        hasOverlap: false,
        startedAtMicros: packet.atMicros,
      }
      this.#partial.set(key, partial)
    }
    this.#add(partial, datagram, packets, fragment.offset, fragment.more)
    const complete = this.#complete(key, partial)
    if (!complete) this.#enforceLimits(key, partial)
    return complete
  }

  /** Gives up what waits since before `nowMicros` less the age limit; with no argument, everything. */
  expire(nowMicros = Number.POSITIVE_INFINITY): void {
    for (const [key, partial] of this.#partial) {
      if (nowMicros - partial.startedAtMicros > this.#limits.maxAgeMicros) this.#giveUp(key, partial)
    }
  }

  /** The given-up packets of which at least the first piece was seen, each once. */
  takeGivenUp(): ReassembledPacket[] {
    const taken = this.#givenUp
    if (taken.length > 0) this.#givenUp = []
    return taken
  }

  #add(
    partial: PartialPacket,
    datagram: DecodedDatagram,
    packets: readonly CapturedPacket[],
    offset: number,
    more: boolean,
  ): void {
    const length = datagram.payload.length
    if (partial.pieces.some((piece) => piece.offset === offset && sameBytes(piece.bytes, datagram.payload)))
      return
    const end = offset + length
    const overlaps = partial.pieces.some(
      (piece) => offset < piece.offset + piece.bytes.length && piece.offset < end,
    )
    const contradicts = partial.total >= 0 && (end > partial.total || (!more && end !== partial.total))
    if ((overlaps || contradicts) && !partial.hasOverlap) {
      partial.hasOverlap = true
      this.counters.overlapping += 1
    }
    if (!more && partial.total < 0) partial.total = end
    const [only] = packets
    const isInFrame = packets.length === 1 && only?.bytes.buffer === datagram.payload.buffer
    let sizeBytes = 0
    let bytes: Uint8Array | null = null
    for (const packet of packets) {
      const frame = packet.bytes.slice()
      const at = datagram.payload.byteOffset - packet.bytes.byteOffset
      if (isInFrame) bytes = frame.subarray(at, at + length)
      partial.packets.push({ ...packet, bytes: frame })
      sizeBytes += frame.length
    }
    if (!bytes) {
      bytes = datagram.payload.slice()
      sizeBytes += length
    }
    partial.pieces.push({ offset, bytes })
    partial.received += length
    partial.sizeBytes += sizeBytes
    this.#sizeBytes += sizeBytes
    if (offset === 0) partial.first ??= { ...datagram, payload: bytes }
  }

  #complete(key: string, partial: PartialPacket): ReassembledPacket | null {
    if (!partial.first || partial.total < 0 || partial.received < partial.total) return null
    const contiguous = assemble(partial.pieces, partial.total)
    if (contiguous.length < partial.total) return null
    this.#forget(key, partial)
    this.counters.reassembled += 1
    return toReassembled(partial, partial.first, contiguous, true)
  }

  #enforceLimits(key: string, partial: PartialPacket): void {
    if (partial.pieces.length >= this.#limits.maxPieces) this.#giveUp(key, partial)
    while (this.#partial.size > this.#limits.maxDatagrams || this.#sizeBytes > this.#limits.maxBytes) {
      const oldest = this.#partial.entries().next()
      if (oldest.done) return
      this.#giveUp(...oldest.value)
    }
  }

  #giveUp(key: string, partial: PartialPacket): void {
    this.#forget(key, partial)
    this.counters.incomplete += 1
    if (!partial.first) return
    const total = partial.total < 0 ? maxPayloadBytes : partial.total
    this.#givenUp.push(toReassembled(partial, partial.first, assemble(partial.pieces, total), false))
  }

  #forget(key: string, partial: PartialPacket): void {
    this.#partial.delete(key)
    this.#sizeBytes -= partial.sizeBytes
  }
}

function toReassembled(
  partial: PartialPacket,
  first: DecodedDatagram,
  payload: Uint8Array,
  isComplete: boolean,
): ReassembledPacket {
  return { first, payload, packets: partial.packets, isComplete, hasOverlap: partial.hasOverlap }
}

/** The bytes up to the first hole, at most `total`. Written last to first, so that the first piece to arrive wins. */
function assemble(pieces: readonly Piece[], total: number): Uint8Array {
  let end = 0
  for (const piece of pieces.toSorted((a, b) => a.offset - b.offset)) {
    if (piece.offset > end) break
    end = Math.max(end, piece.offset + piece.bytes.length)
  }
  const bytes = new Uint8Array(Math.min(end, total))
  for (let index = pieces.length - 1; index >= 0; index -= 1) {
    const piece = pieces[index]
    if (piece && piece.offset < bytes.length) {
      bytes.set(piece.bytes.subarray(0, bytes.length - piece.offset), piece.offset)
    }
  }
  return bytes
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}
