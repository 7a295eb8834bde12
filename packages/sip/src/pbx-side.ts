import { hostKey, isKnownAddress, type Host } from './observed-message.ts'
import type { Sighting } from './sightings.ts'

/** The host in the middle of the call, which stays one lane however many addresses and ports it has. */
export interface PbxSide {
  /** The address and port seen most often. */
  readonly main: Host
  /** All addresses of it. */
  readonly addresses: ReadonlySet<string>
  /** All `address:port` that it is known to have used. */
  readonly hosts: ReadonlySet<string>
}

/** Which host is the PBX: where the sources know their side (`direction`), that side; else the host that takes part in
 *  the most legs. Undefined for a single leg without directions, where nobody is in the middle. */
export function findPbx(sightings: readonly Sighting[]): PbxSide | undefined {
  return pbxByDirection(sightings) ?? pbxByLegs(sightings)
}

function pbxByDirection(sightings: readonly Sighting[]): PbxSide | undefined {
  const addresses = new Map<string, Map<number, { host: Host; count: number }>>()
  for (const { all } of sightings) {
    for (const { direction, src, dst } of all) {
      if (direction === 'unknown') continue
      const own = direction === 'in' ? dst : src
      if (!isKnownAddress(own)) continue
      const ports = addresses.get(own.address) ?? new Map<number, { host: Host; count: number }>()
      addresses.set(own.address, ports)
      const entry = ports.get(own.port)
      if (entry) entry.count++
      else ports.set(own.port, { host: own, count: 1 })
    }
  }
  const owns = [...addresses.values()]
    .flatMap((ports) => [...ports.values()])
    .toSorted((a, b) => b.count - a.count)
  const main = owns[0]?.host
  if (main === undefined) return undefined
  const all = sideOf(
    main,
    owns.map(({ host }) => host),
  )
  // Two PBXs that talk to each other, both with a tap: then only one of them can be the middle.
  const isPair =
    all.addresses.size > 1 &&
    sightings.some(
      ({ message: { src, dst } }) =>
        src.address !== dst.address && all.addresses.has(src.address) && all.addresses.has(dst.address),
    )
  return isPair
    ? sideOf(
        main,
        owns.map(({ host }) => host).filter(({ address }) => address === main.address),
      )
    : all
}

function sideOf(main: Host, hosts: readonly Host[]): PbxSide {
  return {
    main,
    addresses: new Set(hosts.map(({ address }) => address)),
    hosts: new Set(hosts.map(hostKey)),
  }
}

interface Candidate {
  host: Host
  readonly legs: Set<string>
  readonly ports: Set<number>
  readonly hosts: Map<string, Host>
  isAsterisk: boolean
  /** Place of the first call that it was sent; it stands in the middle if it then calls others. */
  calledAt: number
}

function pbxByLegs(sightings: readonly Sighting[]): PbxSide | undefined {
  const candidates = new Map<string, Candidate>()
  const legs = new Set<string>()
  const note = (host: Host, callId: string): Candidate | undefined => {
    if (!isKnownAddress(host)) return undefined
    let one = candidates.get(host.address)
    if (one === undefined) {
      one = {
        host,
        legs: new Set(),
        ports: new Set(),
        hosts: new Map(),
        isAsterisk: false,
        calledAt: Number.POSITIVE_INFINITY,
      }
      candidates.set(host.address, one)
    }
    one.legs.add(callId)
    one.ports.add(host.port)
    one.hosts.set(hostKey(host), host)
    return one
  }
  for (const [at, { message }] of sightings.entries()) {
    const sip = message.message
    // One host that talks to itself has no middle that addresses could tell.
    if (message.src.address === message.dst.address) return undefined
    legs.add(sip.callId)
    const from = note(message.src, sip.callId)
    const to = note(message.dst, sip.callId)
    if (from && !from.isAsterisk) from.isAsterisk = /asterisk|fpbx/i.test(sip.userAgent)
    if (to && sip.kind === 'request' && sip.method === 'INVITE' && sip.toTag === '')
      to.calledAt = Math.min(to.calledAt, at)
  }
  if (legs.size < 2) return undefined
  const [best] = [...candidates.values()].toSorted(
    (a, b) =>
      b.legs.size - a.legs.size ||
      Number(b.isAsterisk) - Number(a.isAsterisk) ||
      a.ports.size - b.ports.size ||
      a.calledAt - b.calledAt,
  )
  return best && best.legs.size > 1 ? sideOf(best.host, [...best.hosts.values()]) : undefined
}
