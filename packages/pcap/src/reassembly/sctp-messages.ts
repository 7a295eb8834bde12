import type { CapturedPacket } from '../captured-packet.ts'
import type { DecodedDatagram } from '../decode.ts'
import { readSctpData, type SctpData } from '../frames/sctp.ts'

export interface SctpMessage {
  readonly payload: Uint8Array
  readonly packets: readonly CapturedPacket[]
}

interface Piece {
  readonly data: SctpData
  readonly packet: CapturedPacket
}

const maxPieces = 4096
const maxPiecesOfMessage = 256
const maxRemembered = 8192

/**
 * User messages of SCTP: mostly one a DATA chunk (RFC 4168), else pieces with sequence numbers in a row (RFC 9260
 * section 6.9). A chunk sent again is taken once. Bounded: the oldest waiting pieces are dropped and counted.
 */
export class SctpMessages {
  readonly #pieces = new Map<string, Piece>()
  readonly #seen = new Set<string>()
  readonly counters = { chunks: 0, retransmitted: 0, dropped: 0 }

  push(datagram: DecodedDatagram, packet: CapturedPacket): SctpMessage[] {
    const found: SctpMessage[] = []
    const path = `${datagram.src} ${datagram.srcPort} ${datagram.dst} ${datagram.dstPort}`
    for (const data of readSctpData(datagram.payload)) {
      this.counters.chunks += 1
      // The first bytes tell a new association that counts from the same number.
      const key = `${path} ${data.sequence} ${data.bytes.length} ${data.bytes[0] ?? 0}`
      if (this.#seen.has(key)) {
        this.counters.retransmitted += 1
        continue
      }
      this.#remember(key)
      if (data.isFirst && data.isLast) found.push({ payload: data.bytes, packets: [packet] })
      else {
        const whole = this.#piece(path, data, packet)
        if (whole) found.push(whole)
      }
    }
    return found
  }

  #remember(key: string): void {
    this.#seen.add(key)
    if (this.#seen.size <= maxRemembered) return
    const oldest = this.#seen.values().next()
    if (!oldest.done) this.#seen.delete(oldest.value)
  }

  #piece(path: string, data: SctpData, packet: CapturedPacket): SctpMessage | null {
    const keyOf = (sequence: number): string => `${path} ${data.stream} ${sequence >>> 0}`
    const copy = {
      data: { ...data, bytes: data.bytes.slice() },
      packet: { ...packet, bytes: packet.bytes.slice() },
    }
    this.#pieces.set(keyOf(data.sequence), copy)
    if (this.#pieces.size > maxPieces) {
      const oldest = this.#pieces.keys().next()
      if (!oldest.done) this.#pieces.delete(oldest.value)
      this.counters.dropped += 1
    }
    let first = data.sequence
    for (let steps = 0; this.#pieces.get(keyOf(first))?.data.isFirst === false; steps += 1) {
      first -= 1
      if (steps > maxPiecesOfMessage || !this.#pieces.has(keyOf(first))) return null
    }
    const parts: Piece[] = []
    for (let sequence = first; parts.length <= maxPiecesOfMessage; sequence += 1) {
      const piece = this.#pieces.get(keyOf(sequence))
      if (!piece) return null
      parts.push(piece)
      if (!piece.data.isLast) continue
      for (const part of parts) this.#pieces.delete(keyOf(part.data.sequence))
      return { payload: joined(parts), packets: [...new Set(parts.map((part) => part.packet))] }
    }
    return null
  }
}

function joined(parts: readonly Piece[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, { data }) => size + data.bytes.length, 0))
  let at = 0
  for (const { data } of parts) {
    bytes.set(data.bytes, at)
    at += data.bytes.length
  }
  return bytes
}
