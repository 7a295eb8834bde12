import { LaneUsers } from './lane-users.ts'
import type { SipMessage } from './message.ts'
import { hostKey, isKnownAddress, type Host } from './observed-message.ts'
import { findPbx } from './pbx-side.ts'
import { toPrintable } from './printable.ts'
import type { Sighting } from './sightings.ts'

export interface LaneHost {
  /** `''` for a PBX that only the history tap has seen. */
  readonly address: string
  /** Every port seen, ascending. */
  readonly ports: readonly number[]
}

export interface Lane {
  /** Stable within one call: the address; with the port or the user where several hosts share the address. */
  readonly key: string
  /** Never empty; more than one for a PBX with several addresses. */
  readonly hosts: readonly LaneHost[]
  /** Endpoint or trunk (several are joined by ` / `), else the user where users share an address. `''` when not known.
   *  Plain text. */
  readonly name: string
  readonly isPbx: boolean
}

export interface Lanes {
  readonly list: readonly Lane[]
  place(sighting: Sighting): { fromLane: number; toLane: number }
}

interface Draft {
  /** Ports by address, in the order seen. */
  readonly hosts: Map<string, Set<number>>
  readonly names: Set<string>
  user: string
}

const maxNames = 3
const maxHosts = 8

/** Key of the PBX while its address is not known. */
const pbxKey = 'pbx'

/** Messages in the order they are drawn → their lanes. One lane a host, and the PBX is one whatever its addresses;
 *  users behind one address have a lane each; where messages go from an address to itself (loopback), one lane a port;
 *  where even the port is the same (Asterisk calling itself), one lane a side. */
export function createLanes(sightings: readonly Sighting[]): Lanes {
  const { keysOf: findKeys, pbx } = createKeys(sightings)
  const known = new Map(sightings.map((sighting) => [sighting, findKeys(sighting)]))
  const keysOf = (sighting: Sighting) => known.get(sighting) ?? findKeys(sighting)
  const drafts = new Map<string, Draft>()
  const note = ({ key, user }: LaneKey, host: Host): void => {
    let draft = drafts.get(key)
    if (draft === undefined) {
      draft = { hosts: new Map(), names: new Set(), user }
      drafts.set(key, draft)
    }
    if (isKnownAddress(host)) {
      let ports = draft.hosts.get(host.address)
      // A tap behind NAT names another address for the same host; only the PBX really has several.
      const isFurther = ports === undefined && draft.hosts.size > 0
      if (ports === undefined && (!isFurther || (key === pbx && draft.hosts.size < maxHosts))) {
        ports = new Set()
        draft.hosts.set(host.address, ports)
      }
      if (host.port > 0) ports?.add(host.port)
    }
    if (host.name !== undefined && host.name !== '' && draft.names.size < maxNames) draft.names.add(host.name)
  }
  for (const sighting of inLaneOrder(sightings)) {
    const { from, to } = keysOf(sighting)
    // A response opens its lanes the other way round: the one who asked stands first.
    const isRequest = sighting.message.message.kind === 'request'
    if (isRequest) for (const { src } of sighting.all) note(from, src)
    for (const { dst } of sighting.all) note(to, dst)
    if (!isRequest) for (const { src } of sighting.all) note(from, src)
  }
  const keys = inCallOrder([...drafts.keys()], pbx)
  const indexByKey = new Map(keys.map((key, index) => [key, index]))
  return {
    list: keys.flatMap((key) => {
      const draft = drafts.get(key)
      return draft === undefined ? [] : [toLane(key, draft, key === pbx)]
    }),
    place: (sighting) => {
      const { from, to } = keysOf(sighting)
      return { fromLane: indexByKey.get(from.key) ?? 0, toLane: indexByKey.get(to.key) ?? 0 }
    },
  }
}

function toLane(key: string, draft: Draft, isPbx: boolean): Lane {
  const hosts = [...draft.hosts].map(([address, ports]) => ({
    address,
    ports: [...ports].sort((a, b) => a - b),
  }))
  return {
    key,
    hosts: hosts.length === 0 ? [{ address: '', ports: [] }] : hosts,
    name: laneName(key, draft),
    isPbx: isPbx || key === pbxKey,
  }
}

interface LaneKey {
  readonly key: string
  /** Where users share an address: who this is. */
  readonly user: string
}

/** Which lane each side of a message belongs to, by keys. */
function createKeys(sightings: readonly Sighting[]): {
  keysOf: (sighting: Sighting) => { from: LaneKey; to: LaneKey }
  pbx: string | undefined
} {
  const shared = new Set<string>()
  for (const { message } of sightings)
    if (isKnownAddress(message.src) && message.src.address === message.dst.address)
      shared.add(message.src.address)
  const side = findPbx(sightings)
  const pbx =
    side === undefined ? undefined : shared.has(side.main.address) ? hostKey(side.main) : side.main.address
  const callerTags = findCallerTags(sightings)

  const baseOf = (host: Host, isOwn: boolean): string => {
    if (!isKnownAddress(host)) return pbx ?? pbxKey
    if (side !== undefined && pbx !== undefined && side.addresses.has(host.address)) {
      // The PBX stays one lane, whichever of its ports (TCP to a trunk has a new one each time) a message left from.
      const isPbx = isOwn || !shared.has(host.address) || side.hosts.has(hostKey(host))
      if (isPbx) return pbx
    }
    return shared.has(host.address) ? hostKey(host) : host.address
  }
  const basesOf = ({ message: { src, dst, direction } }: Sighting): [string, string] => [
    baseOf(src, direction === 'out'),
    baseOf(dst, direction === 'in'),
  ]

  // Without a PBX it would be the one that is cut in pieces: it is another user on each of its legs.
  const users = pbx === undefined ? undefined : findUsers(sightings, basesOf, pbx)
  const laneKey = (base: string, callId: string): LaneKey =>
    users?.get(base)?.get(callId) ?? { key: base, user: '' }

  return {
    pbx,
    keysOf: (sighting) => {
      const { message } = sighting.message
      const [from, to] = basesOf(sighting)
      if (from !== to) return { from: laneKey(from, message.callId), to: laneKey(to, message.callId) }
      const isFromCaller =
        (message.kind === 'request') ===
        (message.fromTag === (callerTags.get(message.callId) ?? message.fromTag))
      const caller = { key: `${from}#caller`, user: '' }
      const callee = { key: `${from}#callee`, user: '' }
      return isFromCaller ? { from: caller, to: callee } : { from: callee, to: caller }
    },
  }
}

/** The first messages of a leg say who its sides are; of more only a bounded number is asked. */
const askedPerLeg = 16

/** Of addresses that several users share: who it is, by address and leg. */
function findUsers(
  sightings: readonly Sighting[],
  basesOf: (sighting: Sighting) => [string, string],
  pbx: string,
): Map<string, Map<string, LaneKey>> {
  const users = new LaneUsers()
  const asked = new Map<string, Map<string, number>>()
  const ask = (base: string, host: Host, message: SipMessage, isSender: boolean): void => {
    let legs = asked.get(base)
    if (legs === undefined) asked.set(base, (legs = new Map()))
    const count = legs.get(message.callId) ?? 0
    if (count >= askedPerLeg) return
    legs.set(message.callId, count + 1)
    users.note(base, message.callId, host, message, isSender)
  }
  for (const sighting of sightings) {
    const { src, dst, message } = sighting.message
    const [from, to] = basesOf(sighting)
    if (from !== pbx) ask(from, src, message, true)
    if (to !== pbx) ask(to, dst, message, false)
  }
  const found = new Map<string, Map<string, LaneKey>>()
  for (const [base, legs] of asked) {
    const keys = new Map([...legs.keys()].map((callId) => [callId, users.userOf(base, callId)]))
    if (new Set([...keys.values()].map(({ key }) => key)).size > 1) found.set(base, keys)
  }
  return found
}

function laneName(key: string, { names, user }: Draft): string {
  const name = [...names].map((one) => toPrintable(one, 40)).join(' / ') || toPrintable(user, 40)
  const isPbx = key === pbxKey || key.startsWith(`${pbxKey}#`)
  const side = key.endsWith('#caller') ? ' (calling)' : key.endsWith('#callee') ? ' (called)' : ''
  return `${name || (isPbx || side !== '' ? 'Asterisk' : '')}${side}`
}

/** A PBX that places the calls itself (click to dial) stands between those it calls. */
function inCallOrder(keys: readonly string[], pbx: string | undefined): readonly string[] {
  const [first, second, ...rest] = keys
  return first === pbx && first !== undefined && second !== undefined && rest.length > 0
    ? [second, first, ...rest]
    : keys
}

function isOpening({ message: { message } }: Sighting): boolean {
  return message.kind === 'request' && message.method === 'INVITE' && message.toTag === ''
}

/** Calls first, in the order they were opened, so that the lanes stand in the direction of the call. */
function inLaneOrder(sightings: readonly Sighting[]): Sighting[] {
  const openings = sightings.filter(isOpening)
  return [...openings, ...sightings]
}

/** From tag of the first request of each Call-ID: that side is the caller's. */
function findCallerTags(sightings: readonly Sighting[]): Map<string, string> {
  const tags = new Map<string, string>()
  for (const { message } of sightings) {
    const { kind, callId, fromTag } = message.message
    if (kind === 'request' && !tags.has(callId)) tags.set(callId, fromTag)
  }
  return tags
}
