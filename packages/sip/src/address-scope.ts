type Scope = 'private' | 'public' | 'none'

/** Addresses repeat: those told before, up to a bound. */
const known = new Map<string, Scope>()
const maxKnown = 2048

/** True for an IP address that is not reachable from elsewhere: RFC 1918, RFC 6598, link-local, loopback, and the local
 *  ones of IPv6. False for names and for everything else. */
export function isPrivateAddress(address: string): boolean {
  return scopeOf(address) === 'private'
}

/** True for an IP address that is neither private nor unspecified nor multicast. False for names. */
export function isPublicAddress(address: string): boolean {
  return scopeOf(address) === 'public'
}

function scopeOf(address: string): Scope {
  let scope = known.get(address)
  if (scope !== undefined) return scope
  scope = address.includes(':') ? scopeOfIpv6(address) : scopeOfIpv4(address)
  if (known.size >= maxKnown) known.clear()
  // A host name of any length may stand where an address is expected; only what can be one is remembered.
  if (address.length <= 45) known.set(address, scope)
  return scope
}

function scopeOfIpv4(address: string): Scope {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(address)) return 'none'
  const octets = address.split('.').map(Number)
  const [first = 0, second = 0] = octets
  if (first === 0 || first > 223 || octets.some((octet) => octet > 255)) return 'none'
  const isPrivate =
    first === 10 ||
    first === 127 ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254) ||
    (first === 100 && second >= 64 && second < 128)
  return isPrivate ? 'private' : 'public'
}

function scopeOfIpv6(address: string): Scope {
  if (!/^[0-9a-f:.]{2,45}$/i.test(address)) return 'none'
  if (/^(?:f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:|::1$)/i.test(address)) return 'private'
  return /^(?:::$|ff)/i.test(address) ? 'none' : 'public'
}
