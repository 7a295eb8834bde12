import type { EndpointContact, OutboundRegistration } from '@sip-capture/contract/bus/endpoint-directory.ts'
import { maxMicros } from '@sip-capture/contract/time.ts'
import { type AmiBlock, field } from '../ami/block.ts'

/** A `ContactList` item of PJSIPShowContacts. */
export function toContact(block: AmiBlock): EndpointContact {
  const roundTrip = field(block, 'RoundtripUsec')
  const expires = Number(field(block, 'ExpirationTime'))
  const expiresAtMicros = expires * 1_000_000
  return {
    aor: (field(block, 'Aor') || field(block, 'ObjectName').replace(/;@.*$|@@.*$/, '')).slice(0, 256),
    uri: field(block, 'Uri').slice(0, 512),
    status: field(block, 'Status').slice(0, 64),
    roundTripMicros: toRoundTrip(roundTrip),
    userAgent: field(block, 'UserAgent').slice(0, 256),
    expiresAtMicros:
      Number.isInteger(expires) && expires > 0 && expiresAtMicros <= maxMicros ? expiresAtMicros : null,
  }
}

/** An `OutboundRegistrationDetail` item of PJSIPShowRegistrationsOutbound. */
export function toRegistration(block: AmiBlock): OutboundRegistration {
  return {
    name: field(block, 'ObjectName').slice(0, 256),
    serverUri: field(block, 'ServerUri').slice(0, 512),
    clientUri: field(block, 'ClientUri').slice(0, 512),
    status: field(block, 'Status').slice(0, 64),
  }
}

/** Microseconds; null for `N/A`, which Asterisk writes where nothing was measured, and for nonsense. */
export function toRoundTrip(text: string): number | null {
  if (!/^\d{1,10}$/.test(text)) return null
  const micros = Number(text)
  return micros > 0 && micros <= 4_294_967_295 ? micros : null
}
