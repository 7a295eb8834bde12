import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import { securityReasons } from '@sip-capture/contract/bus/calls/endpoint-event.ts'
import { type AmiBlock, field } from '../ami/block.ts'
import { toRoundTrip } from '../directory/contact.ts'
import { canonicalAddress } from '../own-addresses.ts'

/** What events tell of contacts, registrations and logins. Undefined: nothing that is kept. Hints all of it. */
export function toEndpointReport(
  block: AmiBlock,
  context: { node: string; atMicros: number },
): CallEvent | undefined {
  const head = { v: 1 as const, node: context.node, atMicros: context.atMicros }
  const text = (name: string, max = 256) => field(block, name).slice(0, max)
  switch (block.name) {
    case 'ContactStatus': {
      const roundTripMicros = toRoundTrip(field(block, 'RoundtripUsec'))
      return {
        ...head,
        kind: 'contact-changed',
        endpoint: text('EndpointName'),
        aor: text('AOR'),
        uri: text('URI', 512),
        status: text('ContactStatus', 64),
        ...(roundTripMicros === null ? {} : { roundTripMicros }),
        userAgent: text('UserAgent'),
      }
    }
    case 'Registry':
      return {
        ...head,
        kind: 'registration-changed',
        username: text('Username', 512),
        domain: text('Domain', 512),
        status: text('Status', 64),
        cause: text('Cause'),
      }
    case 'PeerStatus':
      return {
        ...head,
        kind: 'peer-changed',
        endpoint: text('Peer').replace(/^PJSIP\//, ''),
        status: text('PeerStatus', 64),
        cause: text('Cause'),
      }
    default:
      return toSecurityReport(block, head)
  }
}

function toSecurityReport(
  block: AmiBlock,
  head: { v: 1; node: string; atMicros: number },
): CallEvent | undefined {
  const reason = securityReasons.find((candidate) => candidate === block.name)
  if (reason === undefined) return undefined
  // `IPV4/UDP/127.0.0.1/5060`, `IPV6/TLS/2001:db8::1/5061`
  const [, transport = '', address = '', port = ''] =
    /^IPV[46]\/(\w{1,16})\/([^/]+)\/(\d{1,5})$/.exec(field(block, 'RemoteAddress')) ?? []
  const remotePort = Number(port)
  return {
    ...head,
    kind: 'security-reported',
    reason,
    service: field(block, 'Service').slice(0, 64),
    account: field(block, 'AccountID').slice(0, 256),
    session: field(block, 'SessionID').slice(0, 1024),
    remoteAddress: canonicalAddress(address),
    remotePort: remotePort <= 65_535 ? remotePort : 0,
    transport,
    acl: field(block, 'ACLName').slice(0, 256),
  }
}
