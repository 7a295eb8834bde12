import { ipv4Text, ipv6Text } from '../address.ts'
import { u16be, u32be } from '../byte-order.ts'
import { ipProtocols } from './ip-packet.ts'

const tags = {
  end: 0,
  ipv4Src: 20,
  ipv4Dst: 21,
  ipv6Src: 22,
  ipv6Dst: 23,
  portType: 24,
  srcPort: 25,
  dstPort: 26,
}
const portTypeSctp = 1
const portTypeTcp = 2
const maxTags = 64

/** What Wireshark's "Export PDUs" writes, for example decrypted TLS: LINKTYPE_WIRESHARK_UPPER_PDU. */
export interface UpperPdu {
  readonly version: 4 | 6
  readonly src: string
  readonly dst: string
  readonly srcPort: number
  readonly dstPort: number
  /** IP protocol that carried it. */
  readonly protocol: number
  readonly payload: Uint8Array
}

/** Tags of type, length and value (big-endian), then one message of the upper protocol; null if cut off. */
export function readUpperPdu(bytes: Uint8Array): UpperPdu | null {
  let src = '0.0.0.0'
  let dst = '0.0.0.0'
  let version: 4 | 6 = 4
  let srcPort = 0
  let dstPort = 0
  let protocol: number = ipProtocols.udp
  let at = 0
  for (let count = 0; count < maxTags && at + 4 <= bytes.length; count += 1) {
    const tag = u16be(bytes, at)
    const length = u16be(bytes, at + 2)
    const value = at + 4
    at = value + length
    if (at > bytes.length) return null
    switch (tag) {
      case tags.end:
        return { version, src, dst, srcPort, dstPort, protocol, payload: bytes.subarray(at) }
      case tags.ipv4Src:
        if (length >= 4) src = ipv4Text(bytes, value)
        break
      case tags.ipv4Dst:
        if (length >= 4) dst = ipv4Text(bytes, value)
        break
      case tags.ipv6Src:
        version = 6
        if (length >= 16) src = ipv6Text(bytes, value)
        break
      case tags.ipv6Dst:
        version = 6
        if (length >= 16) dst = ipv6Text(bytes, value)
        break
      case tags.portType: {
        const type = u32be(bytes, value)
        if (type === portTypeTcp) protocol = ipProtocols.tcp
        if (type === portTypeSctp) protocol = ipProtocols.sctp
        break
      }
      case tags.srcPort:
        srcPort = u32be(bytes, value) & 0xffff
        break
      case tags.dstPort:
        dstPort = u32be(bytes, value) & 0xffff
        break
      default:
        break
    }
  }
  return null
}
