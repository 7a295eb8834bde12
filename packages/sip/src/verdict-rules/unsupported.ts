import { toPrintable } from '../printable.ts'
import { refusalRule, type RefusalMeaning } from '../refusal.ts'
import { statusOf } from '../leg.ts'
import type { Sighting } from '../sightings.ts'

function namedIn(final: Sighting, header: string): string {
  const value = final.message.message.header(header.toLowerCase()) ?? ''
  return value === '' ? '' : ` (${header}: ${toPrintable(value, 60)})`
}

function why(final: Sighting): string {
  switch (statusOf(final)) {
    case 415:
      return `it cannot read the kind of body that was sent${namedIn(final, 'Accept')}`
    case 416:
      return 'it does not understand the scheme of the Request-URI (sips: or tel:)'
    case 420:
      return `it does not support an extension that was required${namedIn(final, 'Unsupported')}`
    default:
      return `it insists on an extension that was not offered${namedIn(final, 'Require')}`
  }
}

const meaning: RefusalMeaning = {
  why: (_transaction, final) => why(final),
  checks: [
    'the Require and Supported headers of the INVITE against Unsupported or Require of the answer',
    'pjsip.conf, type=endpoint: 100rel and timers',
  ],
  options: [
    { option: '100rel', object: 'endpoint' },
    { option: 'timers', object: 'endpoint' },
  ],
}

/** 415, 416, 420, 421. */
export const unsupported = refusalRule({
  id: 'F12-not-supported',
  title: 'Something in the request is not supported',
  meaning:
    'The body type, the URI scheme or a SIP extension (100rel, timer, replaces) is not supported, or one is insisted on.',
  codes: new Map([
    [415, 'RFC 3261 21.4.13'],
    [416, 'RFC 3261 21.4.14'],
    [420, 'RFC 3261 21.4.15'],
    [421, 'RFC 3261 21.4.16'],
  ]),
  us: meaning,
  peer: meaning,
})
