import { BlockList, isIP } from 'node:net'

/** Addresses and networks as people and Asterisk write them: `192.0.2.1`, `192.0.2.0/24`, `192.0.2.0/255.255.255.0`,
 *  `2001:db8::/32`. */
export interface AddressRanges {
  /** False for what is no address or network; it is left out. */
  add(range: string): boolean
  has(address: string): boolean
  readonly isEmpty: boolean
}

export function createAddressRanges(ranges: readonly string[] = []): AddressRanges {
  const list = new BlockList()
  let isEmpty = true
  const self: AddressRanges = {
    add(range) {
      const parsed = parseRange(range)
      if (!parsed) return false
      list.addSubnet(parsed.address, parsed.bits, parsed.family)
      isEmpty = false
      return true
    },
    has(address) {
      const version = isIP(address)
      return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4')
    },
    get isEmpty() {
      return isEmpty
    },
  }
  for (const range of ranges) self.add(range)
  return self
}

function parseRange(range: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', suffix, ...rest] = range.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return undefined
  const widest = version === 6 ? 128 : 32
  const isNumber = suffix !== undefined && /^\d{1,3}$/.test(suffix)
  const bits =
    suffix === undefined
      ? widest
      : isNumber
        ? Number(suffix)
        : isIP(suffix) === 4
          ? toPrefixLength(suffix)
          : -1
  if (bits < 0 || bits > widest) return undefined
  return { address, bits, family: version === 6 ? 'ipv6' : 'ipv4' }
}

function toPrefixLength(netmask: string): number {
  return netmask
    .split('.')
    .map((octet) => Number(octet).toString(2).replaceAll('0', '').length)
    .reduce((sum, ones) => sum + ones, 0)
}
