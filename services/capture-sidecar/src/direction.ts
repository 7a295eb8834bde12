import { networkInterfaces } from 'node:os'
import type { Direction, HostPort } from '@sip-capture/contract/bus/sip-record.ts'

/** The PBX's signalling addresses as Asterisk told them; port 0 means any. */
export interface OwnAddresses {
  readonly exact: ReadonlySet<string>
  readonly addresses: ReadonlySet<string>
}

const unspecified: ReadonlySet<string> = new Set(['0.0.0.0', '::', ''])

/** The addresses of this machine's interfaces, as text without zone. */
export function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((entry) => entry.address))
}

/**
 * What decides that an address is the PBX: Asterisk's own transports if they are known (one bound to all addresses stands
 * for each local one), else every address of this machine.
 */
export function toOwnAddresses(told: readonly HostPort[], local: readonly string[]): OwnAddresses {
  const exact = new Set<string>()
  const addresses = new Set<string>()
  for (const { address, port } of told) {
    for (const one of unspecified.has(address) ? local : [address]) {
      addresses.add(one)
      if (port !== 0) exact.add(`${one} ${port}`)
    }
  }
  return told.length === 0 ? { exact, addresses: new Set(local) } : { exact, addresses }
}

/**
 * Seen from the PBX. Never by port alone: with both sides on 5060 each message would point the same way. Ports only tell
 * two programs of one machine apart (loopback): first the PBX's own transport ports, then TSHARK_PORT.
 */
export function directionOf(
  src: HostPort,
  dst: HostPort,
  own: OwnAddresses,
  isSipPort: (port: number) => boolean,
): Direction {
  const fromAddress = own.addresses.has(src.address)
  const toAddress = own.addresses.has(dst.address)
  if (fromAddress !== toAddress) return toAddress ? 'in' : 'out'
  if (!fromAddress) return 'unknown'
  const fromExact = own.exact.has(`${src.address} ${src.port}`)
  const toExact = own.exact.has(`${dst.address} ${dst.port}`)
  if (fromExact !== toExact) return toExact ? 'in' : 'out'
  if (fromExact) return 'unknown'
  const fromPort = isSipPort(src.port)
  const toPort = isSipPort(dst.port)
  if (fromPort !== toPort) return toPort ? 'in' : 'out'
  return 'unknown'
}
