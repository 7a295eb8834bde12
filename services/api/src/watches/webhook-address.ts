import { lookup as resolve, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** The webhook's host may not be asked; the message is for the person who made the watch. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

/**
 * Hosts that only this machine can ask and that answer with its secrets: link-local addresses (RFC 3927, RFC 4291 2.5.6), where
 * clouds have their metadata, and the metadata addresses outside of them; and what is no single host. Loopback and private
 * networks are allowed: a receiver beside the PBX is the usual one.
 */
const refused = new BlockList()
refused.addSubnet('0.0.0.0', 8)
refused.addSubnet('169.254.0.0', 16)
refused.addAddress('100.100.100.200')
refused.addSubnet('224.0.0.0', 4)
refused.addAddress('255.255.255.255')
refused.addAddress('::', 'ipv6')
refused.addSubnet('fe80::', 10, 'ipv6')
refused.addAddress('fd00:ec2::254', 'ipv6')
refused.addAddress('fd20:ce::254', 'ipv6')
refused.addSubnet('ff00::', 8, 'ipv6')
// The same through NAT64 (RFC 6052), 6to4 (RFC 3056) and as IPv4-compatible addresses.
refused.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')
refused.addSubnet('64:ff9b::6464:64c8', 128, 'ipv6')
refused.addSubnet('2002:a9fe::', 32, 'ipv6')
refused.addSubnet('::a9fe:0', 112, 'ipv6')

/** An IP address, as text without brackets. IPv4 in IPv6 (`::ffff:169.254.0.1`) counts as IPv4. */
export function isRefusedAddress(address: string): boolean {
  const family = isIP(address)
  return family === 0 || refused.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** @throws AddressRefused when the host is an IP address that may not be asked; names are looked at when resolved. */
export function checkHost(url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && isRefusedAddress(host)) throw new AddressRefused(refusal(host))
}

/** For `http.request`: the addresses that were looked at are those that are connected to. */
export const lookupAllowed: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, found) => {
    const addresses: LookupAddress[] = found ?? []
    const bad = addresses.find(({ address }) => isRefusedAddress(address))
    const [first] = addresses
    if (error) callback(error, [])
    else if (bad) callback(new AddressRefused(refusal(bad.address)), [])
    else if (!first) callback(new Error(`${hostname} has no address`), [])
    else if (options.all) callback(null, addresses)
    else callback(null, first.address, first.family)
  })
}

const refusal = (address: string): string =>
  `${address} is link-local, a metadata service or no single host, and is not asked`
