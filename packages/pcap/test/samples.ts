import type { CapturedPacket } from '../src/captured-packet.ts'
import { putU16be, putU32be, u16be } from '../src/byte-order.ts'
import { linkTypes } from '../src/link-types.ts'

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const bytesOfHex = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** 2025-10-03T08:15:42.123456Z: a capture of the past, so that today's date is a visible mistake. */
export const october2025 = 1_759_479_342_123_456

export function sipRequest(method: string, callId: string, body = ''): Uint8Array {
  return bytesOf(
    `${method} sip:100@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK${callId}\r\n` +
      `From: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:100@192.0.2.10>\r\nCall-ID: ${callId}\r\nCSeq: 1 ${method}\r\n` +
      `Max-Forwards: 70\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
}

export function sipResponse(status: string, callId: string): Uint8Array {
  return bytesOf(
    `SIP/2.0 ${status}\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK${callId}\r\n` +
      `From: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:100@192.0.2.10>;tag=2\r\nCall-ID: ${callId}\r\n` +
      `CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`,
  )
}

export function packetOf(bytes: Uint8Array, parts: Partial<CapturedPacket> = {}): CapturedPacket {
  return {
    linkType: linkTypes.raw,
    atMicros: october2025,
    nanos: 0,
    bytes,
    originalLength: bytes.length,
    interfaceName: '',
    ...parts,
  }
}

/** Puts a link layer of the given type around an IP packet. */
export function wrap(linkType: number, ip: Uint8Array): Uint8Array {
  const isIpv6 = (ip[0] ?? 0) >>> 4 === 6
  const etherType = isIpv6 ? 0x86dd : 0x0800
  const header = linkHeader(linkType, etherType, isIpv6, ip.length)
  return join(header, ip)
}

function linkHeader(linkType: number, etherType: number, isIpv6: boolean, length: number): Uint8Array {
  const typeBytes = Uint8Array.of(etherType >>> 8, etherType)
  const llc = join(bytesOfHex('aaaa03 000000'), typeBytes)
  const dataFrame = join(bytesOfHex('0802 0000'), new Uint8Array(20))
  switch (linkType) {
    case linkTypes.ethernet: {
      const header = new Uint8Array(14)
      putU16be(header, 12, etherType)
      return header
    }
    case linkTypes.linuxSll: {
      const header = new Uint8Array(16)
      putU16be(header, 2, 1)
      putU16be(header, 14, etherType)
      return header
    }
    case linkTypes.linuxSll2: {
      const header = new Uint8Array(20)
      putU16be(header, 0, etherType)
      putU32be(header, 4, 2)
      putU16be(header, 8, 1)
      return header
    }
    case linkTypes.null:
      return Uint8Array.of(isIpv6 ? 30 : 2, 0, 0, 0)
    case linkTypes.loop:
      return Uint8Array.of(0, 0, 0, isIpv6 ? 24 : 2)
    case linkTypes.ppp:
    case linkTypes.pppHdlc:
      return Uint8Array.of(0xff, 0x03, 0, isIpv6 ? 0x57 : 0x21)
    case linkTypes.pppWithDirection:
      return Uint8Array.of(1, 0xff, 0x03, 0, isIpv6 ? 0x57 : 0x21)
    case linkTypes.pppoe:
      return Uint8Array.of(0x11, 0, 0, 1, (length + 2) >>> 8, length + 2, 0, isIpv6 ? 0x57 : 0x21)
    case linkTypes.ciscoHdlc:
      return Uint8Array.of(0x0f, 0, etherType >>> 8, etherType)
    case linkTypes.frameRelay:
      return Uint8Array.of(0x18, 0x41, 0x03, isIpv6 ? 0x8e : 0xcc)
    case linkTypes.mpls:
      return Uint8Array.of(0, 1, 0x00, 64, 0, 2, 0x01, 64)
    case linkTypes.tokenRing:
      return join(bytesOfHex('1040 000000000001 800000000002 0690 0010 0020'), llc)
    case linkTypes.fddi:
      return join(bytesOfHex('50 000000000001 000000000002'), llc)
    case linkTypes.oldAtm:
    case linkTypes.atm:
      return isIpv6 ? llc : bytesOfHex('fefe03 cc')
    case linkTypes.sunAtm:
      return join(bytesOfHex('02 05 0064'), llc)
    case linkTypes.ieee80211:
      return join(dataFrame, llc)
    case linkTypes.radiotap:
      // Stamp and flags: padded to four bytes behind a header of 26.
      return join(
        bytesOfHex('0000 1100 03000000 0000000000000000 20'),
        isIpv6 ? dataFrame : join(bytesOfHex('88'), dataFrame.subarray(1), bytesOfHex('0000 0000')),
        llc,
      )
    case linkTypes.prism:
      return join(bytesOfHex('44000000 90000000'), new Uint8Array(136), dataFrame, llc)
    case linkTypes.avs:
      return join(bytesOfHex('80211001 00000040'), new Uint8Array(56), dataFrame, llc)
    case linkTypes.packetFilterLog:
      return join(Uint8Array.of(61, isIpv6 ? 24 : 2), new Uint8Array(62))
    case linkTypes.encapsulating:
      return join(Uint8Array.of(isIpv6 ? 24 : 2, 0, 0, 0), new Uint8Array(8))
    case linkTypes.fireWireIp:
      return join(new Uint8Array(16), typeBytes)
    case linkTypes.infiniBandIp:
      return join(new Uint8Array(40), typeBytes, new Uint8Array(2))
    case linkTypes.perPacket:
      return join(bytesOfHex('00000800 69000000'), dataFrame, llc)
    case linkTypes.packetTap:
    case linkTypes.packetTapUser:
      return join(bytesOfHex('6c000000 01000000 01000000'), new Uint8Array(96), new Uint8Array(12), typeBytes)
    case linkTypes.endace:
      return join(
        bytesOfHex('0000000000000000 82 04'),
        Uint8Array.of((length + 40) >>> 8, length + 40, 0, 0, (length + 14) >>> 8, length + 14),
        bytesOfHex('0300000000000000 0000'),
        new Uint8Array(12),
        typeBytes,
      )
    case linkTypes.nflog:
      return Uint8Array.of(isIpv6 ? 10 : 2, 0, 0, 1, (length + 4) & 255, (length + 4) >>> 8, 9, 0)
    default:
      return new Uint8Array(0)
  }
}

/** An Ethernet frame with tags, outermost first. */
export function tagged(
  ip: Uint8Array,
  ...tags: readonly (readonly [tpid: number, vlan: number])[]
): Uint8Array {
  const header = new Uint8Array(14 + 4 * tags.length)
  let at = 12
  for (const [tpid, vlan] of tags) {
    putU16be(header, at, tpid)
    putU16be(header, at + 2, vlan)
    at += 4
  }
  putU16be(header, at, (ip[0] ?? 0) >>> 4 === 6 ? 0x86dd : 0x0800)
  return join(header, ip)
}

/** Cuts an IPv4 packet (RFC 791) into pieces of `size` payload bytes, a multiple of 8. */
export function fragmentIpv4(ip: Uint8Array, size: number, id = 77): Uint8Array[] {
  const payload = ip.subarray(20)
  return cut(payload, size).map(({ piece, offset, more }) => {
    const header = ip.slice(0, 20)
    putU16be(header, 2, 20 + piece.length)
    putU16be(header, 4, id)
    putU16be(header, 6, (offset >>> 3) | (more ? 0x2000 : 0))
    putU16be(header, 10, 0)
    putU16be(header, 10, checksum(header))
    return join(header, piece)
  })
}

/** Cuts an IPv6 packet (RFC 8200 section 4.5). */
export function fragmentIpv6(ip: Uint8Array, size: number, id = 0xabcdef01): Uint8Array[] {
  const payload = ip.subarray(40)
  return cut(payload, size).map(({ piece, offset, more }) => {
    const header = join(ip.slice(0, 40), new Uint8Array(8))
    putU16be(header, 4, 8 + piece.length)
    header[40] = header[6] ?? 0
    header[6] = 44
    putU16be(header, 42, offset | (more ? 1 : 0))
    putU32be(header, 44, id)
    return join(header, piece)
  })
}

function cut(payload: Uint8Array, size: number): { piece: Uint8Array; offset: number; more: boolean }[] {
  const pieces = []
  for (let offset = 0; offset < payload.length; offset += size) {
    const piece = payload.subarray(offset, offset + size)
    pieces.push({ piece, offset, more: offset + size < payload.length })
  }
  return pieces
}

function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += u16be(bytes, at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** A repeatable sequence of numbers from 0 up to `below`. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * below)
  }
}
