import { u16be } from './byte-order.ts'
import { etherTypes, versionEtherType } from './frames/ether-types.ts'
import { readGre } from './frames/gre.ts'
import { ipProtocols, type IpPacket } from './frames/ip-packet.ts'
import { readIpv4 } from './frames/ipv4.ts'
import { readIpv6 } from './frames/ipv6.ts'
import { readLinkLayer } from './frames/link-layer.ts'
import { sctpChunksStart } from './frames/sctp.ts'
import { skipShims } from './frames/shims.ts'
import { readTcpHeader, tcpPayloadStart, type TcpHeader } from './frames/tcp.ts'
import { readUdpTunnel } from './frames/udp-tunnels.ts'
import { udpHeaderBytes, udpPayloadEnd } from './frames/udp.ts'
import { readUpperPdu } from './frames/upper-pdu.ts'
import { linkTypes } from './link-types.ts'

/** Nested tunnels beyond this are not followed. */
const maxTunnels = 6

export interface DecodedDatagram {
  readonly problem: null
  readonly version: 4 | 6
  /** Addresses in text (IPv6: RFC 5952), of the innermost IP packet. */
  readonly src: string
  readonly dst: string
  /** 0 in a fragment. */
  readonly srcPort: number
  readonly dstPort: number
  /** IP protocol number: 17 UDP, 6 TCP, 132 SCTP; in a fragment whatever is fragmented. */
  readonly protocol: number
  /** IPv4 identification, IPv6 fragment identification, else 0. */
  readonly ipId: number
  /** Set if this is one piece of a larger packet: then `payload` is the piece. Offset in bytes. */
  readonly fragment: { readonly offset: number; readonly more: boolean } | null
  readonly tcp: TcpHeader | null
  /** View of the UDP or TCP payload; of SCTP the chunks. */
  readonly payload: Uint8Array
  /** The capture holds fewer bytes than the packet had. */
  readonly isTruncated: boolean
  /** See `NetworkStart`. */
  readonly packetType: number
  /** The frame is one message that a program exported, not a packet: no stream or datagram around it. */
  readonly isUpperPdu?: true
}

/** Why a frame gave no datagram. `other`: sound, but not for us (ARP, ICMP, encrypted, unknown tunnels). */
export interface DecodeProblem {
  readonly problem: string
  readonly kind: 'malformed' | 'other'
}

/** A frame → its UDP or TCP payload, or a fragment of one. Never throws; `payload` is a view of `bytes`. */
export function decodeFrame(linkType: number, bytes: Uint8Array): DecodedDatagram | DecodeProblem {
  if (linkType === linkTypes.upperPdu) return decodeUpperPdu(bytes)
  const start = readLinkLayer(linkType, bytes)
  if (!start) return malformed(`link layer of type ${linkType} unknown or cut off`)
  return decodeNetwork(bytes, start.etherType, start.offset, bytes.length, start.packetType, 0)
}

function decodeUpperPdu(bytes: Uint8Array): DecodedDatagram | DecodeProblem {
  const pdu = readUpperPdu(bytes)
  if (!pdu) return malformed('exported PDU cut off')
  return {
    problem: null,
    ...pdu,
    ipId: 0,
    fragment: null,
    tcp: null,
    isTruncated: false,
    packetType: -1,
    isUpperPdu: true,
  }
}

/** Where the IP packet of a frame starts, or -1: for writing frames of several link types into one raw-IP file. */
export function ipPacketStart(linkType: number, bytes: Uint8Array): number {
  const start = readLinkLayer(linkType, bytes)
  const isIp = start?.etherType === etherTypes.ipv4 || start?.etherType === etherTypes.ipv6
  return start && isIp ? start.offset : -1
}

/** The whole packet that fragments made up: as `decodeFrame`, from what follows the IP header. */
export function decodeReassembled(
  first: DecodedDatagram,
  payload: Uint8Array,
): DecodedDatagram | DecodeProblem {
  const ip: IpPacket = {
    version: first.version,
    src: first.src,
    dst: first.dst,
    protocol: first.protocol,
    ipId: first.ipId,
    payloadStart: 0,
    payloadEnd: payload.length,
    isTruncated: false,
    fragmentOffset: 0,
    moreFragments: false,
  }
  return decodeTransport(payload, ip, first.packetType, 0)
}

function decodeNetwork(
  bytes: Uint8Array,
  etherType: number,
  at: number,
  limit: number,
  packetType: number,
  tunnels: number,
): DecodedDatagram | DecodeProblem {
  if (etherType !== etherTypes.ipv4 && etherType !== etherTypes.ipv6) return other('not IP')
  if (tunnels > maxTunnels) return other('more tunnels inside each other than are followed')
  // Some capture with the wrong ethertype; the version nibble is the truth.
  const actual = versionEtherType(bytes, at)
  if (actual === 0) return malformed('neither IPv4 nor IPv6')
  const view = limit < bytes.length ? bytes.subarray(0, limit) : bytes
  const ip = actual === etherTypes.ipv4 ? readIpv4(view, at) : readIpv6(view, at)
  if (typeof ip === 'string') return malformed(ip)
  if (ip.fragmentOffset > 0 || ip.moreFragments) {
    return {
      problem: null,
      version: ip.version,
      src: ip.src,
      dst: ip.dst,
      srcPort: 0,
      dstPort: 0,
      protocol: ip.protocol,
      ipId: ip.ipId,
      fragment: { offset: ip.fragmentOffset, more: ip.moreFragments },
      tcp: null,
      payload: view.subarray(ip.payloadStart, ip.payloadEnd),
      isTruncated: ip.isTruncated,
      packetType,
    }
  }
  return decodeTransport(view, ip, packetType, tunnels)
}

function decodeTransport(
  bytes: Uint8Array,
  ip: IpPacket,
  packetType: number,
  tunnels: number,
): DecodedDatagram | DecodeProblem {
  const at = ip.payloadStart
  let from: number
  let end = ip.payloadEnd
  let isTruncated = ip.isTruncated
  let tcp: TcpHeader | null = null
  switch (ip.protocol) {
    case ipProtocols.udp: {
      const told = udpPayloadEnd(bytes, at, end)
      if (told < 0) return malformed('UDP header cut off or its length too small')
      if (told > end) isTruncated = true
      else end = told
      from = at + udpHeaderBytes
      const inner = readUdpTunnel(bytes, from, end, u16be(bytes, at), u16be(bytes, at + 2))
      if (inner) return decodeNetwork(bytes, inner.etherType, inner.offset, end, packetType, tunnels + 1)
      break
    }
    case ipProtocols.sctp:
      from = sctpChunksStart(at, end)
      if (from < 0) return malformed('SCTP header cut off')
      break
    case ipProtocols.tcp:
      from = tcpPayloadStart(bytes, at, end)
      if (from < 0) return malformed('TCP header cut off or its length too small')
      tcp = readTcpHeader(bytes, at)
      break
    case ipProtocols.ipInIp:
    case ipProtocols.ipv6InIp:
      return decodeNetwork(bytes, versionEtherType(bytes, at), at, end, packetType, tunnels + 1)
    case ipProtocols.gre: {
      const inner = readGre(bytes, at)
      if (!inner) return other('GRE that does not carry IP')
      return decodeNetwork(bytes, inner.etherType, inner.offset, end, packetType, tunnels + 1)
    }
    case ipProtocols.etherIp: {
      const inner = skipShims(bytes, etherTypes.transparentBridging, at + 2, packetType)
      if (!inner) return other('EtherIP that does not carry IP')
      return decodeNetwork(bytes, inner.etherType, inner.offset, end, packetType, tunnels + 1)
    }
    case ipProtocols.mplsInIp: {
      const inner = skipShims(bytes, etherTypes.mpls, at, packetType)
      if (!inner) return other('MPLS that does not carry IP')
      return decodeNetwork(bytes, inner.etherType, inner.offset, end, packetType, tunnels + 1)
    }
    default:
      return other('neither UDP, TCP nor SCTP')
  }
  return {
    problem: null,
    version: ip.version,
    src: ip.src,
    dst: ip.dst,
    srcPort: u16be(bytes, at),
    dstPort: u16be(bytes, at + 2),
    protocol: ip.protocol,
    ipId: ip.ipId,
    fragment: null,
    tcp,
    payload: bytes.subarray(from, end),
    isTruncated,
    packetType,
  }
}

function malformed(problem: string): DecodeProblem {
  return { problem, kind: 'malformed' }
}

function other(problem: string): DecodeProblem {
  return { problem, kind: 'other' }
}
