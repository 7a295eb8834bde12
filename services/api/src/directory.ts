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
  /** Looked up at each question: the file may change. */
  aliases: () => Pick<Aliases, 'nameOf'> = () => noAliases,
): Directory {
  const nodes = latest.map((directory) => ({ node: directory.node, lookup: createLookup(directory) }))
  const inOrder = (node: string) => [
    ...nodes.filter((candidate) => candidate.node === node),
    ...nodes.filter((candidate) => candidate.node !== node),
  ]
  function knownTo(side: HostPort, node: string): string | undefined {
    for (const { lookup } of inOrder(node)) {
      const name = lookup.nameOf(side)
      if (name !== undefined) return name
    }
    return undefined
  }
  return {
    isOwn: (side, node) => inOrder(node).some(({ lookup }) => lookup.isOwn(side)),
    nameOf: (side, node) => aliases().nameOf(side) ?? knownTo(side, node),
    endpointOf: (side, node) => knownTo(side, node) ?? aliases().nameOf(side),
  }
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
