import { isIP } from 'node:net'
import type { Direction, HostPort } from '@sip-capture/contract/bus/sip-record.ts'

/** Which addresses are the PBX's own. Filled from its transports, and from what it says in Via. */
export interface OwnAddresses {
  replace(addresses: readonly HostPort[]): void
  readonly list: readonly HostPort[]
  /** Seen from the PBX; `unknown` when neither side, or both alike, are its own. */
  directionOf(src: HostPort, dst: HostPort): Direction
  /** The own address that a message to or from `far` used, as far as it can be known. */
  guessFor(far: HostPort, transport: string): HostPort
  /** The PBX itself wrote that it talks from `own` to `far`. */
  learn(far: HostPort, own: HostPort): void
}

const maxLearned = 10_000
const unknown: HostPort = { address: '', port: 0 }

export function createOwnAddresses(): OwnAddresses {
  let list: readonly HostPort[] = []
  const learned = new Map<string, HostPort>()

  /** 2: address and port are ours; 1: the address is (a TCP connection of ours leaves from any port). */
  function ownership(side: HostPort): number {
    let best = 0
    for (const own of list) {
      if (own.address !== side.address) continue
      if (own.port === side.port || own.port === 0) return 2
      best = 1
    }
    return best
  }

  return {
    replace(addresses) {
      list = addresses.slice(0, 256)
    },
    get list() {
      return list
    },
    directionOf(src, dst) {
      const [from, to] = [ownership(src), ownership(dst)]
      if (from === to) return 'unknown'
      return from > to ? 'out' : 'in'
    },
    guessFor(far, transport) {
      const known = learned.get(keyOf(far)) ?? learned.get(keyOf({ address: far.address, port: 0 }))
      if (known) return known
      const family = isIP(far.address)
      const fitting = list.filter((own) => isIP(own.address) === family)
      const loopback = fitting.filter((own) => isLoopback(own.address) === isLoopback(far.address))
      const secure = transport === 'TLS' || transport === 'WSS'
      return loopback.find((own) => secure === (own.port === 5061)) ?? loopback[0] ?? fitting[0] ?? unknown
    },
    learn(far, own) {
      if (learned.size >= maxLearned) learned.clear()
      learned.set(keyOf(far), own)
      learned.set(keyOf({ address: far.address, port: 0 }), own)
    },
  }
}

const keyOf = (side: HostPort) => `${side.address} ${side.port}`
const isLoopback = (address: string) => address === '::1' || address.startsWith('127.')

/** `127.0.0.1:5060`, `[::1]:5060` → its parts with the address as RFC 5952 writes it; undefined if it is no IP and port. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text.trim())
  const address = canonicalAddress(match?.[1] ?? match?.[2] ?? '')
  const port = Number(match?.[3])
  return match && address !== '' && port <= 65_535 ? { address, port } : undefined
}

/** Canonical text of an IP address: IPv6 compressed and lower case, IPv4 in IPv6 as IPv4; '' if it is none. */
export function canonicalAddress(text: string): string {
  const bare = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  if (isIP(bare) === 4) return bare
  if (isIP(bare) !== 6) return ''
  const host = new URL(`http://[${bare}]/`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host)
  if (!mapped) return host
  const [high, low] = [parseInt(mapped[1] ?? '0', 16), parseInt(mapped[2] ?? '0', 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
