import type { EndpointDirectory, EndpointEntry } from '@sip-capture/contract/bus/endpoint-directory.ts'
import type { DirectoryEntry } from '@sip-capture/contract/rest/directory.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import type { Aliases } from './directory-aliases.ts'

/** The directories of all nodes as REST shows them, by name. */
export function toDirectoryEntries(
  directories: readonly EndpointDirectory[],
  aliases: Aliases,
): DirectoryEntry[] {
  return directories
    .flatMap(({ node, atMicros, endpoints }) =>
      endpoints.map((endpoint) => toEntry(endpoint, { node, at: toRfc3339(atMicros) }, aliases)),
    )
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en') || a.node.localeCompare(b.node, 'en'))
}

function toEntry(
  endpoint: EndpointEntry,
  from: { node: string; at: string },
  aliases: Aliases,
): DirectoryEntry {
  const { name, deviceState, matches, isTrunk, registrations } = endpoint
  const trips = endpoint.contacts.flatMap(({ roundTripMicros }) => roundTripMicros ?? [])
  return {
    ...from,
    name,
    kind: isTrunk ? 'trunk' : 'endpoint',
    deviceState,
    addresses: endpoint.addresses.map((side) => {
      const alias = aliases.nameOf(side)
      return { ...side, ...(alias === undefined ? {} : { name: alias }) }
    }),
    matches,
    contacts: endpoint.contacts.map(({ expiresAtMicros, ...contact }) => ({
      ...contact,
      expiresAt: expiresAtMicros === null ? null : toRfc3339(expiresAtMicros),
    })),
    registrations,
    registration: summary(registrations.map(({ status }) => status)),
    roundTripMicros: trips.length === 0 ? null : Math.min(...trips),
  }
}

function summary(states: readonly string[]): DirectoryEntry['registration'] {
  if (states.length === 0) return null
  const registered = states.filter((state) => state === 'Registered').length
  return registered === states.length ? 'registered' : registered > 0 ? 'partly' : 'unregistered'
}
