import { u16be } from '../byte-order.ts'

export const udpHeaderBytes = 8

/** End of the UDP payload whose header is at `at` (RFC 768), or -1 if the header cannot be right. */
export function udpPayloadEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at + udpHeaderBytes > end) return -1
  const told = u16be(bytes, at + 4)
  // 0: a jumbogram or a packet the network card was to cut.
  if (told === 0) return end
  if (told < udpHeaderBytes) return -1
  return at + told
}
