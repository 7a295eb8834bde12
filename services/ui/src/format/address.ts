import type { Party } from '@sip-capture/contract/rest/message.ts'
import { shownText } from './shown-text.ts'

/** `192.0.2.7:5060`, `[2001:db8::1]:5061`; port 0 and an empty address are "not known". */
export function addressText(party: { address: string; port: number }): string {
  if (party.address === '') return '—'
  const host = party.address.includes(':') ? `[${party.address}]` : party.address
  return shownText(party.port === 0 ? host : `${host}:${party.port}`)
}

/** The directory's name where there is one, else the address. */
export function partyText(party: Party): string {
  return party.name === undefined || party.name === ''
    ? addressText(party)
    : `${shownText(party.name)} ${addressText(party)}`
}
