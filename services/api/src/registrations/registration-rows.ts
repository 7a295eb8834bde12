import type { EndpointDirectory, EndpointEntry } from '@sip-capture/contract/bus/endpoint-directory.ts'
import type { RegistrationRow } from '@sip-capture/contract/rest/registration.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { parseUserHost } from '@sip-capture/sip/uri.ts'
import type { AorHistory, RegistrationHistory } from './aor-history.ts'
import type { RegistrationEvent } from './register-store.ts'
import { toAor } from './register-columns.ts'
import { byUrgency, countRecent, isExpiring, isFlapping, whyRefused } from './registration-rules.ts'

type Contact = RegistrationRow['contacts'][number]

/** What Asterisk says of one AOR now. */
interface Told {
  readonly node: string
  readonly atMicros: number
  readonly aor: string
  readonly direction: 'in' | 'out'
  readonly endpoint: string
  readonly contacts: EndpointEntry['contacts']
  readonly outboundStatus: string
}

/** Messages first; where they say nothing, what Asterisk told. Worst first. */
export function toRegistrationRows(
  history: RegistrationHistory,
  directories: readonly EndpointDirectory[],
  nowMicros: number,
): RegistrationRow[] {
  const told = toldByAsterisk(directories)
  const events = groupEvents(history.events)
  const used = new Set<Told>()
  const rows = history.aors.map((aor) => {
    const match = findTold(told, aor)
    if (match) used.add(match)
    return toRow(aor, match, eventsOf(events, aor), nowMicros)
  })
  for (const one of told) {
    if (used.has(one) || (one.contacts.length === 0 && one.outboundStatus === '')) continue
    // A contact of the configuration is bound for ever; nobody registers there.
    if (one.direction === 'in' && one.contacts.every(({ expiresAtMicros }) => expiresAtMicros === null))
      continue
    const bare = { aor: one.aor, node: one.node }
    rows.push(toRow(bare, one, eventsOf(events, bare), nowMicros))
  }
  return rows.toSorted(byUrgency)
}

/** Names under which Asterisk may tell of an AOR: the AOR's own name, an endpoint's, the URI of a registration of its own. */
export function subjectsOf(aor: string, directories: readonly EndpointDirectory[]): string[] {
  const subjects = new Set([userOf(aor), aor, `sip:${aor}`])
  for (const { endpoints } of directories)
    for (const { name, registrations, contacts } of endpoints) {
      if (contacts.some((contact) => contact.aor === userOf(aor))) subjects.add(name)
      for (const { clientUri } of registrations) if (aorOfUri(clientUri) === aor) subjects.add(clientUri)
    }
  return [...subjects]
}

type Known = Pick<AorHistory, 'aor' | 'node'> & Partial<AorHistory>

export function toRow(
  known: Known,
  told: Told | undefined,
  events: readonly RegistrationEvent[],
  nowMicros: number,
): RegistrationRow {
  const contacts = mergeContacts(known, told, nowMicros)
  // What Asterisk lists after the last message counts: history may have begun in the middle, or not seen a renewal.
  const isListed =
    told?.direction === 'in' &&
    told.atMicros > (known.lastAtMicros ?? 0) &&
    told.contacts.some(({ expiresAtMicros }) => (expiresAtMicros ?? 0) > nowMicros)
  const state = isListed ? 'registered' : (known.state ?? stateTold(told))
  const ends = contacts.flatMap(({ expiresAt }) => expiresAt ?? [])
  const longest = (known.bindings ?? []).toSorted(
    (a, b) => (b.expiresAtMicros ?? 0) - (a.expiresAtMicros ?? 0),
  )[0]
  const recentChanges = countChanges(known, events, nowMicros)
  return {
    aor: known.aor,
    node: known.node,
    endpoint: told?.endpoint ?? null,
    direction:
      known.direction === undefined || known.direction === 'unknown'
        ? (told?.direction ?? 'unknown')
        : known.direction,
    state,
    contacts,
    expiresAt: ends.toSorted().at(-1) ?? null,
    isExpiring: state === 'registered' && isExpiring(longest, nowMicros),
    isFlapping: isFlapping(recentChanges),
    recentChanges,
    refusal: toRefusal(known, events),
    lastAt: known.lastAtMicros === undefined ? lastTold(events) : toRfc3339(known.lastAtMicros),
    outboundStatus: told?.outboundStatus ?? '',
  }
}

function stateTold(told: Told | undefined): RegistrationRow['state'] {
  if (told?.direction !== 'out') return 'unregistered'
  if (told.outboundStatus === 'Registered') return 'registered'
  return told.outboundStatus === 'Rejected' ? 'refused' : 'unregistered'
}

/** The directory is a minute old at times: what it lists beside the bindings counts while it lasts, and when no message is newer. */
function mergeContacts(known: Known, told: Told | undefined, nowMicros: number): Contact[] {
  const { bindings = [], lastAtMicros = 0 } = known
  const listed = new Map((told?.contacts ?? []).map((contact) => [contact.uri, contact]))
  const own = bindings.map(({ uri, client, expiresAtMicros, grantedSeconds, userAgent }) => {
    const contact = listed.get(uri)
    listed.delete(uri)
    return {
      uri,
      client,
      expiresAt: expiresAtMicros === null ? null : toRfc3339(expiresAtMicros),
      grantedSeconds,
      userAgent,
      status: contact?.status ?? '',
      roundTripMicros: contact?.roundTripMicros ?? null,
    }
  })
  const others = [...listed.values()].filter(
    ({ expiresAtMicros }) =>
      expiresAtMicros === null || (expiresAtMicros > nowMicros && (told?.atMicros ?? 0) > lastAtMicros),
  )
  return [
    ...own,
    ...others.map(({ uri, expiresAtMicros, userAgent, status, roundTripMicros }) => ({
      uri,
      client: null,
      expiresAt: expiresAtMicros === null ? null : toRfc3339(expiresAtMicros),
      grantedSeconds: null,
      userAgent,
      status,
      roundTripMicros,
    })),
  ]
}

/** What messages and Asterisk both tell counts once: a contact that Asterisk removes is one that expired or left. */
function countChanges(known: Known, events: readonly RegistrationEvent[], nowMicros: number): number {
  const hasMessages = (known.changedAtMicros?.length ?? 0) > 0
  const times = events.flatMap((event) =>
    event.kind === 'contact-changed' &&
    (event.status === 'Unreachable' || (event.status === 'Removed' && !hasMessages))
      ? event.atMicros
      : [],
  )
  return countRecent([...(known.changedAtMicros ?? []), ...times], nowMicros)
}

function toRefusal(known: Known, events: readonly RegistrationEvent[]): RegistrationRow['refusal'] {
  const security = events.filter((event) => event.kind === 'security-reported')
  const refused = known.refused ?? null
  if (refused) {
    const told = security.findLast(({ session }) => session === refused.callId)
    return {
      at: toRfc3339(refused.atMicros),
      status: refused.status,
      reason: refused.reason,
      why: whyRefused(refused, told),
      callId: refused.callId,
      count: refused.count,
    }
  }
  // Without any message of it only Asterisk knows; with messages, a success has come since.
  const told = known.lastAtMicros === undefined ? security.at(-1) : undefined
  return told
    ? {
        at: toRfc3339(told.atMicros),
        status: null,
        reason: told.reason,
        why: whyRefused(null, told),
        callId: told.session,
        count: security.length,
      }
    : null
}

function lastTold(events: readonly RegistrationEvent[]): string | null {
  const last = events.at(-1)
  return last ? toRfc3339(last.atMicros) : null
}

function toldByAsterisk(directories: readonly EndpointDirectory[]): Told[] {
  return directories.flatMap(({ node, atMicros, endpoints }) =>
    endpoints.flatMap(({ name, contacts, registrations }) => {
      const inbound = [...groupContacts(contacts)].map(([aor, own]) => ({
        node,
        atMicros,
        aor,
        direction: 'in' as const,
        endpoint: name,
        contacts: own,
        outboundStatus: '',
      }))
      const outbound = registrations.map(({ clientUri, status }) => ({
        node,
        atMicros,
        aor: aorOfUri(clientUri),
        direction: 'out' as const,
        endpoint: name,
        contacts: [],
        outboundStatus: status,
      }))
      return [...inbound, ...outbound]
    }),
  )
}

function groupContacts(contacts: EndpointEntry['contacts']): Map<string, EndpointEntry['contacts']> {
  const groups = new Map<string, EndpointEntry['contacts']>()
  for (const contact of contacts) groups.set(contact.aor, [...(groups.get(contact.aor) ?? []), contact])
  return groups
}

/** Asterisk names an AOR by its section, which is the user of the URI; a registration of its own by the URI. */
function findTold(told: readonly Told[], known: Known): Told | undefined {
  const own = told.filter(({ node }) => node === known.node)
  return (
    own.find(({ direction, aor }) => direction === 'out' && aor === known.aor) ??
    own.find(
      ({ direction, aor }) => direction === 'in' && known.direction !== 'out' && aor === userOf(known.aor),
    )
  )
}

function userOf(aor: string): string {
  const at = aor.lastIndexOf('@')
  return at < 0 ? aor : aor.slice(0, at)
}

function aorOfUri(uri: string): string {
  return toAor(parseUserHost(uri))
}

type EventGroups = ReadonlyMap<string, RegistrationEvent[]>

function groupEvents(events: readonly RegistrationEvent[]): EventGroups {
  const groups = new Map<string, RegistrationEvent[]>()
  for (const event of events) {
    const key = `${event.node}\0${subjectOf(event)}`
    const group = groups.get(key)
    if (group) group.push(event)
    else groups.set(key, [event])
  }
  return groups
}

function subjectOf(event: RegistrationEvent): string {
  switch (event.kind) {
    case 'contact-changed':
      return event.aor || event.endpoint
    case 'peer-changed':
      return event.endpoint
    case 'registration-changed':
      return aorOfUri(event.username)
    case 'security-reported':
      return event.account
    default:
      return event satisfies never
  }
}

function eventsOf(groups: EventGroups, { aor, node }: Pick<AorHistory, 'aor' | 'node'>): RegistrationEvent[] {
  const names = [...new Set([aor, userOf(aor)])]
  return names
    .flatMap((name) => groups.get(`${node}\0${name}`) ?? [])
    .toSorted((a, b) => a.atMicros - b.atMicros)
}
