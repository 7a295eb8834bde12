import { parseAddress } from './address.ts'
import { putU16be, putU32be, u16be } from './byte-order.ts'
import { etherTypes } from './frames/ether-types.ts'
import { ipProtocols } from './frames/ip-packet.ts'
import { linkTypes } from './link-types.ts'

export interface FrameEnd {
  /** In text; one that cannot be read becomes 0.0.0.0. */
  readonly address: string
  readonly port: number
}

export interface FrameParts {
  /** `linkTypes.raw` (as is) or `linkTypes.ethernet` (with zero MAC addresses); raw unless told. */
  readonly linkType?: number
  readonly src: FrameEnd
  readonly dst: FrameEnd
  readonly payload: Uint8Array
  /** IPv4 identification. */
  readonly ipId?: number
}

export interface TcpFrameParts extends FrameParts {
  readonly sequence: number
  readonly acknowledgement?: number
}

const ipv4HeaderBytes = 20
const ipv6HeaderBytes = 40
const udpHeaderBytes = 8
const tcpHeaderBytes = 20
const ethernetHeaderBytes = 14
const hopLimit = 64
const dontFragment = 0x4000
const pushAndAcknowledge = 0x18

/** The most one UDP frame holds: an IP packet's length field has 16 bits. */
export const maxUdpPayloadBytes = { 4: 65_507, 6: 65_527 } as const

/**
 * A frame for a UDP message that came without one, lengths and checksums right. Throws a RangeError for a payload
 * that no UDP datagram can hold (`maxUdpPayloadBytes`): use `buildTcpFrame`s for that.
 */
export function buildUdpFrame(parts: FrameParts): Uint8Array {
  return buildFrame(parts, ipProtocols.udp, udpHeaderBytes, (frame, at) => {
    putU16be(frame, at + 4, udpHeaderBytes + parts.payload.length)
    return 6
  })
}

/** One TCP segment (PSH, ACK) for a message that came without frames; the same limits as `buildUdpFrame`, less 12. */
export function buildTcpFrame(parts: TcpFrameParts): Uint8Array {
  return buildFrame(parts, ipProtocols.tcp, tcpHeaderBytes, (frame, at) => {
    putU32be(frame, at + 4, parts.sequence)
    putU32be(frame, at + 8, parts.acknowledgement ?? 0)
    frame[at + 12] = (tcpHeaderBytes / 4) << 4
    frame[at + 13] = pushAndAcknowledge
    putU16be(frame, at + 14, 65_535)
    return 16
  })
}

/** Builds around the payload; `fill` writes the transport header and answers where in it the checksum belongs. */
function buildFrame(
  parts: FrameParts,
  protocol: number,
  transportBytes: number,
  fill: (frame: Uint8Array, at: number) => number,
): Uint8Array {
  const { src, dst, version } = addressPair(parts.src.address, parts.dst.address)
  const isEthernet = parts.linkType === linkTypes.ethernet
  if (!isEthernet && parts.linkType !== undefined && parts.linkType !== linkTypes.raw) {
    throw new Error(`frames of link type ${parts.linkType} cannot be built`)
  }
  const ipAt = isEthernet ? ethernetHeaderBytes : 0
  const transportAt = ipAt + (version === 4 ? ipv4HeaderBytes : ipv6HeaderBytes)
  const length = transportBytes + parts.payload.length
  if ((version === 4 ? ipv4HeaderBytes : 0) + length > 65_535) {
    throw new RangeError(`a payload of ${parts.payload.length} bytes does not fit into one IP packet`)
  }
  const frame = new Uint8Array(transportAt + length)
  if (isEthernet) putU16be(frame, 12, version === 4 ? etherTypes.ipv4 : etherTypes.ipv6)
  if (version === 4) putIpv4Header(frame, ipAt, { src, dst, protocol, length, ipId: parts.ipId ?? 0 })
  else putIpv6Header(frame, ipAt, { src, dst, protocol, length })
  putU16be(frame, transportAt, parts.src.port)
  putU16be(frame, transportAt + 2, parts.dst.port)
  const checksumAt = transportAt + fill(frame, transportAt)
  frame.set(parts.payload, transportAt + transportBytes)
  const sum = onesSum(frame, transportAt, frame.length, pseudoHeaderSum(src, dst, protocol, length))
  // RFC 768: a UDP checksum that comes out as zero is sent as all ones, zero means "none".
  putU16be(frame, checksumAt, ~sum & 0xffff || (protocol === ipProtocols.udp ? 0xffff : 0))
  return frame
}

function addressPair(src: string, dst: string): { src: Uint8Array; dst: Uint8Array; version: 4 | 6 } {
  const one = parseAddress(src) ?? new Uint8Array(4)
  const other = parseAddress(dst) ?? new Uint8Array(4)
  if (one.length === 4 && other.length === 4) return { src: one, dst: other, version: 4 }
  return { src: toIpv6(one), dst: toIpv6(other), version: 6 }
}

/** An IPv4 address beside an IPv6 one becomes IPv4-mapped (RFC 4291 section 2.5.5.2); an unknown one `::`. */
function toIpv6(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address
  const mapped = new Uint8Array(16)
  if (address.every((byte) => byte === 0)) return mapped
  mapped[10] = 0xff
  mapped[11] = 0xff
  mapped.set(address, 12)
  return mapped
}

interface IpHeader {
  readonly src: Uint8Array
  readonly dst: Uint8Array
  readonly protocol: number
  /** Of what follows the header. */
  readonly length: number
}

function putIpv4Header(frame: Uint8Array, at: number, header: IpHeader & { ipId: number }): void {
  frame[at] = 0x45
  putU16be(frame, at + 2, ipv4HeaderBytes + header.length)
  putU16be(frame, at + 4, header.ipId)
  putU16be(frame, at + 6, dontFragment)
  frame[at + 8] = hopLimit
  frame[at + 9] = header.protocol
  frame.set(header.src, at + 12)
  frame.set(header.dst, at + 16)
  putU16be(frame, at + 10, ~onesSum(frame, at, at + ipv4HeaderBytes, 0) & 0xffff)
}

function putIpv6Header(frame: Uint8Array, at: number, header: IpHeader): void {
  frame[at] = 0x60
  putU16be(frame, at + 4, header.length)
  frame[at + 6] = header.protocol
  frame[at + 7] = hopLimit
  frame.set(header.src, at + 8)
  frame.set(header.dst, at + 24)
}

function pseudoHeaderSum(src: Uint8Array, dst: Uint8Array, protocol: number, length: number): number {
  return onesSum(dst, 0, dst.length, onesSum(src, 0, src.length, protocol + length))
}

/** The ones' complement sum of 16-bit words (RFC 1071), an odd byte padded with zero. */
function onesSum(bytes: Uint8Array, from: number, end: number, start: number): number {
  let sum = start
  let at = from
  for (; at + 1 < end; at += 2) sum += u16be(bytes, at)
  if (at < end) sum += (bytes[at] ?? 0) << 8
  // At most 32,768 words of 16 bits: below 2^31, so folding once at the end is enough.
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}
