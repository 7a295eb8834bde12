import { u16be, u32be } from '../byte-order.ts'
import { etherTypes } from './ether-types.ts'

const snap = 0xaaaa03
const llcIp = 0x060603
/** ISO network layer (RFC 2684 section 5.1): one byte tells the protocol. */
const routedIso = 0xfefe03
const nlpidIpv4 = 0xcc
const nlpidIpv6 = 0x8e
const nlpidSnap = 0x80

/** Ethernet type and start of what an IEEE 802.2 header at `at` carries; type 0 if that is nothing with an Ethernet type. */
export function readLlc(bytes: Uint8Array, at: number): { etherType: number; offset: number } {
  switch (u32be(bytes, at) >>> 8) {
    case llcIp:
      return { etherType: etherTypes.ipv4, offset: at + 3 }
    case snap:
      return { etherType: u16be(bytes, at + 6), offset: at + 8 }
    case routedIso:
      return readNlpid(bytes, at + 3)
    default:
      return { etherType: 0, offset: at }
  }
}

/** Of a network layer protocol identifier (RFC 2427) and what follows. */
export function readNlpid(bytes: Uint8Array, at: number): { etherType: number; offset: number } {
  switch (bytes[at]) {
    case nlpidIpv4:
      return { etherType: etherTypes.ipv4, offset: at + 1 }
    case nlpidIpv6:
      return { etherType: etherTypes.ipv6, offset: at + 1 }
    case nlpidSnap:
      return { etherType: u16be(bytes, at + 4), offset: at + 6 }
    default:
      return { etherType: 0, offset: at }
  }
}
