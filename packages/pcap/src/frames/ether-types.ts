/** IEEE 802 numbers of what follows an Ethernet header or a tag. */
export const etherTypes = {
  ipv4: 0x0800,
  ipv6: 0x86dd,
  vlan: 0x8100,
  qinq: 0x88a8,
  oldQinq: 0x9100,
  ppp: 0x880b,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  pppoeSession: 0x8864,
  transparentBridging: 0x6558,
  /** IEEE 802.1ah, a provider's tag with a whole Ethernet header behind it. */
  backboneTag: 0x88e7,
  ciscoMetaData: 0x8909,
  virtualNicTag: 0x8926,
  extensionTag: 0x893f,
  redundancyTag: 0x892f,
} as const

/** IP by the version in its first half byte, else 0. */
export function versionEtherType(bytes: Uint8Array, at: number): number {
  const version = (bytes[at] ?? 0) >>> 4
  return version === 4 ? etherTypes.ipv4 : version === 6 ? etherTypes.ipv6 : 0
}

/** AF_INET is 2 everywhere; AF_INET6 is 10, 24, 28 or 30. Else 0. */
export function familyEtherType(family: number): number {
  if (family === 2) return etherTypes.ipv4
  return family === 10 || family === 24 || family === 28 || family === 30 ? etherTypes.ipv6 : 0
}
