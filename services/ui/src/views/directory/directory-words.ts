import type { DirectoryEntry } from '@sip-capture/contract/rest/directory.ts'

/** Asterisk's names repeat on another PBX. */
export const entryKey = ({ node, name }: Pick<DirectoryEntry, 'node' | 'name'>): string => `${node}\n${name}`

/** Everything that one may look an entry up by, in lower case. */
export function textOf({ name, node, addresses, matches, contacts, registrations }: DirectoryEntry): string {
  return [
    name,
    node,
    ...addresses.flatMap((side) => [side.address, side.name ?? '']),
    ...matches,
    ...contacts.flatMap(({ uri, userAgent }) => [uri, userAgent]),
    ...registrations.flatMap(({ serverUri, clientUri }) => [serverUri, clientUri]),
  ]
    .join('\n')
    .toLowerCase()
}

export interface Standing {
  readonly sign: string
  readonly word: string
  readonly look: 'success' | 'progress' | 'challenge' | 'failure'
}

/** Can it be reached? Its registrations with others first, then its contacts as qualified, then Asterisk's device state. */
export function standingOf({ registration, contacts, deviceState }: DirectoryEntry): Standing {
  if (registration === 'registered') return { sign: '✓', word: 'registered', look: 'success' }
  if (registration === 'partly') return { sign: '◐', word: 'partly registered', look: 'challenge' }
  if (registration === 'unregistered') return { sign: '✕', word: 'not registered', look: 'failure' }
  const states = new Set(contacts.map(({ status }) => status))
  if (states.has('Reachable')) return { sign: '✓', word: 'reachable', look: 'success' }
  if (states.has('Unreachable')) return { sign: '✕', word: 'unreachable', look: 'failure' }
  if (contacts.length > 0) return { sign: '•', word: 'not qualified', look: 'progress' }
  return deviceState === 'Unavailable'
    ? { sign: '–', word: 'no contact', look: 'progress' }
    : { sign: '•', word: deviceState.toLowerCase() || 'unknown', look: 'progress' }
}
