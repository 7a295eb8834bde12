import type { EndpointDirectory } from '@sip-capture/contract/bus/endpoint-directory.ts'
import type { Direction, HostPort } from '@sip-capture/contract/bus/sip-record.ts'
import { type AddressRanges, createAddressRanges } from '@sip-capture/service/address-ranges.ts'
import { noAliases, type Aliases } from './directory-aliases.ts'

/** Who is behind an address, from what the bridges published. */
export interface Directory {
  /** A name of the user's own (ALIASES_FILE), else an endpoint's; `Asterisk` for the PBX itself; undefined where nobody is known. */
  nameOf(side: HostPort, node: string): string | undefined
  /** The same, but the endpoint's own name goes first: what the trunk filter asks for. */
  endpointOf(side: HostPort, node: string): string | undefined
  /** Is this one of the PBX's own signalling addresses? */
  isOwn(side: HostPort, node: string): boolean
}

export const pbxName = 'Asterisk'

/** The latest directory of each node. A record is looked up in its own node's first: addresses may repeat elsewhere. */
export function createDirectory(
  latest: readonly EndpointDirectory[],
  /** Asked at each question: once the file has changed, it answers with other ones. */
  aliases: () => Pick<Aliases, 'nameOf'> = () => noAliases,
): Directory {
  const nodes = latest.map((directory) => ({ node: directory.node, lookup: createLookup(directory) }))
  let aliasesAsked = aliases()
  let known = rememberSides(lookUp)

  function lookUp(side: HostPort, node: string): KnownSide {
    const own = nodes.filter((candidate) => candidate.node === node)
    const others = nodes.filter((candidate) => candidate.node !== node)
    const lookups = [...own, ...others].map(({ lookup }) => lookup)
    return {
      isOwn: lookups.some((lookup) => lookup.isOwn(side)),
      name: lookups.map((lookup) => lookup.nameOf(side)).find((name) => name !== undefined),
      alias: aliasesAsked.nameOf(side),
    }
  }

  function ask(side: HostPort, node: string): KnownSide {
    const current = aliases()
    if (current !== aliasesAsked) {
      aliasesAsked = current
      known = rememberSides(lookUp)
    }
    return known(side, node)
  }

  return {
    isOwn: (side, node) => ask(side, node).isOwn,
    nameOf(side, node) {
      const { alias, name } = ask(side, node)
      return alias ?? name
    },
    endpointOf(side, node) {
      const { alias, name } = ask(side, node)
      return name ?? alias
    },
  }
}

interface KnownSide {
  readonly isOwn: boolean
  readonly name: string | undefined
  readonly alias: string | undefined
}

const maxRememberedSides = 4_096

/** Sides repeat from message to message, and to compare networks takes longer than all else that is worked out of one. Nested,
 *  for a key of all three would be a new text each time. */
function rememberSides(
  lookUp: (side: HostPort, node: string) => KnownSide,
): (side: HostPort, node: string) => KnownSide {
  const byNode = new Map<string, Map<string, Map<number, KnownSide>>>()
  let remembered = 0
  return (side, node) => {
    const { address, port } = side
    const known = byNode.get(node)?.get(address)?.get(port)
    if (known !== undefined) return known
    if (remembered === maxRememberedSides) {
      byNode.clear()
      remembered = 0
    }
    const found = lookUp(side, node)
    const byAddress = getOrMake(byNode, node)
    getOrMake(byAddress, address).set(port, found)
    remembered += 1
    return found
  }
}

function getOrMake<K, L, V>(maps: Map<K, Map<L, V>>, key: K): Map<L, V> {
  const there = maps.get(key)
  if (there !== undefined) return there
  const made = new Map<L, V>()
  maps.set(key, made)
  return made
}

function createLookup(directory: EndpointDirectory) {
  // A contact names an address and a port, never a whole address: others may be behind the same NAT.
  const byHostPort = new Map<string, string>()
  const own = new Set(directory.ownAddresses.map(({ address, port }) => `${address} ${port}`))
  const ranges: { list: AddressRanges; name: string }[] = []
  for (const endpoint of directory.endpoints) {
    for (const { address, port } of endpoint.addresses) {
      byHostPort.set(`${address} ${port}`, endpoint.name)
    }
    const list = createAddressRanges(endpoint.matches)
    if (!list.isEmpty) ranges.push({ list, name: endpoint.name })
  }
  const isOwn = ({ address, port }: HostPort) => own.has(`${address} ${port}`) || own.has(`${address} 0`)
  return {
    isOwn,
    nameOf(side: HostPort): string | undefined {
      const { address, port } = side
      const contact = byHostPort.get(`${address} ${port}`)
      if (contact !== undefined) return contact
      if (isOwn(side)) return pbxName
      const anyPort = byHostPort.get(`${address} 0`)
      if (anyPort !== undefined) return anyPort
      return ranges.find(({ list }) => list.has(address))?.name
    },
  }
}

/** What the record says, or, where it does not know, what the PBX's own addresses say. */
export function resolveDirection(
  record: { direction: Direction; src: HostPort; dst: HostPort; node: string },
  directory: Directory,
): Direction {
  if (record.direction !== 'unknown') return record.direction
  const fromUs = directory.isOwn(record.src, record.node)
  const toUs = directory.isOwn(record.dst, record.node)
  if (fromUs === toUs) return 'unknown'
  return fromUs ? 'out' : 'in'
}
