import { u32be } from './byte-order.ts'
import type { CapturedPacket } from './captured-packet.ts'
import { decodeFrame, type DecodedDatagram } from './decode.ts'
import { linkTypes } from './link-types.ts'

const slots = 16_384
const heads = 32_768
const maxChain = 64
const sampleStride = 32

/** Copies of one packet are at most this far apart (measured: 0 to 44 µs; a UDP retransmission comes after 500 ms). */
export const copyWindowMicros = 50_000

/**
 * Recognises a packet that the capture shows again on its way through the machine (bridge, veth, router with `any`).
 * The same: addresses, ports, IP id, fragment, TCP sequence and payload; not TTL, MAC, checksum or interface.
 * Bounded: remembers the last 16,384 packets, and none for longer than the window.
 */
export class CopyFilter {
  // A column for each member of an entry, and no datagram: what lives just long enough burdens the collector. To decode a
  // packet once more, when its hash comes again, costs less than to keep what was read of all.
  readonly #packets: (CapturedPacket | undefined)[] = Array.from({ length: slots }, () => undefined)
  readonly #hashes = new Int32Array(slots)
  readonly #times = new Float64Array(slots)
  /** Sequence number of the entry before with the same head, or -1. */
  readonly #previous = new Int32Array(slots)
  readonly #heads = new Int32Array(heads).fill(-1)
  #next = 0
  #oldest = 0

  /** The packet this one is a copy of, or null; a packet that is none is remembered. */
  match(datagram: DecodedDatagram, packet: CapturedPacket): CapturedPacket | null {
    this.forgetBefore(packet.atMicros - copyWindowMicros)
    const hash = hashOf(datagram)
    const head = hash & (heads - 1)
    const newest = this.#heads[head] ?? -1
    let sequence = newest
    for (let steps = 0; sequence >= this.#oldest && sequence >= 0 && steps < maxChain; steps += 1) {
      const slot = sequence & (slots - 1)
      if (this.#hashes[slot] === hash) {
        const known = this.#packets[slot]
        if (known && isCopy(known, datagram, packet)) return known
      }
      sequence = this.#previous[slot] ?? -1
    }
    if (this.#next - this.#oldest >= slots) this.#forgetOldest()
    const slot = this.#next & (slots - 1)
    this.#packets[slot] = packet
    this.#hashes[slot] = hash
    this.#times[slot] = packet.atMicros
    this.#previous[slot] = newest
    this.#heads[head] = this.#next
    this.#next += 1
    if (this.#next >= 0x7fff_0000) this.clear()
    return null
  }

  forgetBefore(micros: number): void {
    while (this.#oldest < this.#next) {
      if ((this.#times[this.#oldest & (slots - 1)] ?? 0) >= micros) return
      this.#forgetOldest()
    }
  }

  clear(): void {
    this.#packets.fill(undefined)
    this.#heads.fill(-1)
    this.#next = 0
    this.#oldest = 0
  }

  #forgetOldest(): void {
    const slot = this.#oldest & (slots - 1)
    this.#packets[slot] = undefined
    this.#oldest += 1
  }
}

function hashOf(datagram: DecodedDatagram): number {
  const { payload } = datagram
  let hash = Math.imul(datagram.srcPort * 65_536 + datagram.dstPort, 0x9e3779b1) ^ payload.length
  hash = Math.imul(hash ^ datagram.ipId, 0x85ebca6b)
  for (let at = 0; at < payload.length; at += sampleStride) {
    hash = Math.imul(hash ^ u32be(payload, at), 0xc2b2ae35)
    hash ^= hash >>> 15
  }
  return hash
}

function isCopy(known: CapturedPacket, datagram: DecodedDatagram, packet: CapturedPacket): boolean {
  const before = decodeFrame(known.linkType, known.bytes)
  return (
    before.problem === null &&
    Math.abs(packet.atMicros - known.atMicros) <= copyWindowMicros &&
    before.ipId === datagram.ipId &&
    before.srcPort === datagram.srcPort &&
    before.dstPort === datagram.dstPort &&
    before.protocol === datagram.protocol &&
    before.src === datagram.src &&
    before.dst === datagram.dst &&
    before.fragment?.offset === datagram.fragment?.offset &&
    before.tcp?.sequence === datagram.tcp?.sequence &&
    before.tcp?.flags === datagram.tcp?.flags &&
    isSame(before, datagram) &&
    // Without an IP id only the place tells a copy from the same message sent again at once.
    (datagram.ipId !== 0 || isElsewhere(known, packet))
  )
}

function isSame(one: DecodedDatagram, other: DecodedDatagram): boolean {
  const a = one.payload
  const b = other.payload
  if (a.length !== b.length) return false
  // The checksum of a UDP datagram (in its first fragment: bytes 6 and 7) may be filled in between two copies.
  const isUdpStart = one.fragment?.offset === 0 && one.protocol === 17
  for (let at = 0; at < a.length; at += 1) {
    if (a[at] !== b[at] && !(isUdpStart && (at === 6 || at === 7))) return false
  }
  return true
}

/** Whether two frames were seen at different places. Linux cooked v1 cannot tell: taken as different. */
function isElsewhere(one: CapturedPacket, other: CapturedPacket): boolean {
  if (one.linkType !== other.linkType || one.interfaceName !== other.interfaceName) return true
  if (one.linkType === linkTypes.linuxSll) return true
  if (one.linkType !== linkTypes.linuxSll2) return false
  return u32be(one.bytes, 4) !== u32be(other.bytes, 4) || one.bytes[10] !== other.bytes[10]
}
