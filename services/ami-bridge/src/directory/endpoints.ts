import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import type {
  EndpointContact,
  EndpointDirectory,
  EndpointEntry,
  OutboundRegistration,
} from '@sip-capture/contract/bus/endpoint-directory.ts'
import type { HostPort } from '@sip-capture/contract/bus/sip-record.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { parseUri } from '@sip-capture/sip/uri.ts'
import { type AmiBlock, field } from '../ami/block.ts'
import type { AmiConnection } from '../ami/connection.ts'
import { canonicalAddress, parseHostPort } from '../own-addresses.ts'
import { toContact, toRegistration } from './contact.ts'

type Ami = Pick<AmiConnection, 'request' | 'command' | 'remoteAddress'>

export type DirectoryResult =
  | { ok: true; directory: EndpointDirectory }
  | { ok: false; problem: string; isDenied: boolean }

const maxEndpoints = 20_000
const maxLookups = 200
const maxContacts = 64
const maxRegistrations = 16

/** Asks Asterisk who is who. Lists that a version or a right does not give are empty; only the endpoints are a must. */
export async function readEndpointDirectory(ami: Ami, node: string): Promise<DirectoryResult> {
  const [endpoints, aors, contacts, registrations, identifies, transports] = await Promise.all([
    ami.request('PJSIPShowEndpoints'),
    ami.request('PJSIPShowAors'),
    ami.request('PJSIPShowContacts'),
    ami.request('PJSIPShowRegistrationsOutbound'),
    ami.command('pjsip show identifies'),
    ami.command('pjsip show transports'),
  ])
  if (!endpoints.ok && !/no .*endpoints? found/i.test(endpoints.message))
    return { ok: false, problem: endpoints.message, isDenied: endpoints.reason === 'denied' }

  const urisOfAor = new Map<string, Set<string>>()
  const addUri = (aor: string, uri: string) => {
    const uris = urisOfAor.get(aor) ?? new Set<string>()
    if (uris.size < 64) uris.add(uri)
    urisOfAor.set(aor, uris)
  }
  for (const block of aors.ok ? aors.events : [])
    for (const contact of field(block, 'Contacts').split(',').filter(Boolean)) {
      // `trunk/sip:127.0.0.3:25070`
      const slash = contact.indexOf('/')
      addUri(field(block, 'ObjectName'), contact.slice(slash + 1))
    }
  const contactsOfAor = new Map<string, EndpointContact[]>()
  for (const block of contacts.ok ? contacts.events : []) {
    const contact = toContact(block)
    addContact(block, contact.aor, addUri)
    const known = contactsOfAor.get(contact.aor) ?? []
    if (known.length < maxContacts) known.push(contact)
    contactsOfAor.set(contact.aor, known)
  }

  const registrationsOf = new Map<string, OutboundRegistration[]>()
  for (const block of registrations.ok ? registrations.events : []) {
    const endpoint = field(block, 'Endpoint')
    if (endpoint === '') continue
    const known = registrationsOf.get(endpoint) ?? []
    if (known.length < maxRegistrations) known.push(toRegistration(block))
    registrationsOf.set(endpoint, known)
  }
  const matches = parseIdentifies(identifies.ok ? identifies.block.output : [])
  const resolve = createResolver()

  const entries: EndpointEntry[] = []
  for (const block of (endpoints.ok ? endpoints.events : []).slice(0, maxEndpoints)) {
    const name = field(block, 'ObjectName')
    const aorNames = field(block, 'Aor')
      .split(',')
      .map((aor) => aor.trim())
      .filter(Boolean)
    const ownRegistrations = registrationsOf.get(name) ?? []
    const uris = new Set([
      ...aorNames.flatMap((aor) => [...(urisOfAor.get(aor) ?? [])]),
      ...ownRegistrations.map(({ serverUri }) => serverUri),
    ])
    const addresses = (await Promise.all([...uris].map(resolve))).flat().slice(0, 64)
    const own = matches.get(name) ?? []
    entries.push({
      name: name.slice(0, 256),
      deviceState: field(block, 'DeviceState').slice(0, 64),
      addresses,
      matches: own,
      isTrunk: own.length > 0 || ownRegistrations.length > 0,
      contacts: aorNames.flatMap((aor) => contactsOfAor.get(aor) ?? []).slice(0, maxContacts),
      registrations: ownRegistrations,
    })
  }
  return {
    ok: true,
    directory: {
      v: 1,
      node,
      atMicros: nowMicros(),
      endpoints: entries,
      ownAddresses: parseTransports(transports.ok ? transports.block.output : [], ami.remoteAddress).slice(
        0,
        256,
      ),
    },
  }
}

function addContact(block: AmiBlock, aor: string, addUri: (aor: string, uri: string) => void): void {
  const uri = field(block, 'Uri')
  if (uri !== '') addUri(aor, uri)
  // Behind NAT the address that counts is the one the REGISTER came from.
  const via = canonicalAddress(field(block, 'ViaAddr'))
  if (via !== '')
    addUri(aor, `sip:${via.includes(':') ? `[${via}]` : via}:${field(block, 'ViaPort') || '5060'}`)
}

/** `Identify:  trunk-id/trunk` followed by its `Match: 127.0.0.3/32` lines → matches by endpoint. */
export function parseIdentifies(lines: readonly string[]): Map<string, string[]> {
  const matches = new Map<string, string[]>()
  let endpoint = ''
  for (const line of lines) {
    const identify = /^\s*Identify:\s+(\S+)\/(\S+)\s*$/.exec(line)
    const match = /^\s*Match:\s+(\S+)\s*$/.exec(line)
    if (identify && !line.includes('<')) endpoint = identify[2] ?? ''
    else if (match?.[1] && !line.includes('<') && endpoint !== '') {
      const known = matches.get(endpoint) ?? []
      if (known.length < 256) known.push(match[1].slice(0, 128))
      matches.set(endpoint, known)
    }
  }
  return matches
}

/** `Transport:  t  udp  0  0  0.0.0.0:5060` → own addresses; a wildcard stands for every address of that machine. */
export function parseTransports(lines: readonly string[], amiAddress: string): HostPort[] {
  const own = new Map<string, HostPort>()
  const add = (side: HostPort) => own.set(`${side.address} ${side.port}`, side)
  for (const line of lines) {
    const match = /^\s*Transport:\s+\S+\s+(\w+)\s+\S+\s+\S+\s+(\S+)\s*$/.exec(line)
    const bind = parseHostPort(match?.[2] ?? '')
    if (!bind) continue
    if (bind.address !== '0.0.0.0' && bind.address !== '::') add(bind)
    else
      for (const address of machineAddresses(amiAddress))
        if (bind.address === '::' || !address.includes(':')) add({ address, port: bind.port })
  }
  return [...own.values()]
}

/** Asterisk on this machine: all its addresses. Elsewhere: the one that AMI was reached at. */
function machineAddresses(amiAddress: string): string[] {
  const asterisk = canonicalAddress(amiAddress)
  const local = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => canonicalAddress(address))
    .filter(Boolean)
  const isLocal = asterisk.startsWith('127.') || asterisk === '::1' || local.includes(asterisk)
  return isLocal ? local : asterisk === '' ? [] : [asterisk]
}

/** URI → addresses. Names are looked up once, and only so many of them. */
function createResolver() {
  const known = new Map<string, Promise<string[]>>()

  function resolveHost(host: string): Promise<string[]> {
    const address = canonicalAddress(host)
    if (address !== '') return Promise.resolve([address])
    const cached = known.get(host)
    if (cached) return cached
    if (known.size >= maxLookups || !/^[\w.-]{1,253}$/.test(host)) return Promise.resolve([])
    const answer = lookup(host, { all: true }).then(
      (found) => found.map((entry) => canonicalAddress(entry.address)).filter(Boolean),
      () => [],
    )
    known.set(host, answer)
    return answer
  }

  return async (uri: string): Promise<HostPort[]> => {
    const { host, port } = parseUri(uri)
    const addresses = host === '' ? [] : await resolveHost(host)
    return addresses.map((address) => ({ address, port: port ?? (uri.startsWith('sips:') ? 5061 : 5060) }))
  }
}
