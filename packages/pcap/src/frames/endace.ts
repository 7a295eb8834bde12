import { u16be } from '../byte-order.ts'
import { linkTypes } from '../link-types.ts'

const headerBytes = 16
const moreHeaders = 0x80
const maxExtensions = 8
/** Ethernet under several names; two bytes of offset and padding stand before it. */
const ethernetTypes: ReadonlySet<number> = new Set([2, 11, 16, 20])
const hdlcTypes: ReadonlySet<number> = new Set([1, 10, 15, 17])
const rawIpTypes: ReadonlySet<number> = new Set([22, 23])

/** The frame inside an Endace record (ERF), or null if that is none we know. */
export function readEndace(bytes: Uint8Array): { linkType: number; offset: number } | null {
  const type = bytes[8] ?? 0
  let offset = headerBytes
  let more = (type & moreHeaders) !== 0
  for (let count = 0; more && count < maxExtensions; count += 1) {
    more = ((bytes[offset] ?? 0) & moreHeaders) !== 0
    offset += 8
  }
  const kind = type & 0x7f
  if (ethernetTypes.has(kind)) return { linkType: linkTypes.ethernet, offset: offset + 2 }
  if (rawIpTypes.has(kind)) return { linkType: linkTypes.raw, offset }
  if (!hdlcTypes.has(kind)) return null
  // PPP or Cisco's HDLC: the address byte tells.
  const isPpp = u16be(bytes, offset) === 0xff03
  return { linkType: isPpp ? linkTypes.ppp : linkTypes.ciscoHdlc, offset }
}
