import { u16be } from '../byte-order.ts'
import { etherTypes } from './ether-types.ts'
import { skipShims, type NetworkStart } from './shims.ts'

const checksumBit = 0x8000
const routingBit = 0x4000
const keyBit = 0x2000
const sequenceBit = 0x1000
const acknowledgementBit = 0x0080
/** Cisco's mirror of a port: type I has no sequence number and no header of its own, type II 8 bytes, type III 12. */
const erspan = 0x88be
const erspan3 = 0x22eb

/** The GRE header at `at` (RFC 2784, RFC 2890, PPTP's of RFC 2637): where the network layer inside is, or null. */
export function readGre(bytes: Uint8Array, at: number): Pick<NetworkStart, 'etherType' | 'offset'> | null {
  const flags = u16be(bytes, at)
  const version = flags & 7
  if (version > 1 || flags & routingBit) return null
  let offset = at + 4
  for (const bit of [checksumBit, keyBit, sequenceBit]) if (flags & bit) offset += 4
  if (version === 1 && flags & acknowledgementBit) offset += 4
  let etherType = u16be(bytes, at + 2)
  if (etherType === erspan || etherType === erspan3) {
    if (etherType === erspan3) offset += 12
    else if (flags & sequenceBit) offset += 8
    etherType = etherTypes.transparentBridging
  }
  return skipShims(bytes, etherType, offset, -1)
}
