import type { NameAddress } from '@sip-capture/contract/rest/message.ts'
import { shownText } from './shown-text.ts'

/** What a person calls a party: the user part (a number), with the display name where it says more. */
export function nameText(party: NameAddress): string {
  const id = party.user || party.host || party.uri
  const name = party.displayName
  return shownText(name === '' || name === id ? id : `${name} ‹${id}›`)
}
