/** An IP packet's header, read. Offsets count from the start of the frame. */
export interface IpPacket {
  readonly version: 4 | 6
  readonly src: string
  readonly dst: string
  /** What the payload is, after IPv6 extension headers. */
  readonly protocol: number
  /** IPv4 identification, IPv6 fragment identification, else 0. */
  readonly ipId: number
  readonly payloadStart: number
  /** End of the payload by the header's length, or of the frame if that is shorter. */
  readonly payloadEnd: number
  /** The header tells more bytes than the frame has. */
  readonly isTruncated: boolean
  /** In bytes; 0 and no `moreFragments` is a whole packet. */
  readonly fragmentOffset: number
  readonly moreFragments: boolean
}

export const ipProtocols = {
  hopByHop: 0,
  ipInIp: 4,
  tcp: 6,
  udp: 17,
  ipv6InIp: 41,
  routing: 43,
  fragment: 44,
  gre: 47,
  esp: 50,
  authentication: 51,
  none: 59,
  destinationOptions: 60,
  etherIp: 97,
  sctp: 132,
  mobility: 135,
  mplsInIp: 137,
  hip: 139,
  shim6: 140,
} as const
