/** LINKTYPE_ values, https://www.tcpdump.org/linktypes.html */
export const linkTypes = {
  null: 0,
  ethernet: 1,
  tokenRing: 6,
  ppp: 9,
  fddi: 10,
  oldAtm: 11,
  pppHdlc: 50,
  pppoe: 51,
  atm: 100,
  raw: 101,
  ciscoHdlc: 104,
  ieee80211: 105,
  frameRelay: 107,
  loop: 108,
  /** OpenBSD's view of IPsec. */
  encapsulating: 109,
  linuxSll: 113,
  packetFilterLog: 117,
  prism: 119,
  sunAtm: 123,
  radiotap: 127,
  fireWireIp: 138,
  /** DLT_USER2, which Apple's tcpdump wrote for PKTAP. */
  packetTapUser: 149,
  avs: 163,
  perPacket: 192,
  endace: 197,
  pppWithDirection: 204,
  mpls: 219,
  ipv4: 228,
  ipv6: 229,
  nflog: 239,
  infiniBandIp: 242,
  upperPdu: 252,
  packetTap: 258,
  linuxSll2: 276,
} as const

/** DLT_RAW as some systems write it into files. */
const rawAliases: ReadonlySet<number> = new Set([12, 14])

export function isRawIp(linkType: number): boolean {
  return (
    linkType === linkTypes.raw ||
    linkType === linkTypes.ipv4 ||
    linkType === linkTypes.ipv6 ||
    rawAliases.has(linkType)
  )
}
