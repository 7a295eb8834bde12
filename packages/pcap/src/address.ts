import { u16be, u32be } from './byte-order.ts'

const maxCached = 8192
/** One address a place, found by its bits: a map would have to hash a number too large for a small integer. */
const ipv4Keys = new Uint32Array(maxCached)
const ipv4Texts: string[] = Array.from({ length: maxCached }, () => '0.0.0.0')
const ipv6Cache = new Map<string, string>()

/** The IPv4 address at `at` in text. The same few hosts come again and again, so texts are kept (bounded). */
export function ipv4Text(bytes: Uint8Array, at: number): string {
  const key = u32be(bytes, at)
  const place = (key ^ (key >>> 13)) & (maxCached - 1)
  if (ipv4Keys[place] !== key) {
    ipv4Keys[place] = key
    ipv4Texts[place] = [key >>> 24, (key >>> 16) & 255, (key >>> 8) & 255, key & 255].join('.')
  }
  return ipv4Texts[place] ?? ''
}

/** The IPv6 address at `at` in text, RFC 5952. */
export function ipv6Text(bytes: Uint8Array, at: number): string {
  const key = String.fromCharCode(
    u16be(bytes, at),
    u16be(bytes, at + 2),
    u16be(bytes, at + 4),
    u16be(bytes, at + 6),
    u16be(bytes, at + 8),
    u16be(bytes, at + 10),
    u16be(bytes, at + 12),
    u16be(bytes, at + 14),
  )
  const known = ipv6Cache.get(key)
  if (known !== undefined) return known
  const text = formatIpv6(bytes, at)
  if (ipv6Cache.size >= maxCached) ipv6Cache.clear()
  ipv6Cache.set(key, text)
  return text
}

function formatIpv6(bytes: Uint8Array, at: number): string {
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push(u16be(bytes, at + i))
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped) return `::ffff:${ipv4Text(bytes, at + 12)}`
  // RFC 5952 section 4.2: the longest run of at least two zero groups, the first of equals.
  let bestStart = -1
  let bestLength = 1
  for (let start = 0; start < 8; start += 1) {
    let length = 0
    while (start + length < 8 && groups[start + length] === 0) length += 1
    if (length > bestLength) {
      bestStart = start
      bestLength = length
    }
  }
  const hex = groups.map((group) => group.toString(16))
  if (bestStart < 0) return hex.join(':')
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`
}

/** Text → the 4 or 16 bytes of the address, or null. Takes brackets and drops a zone (`fe80::1%eth0`). */
export function parseAddress(text: string): Uint8Array | null {
  const bare = text.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '')
  return bare.includes(':') ? parseIpv6(bare) : parseIpv4(bare)
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.')
  if (parts.length !== 4) return null
  const bytes = new Uint8Array(4)
  for (const [index, part] of parts.entries()) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return null
    bytes[index] = Number(part)
  }
  return bytes
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const head = parseGroups(halves[0] ?? '')
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '') : []
  if (!head || !tail) return null
  const missing = 16 - head.length - tail.length
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null
  return Uint8Array.from([...head, ...Array.from({ length: missing }, () => 0), ...tail])
}

function parseGroups(text: string): number[] | null {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (index === groups.length - 1 && group.includes('.')) {
      const ipv4 = parseIpv4(group)
      if (!ipv4) return null
      bytes.push(...ipv4)
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return null
      const value = Number.parseInt(group, 16)
      bytes.push(value >>> 8, value & 255)
    }
  }
  return bytes
}
