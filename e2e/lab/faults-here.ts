import * as callers from '@sip-capture/infra/sipp/lab/callers.ts'
import { audio } from '@sip-capture/infra/sipp/lab/steps.ts'
import type { Fault } from './fault.ts'

const hangup = (cause: number) => `exten => 100,1,Hangup(${cause})`
const talk = 'exten => 100,1,Answer()\n same => n,Wait(60)'
const hangsUpSoon = 'exten => 100,1,Answer()\n same => n,Wait(1)\n same => n,Hangup()'
const login = 'auth_type=userpass\npassword=right'

/** Faults between a caller or a device and Asterisk itself. */
export const faultsHere: readonly Fault[] = [
  // Logins and registrations.
  {
    name: 'wrong-password',
    caller: callers.logsIn(401),
    settings: { auth: login },
    password: 'wrong',
    rule: 'R02-auth-wrong-password',
  },
  {
    name: 'unknown-user',
    caller: callers.logsIn(401),
    settings: { isIdentified: false },
    number: 'nobody',
    password: 'guess',
    rule: 'R02-auth-wrong-password',
  },
  {
    name: 'no-credentials',
    caller: callers.registers(401),
    settings: { auth: login },
    rule: 'R05-auth-no-credentials',
  },
  {
    name: 'stale-nonce',
    caller: callers.logsInTooLate,
    settings: { auth: `${login}\nnonce_lifetime=1` },
    password: 'right',
    rule: 'R04-auth-stale-nonce',
  },
  {
    name: 'login-old-sequence',
    caller: callers.logsInWithOldSequence,
    settings: { auth: login },
    password: 'right',
    rule: 'F06-login-same-cseq',
  },
  {
    name: 'registration-denied',
    caller: callers.registers(403),
    settings: { isDenied: true },
    rule: 'R06-registration-forbidden',
  },
  {
    name: 'max-contacts',
    caller: callers.registersTwice(403),
    settings: { aor: 'max_contacts=1\nremove_existing=no' },
    rule: 'R06-registration-forbidden',
  },
  {
    name: 'unknown-aor',
    caller: callers.registers(404),
    number: 'somebody-else',
    rule: 'R10-registration-refused',
  },
  {
    name: 'registration-late',
    caller: callers.refreshesTooLate,
    settings: { aor: 'minimum_expiration=1' },
    rule: 'R12-registration-lapsed',
  },
  // Calls that Asterisk refuses.
  {
    name: 'unknown-endpoint',
    caller: callers.callsAndIsRefused,
    settings: { isIdentified: false },
    rule: 'R03-unidentified-caller',
  },
  {
    name: 'call-denied',
    caller: callers.callsAndIsRefused,
    settings: { isDenied: true },
    rule: 'F04-call-forbidden',
  },
  {
    // Asterisk challenges whom the endpoint's own list denies, as it does a stranger.
    name: 'denied-by-endpoint',
    caller: callers.callsAndIsRefused,
    settings: { endpoint: 'deny=0.0.0.0/0.0.0.0' },
    rule: 'R05-auth-no-credentials',
  },
  {
    name: 'no-such-extension',
    caller: callers.callsAndIsRefused,
    number: '999',
    rule: 'F01-number-not-found-here',
  },
  {
    name: 'number-incomplete',
    caller: callers.callsAndIsRefused,
    number: '12',
    dialplan: 'exten => 1234,1,Answer()',
    rule: 'F03-address-incomplete',
  },
  {
    name: 'no-common-codec',
    caller: callers.callsWith({ body: audio({ media: 'RTP/AVP 18', codec: '18 G729/8000' }) }),
    rule: 'F13-media-not-acceptable',
  },
  {
    name: 'encryption-not-wanted',
    caller: callers.callsWith({ body: audio({ media: 'RTP/SAVP 0' }) }),
    rule: 'F13-media-not-acceptable',
  },
  {
    name: 'body-unreadable',
    caller: callers.callsWith({ body: 'hello', type: 'text/plain' }),
    rule: 'F12-not-supported',
  },
  {
    name: 'extension-unknown',
    caller: callers.callsWith({ headers: { Require: 'x-laboratory' } }),
    rule: 'F12-not-supported',
  },
  {
    name: 'reliability-insisted',
    caller: callers.callsAndIsRefused,
    settings: { endpoint: '100rel=required' },
    rule: 'F12-not-supported',
  },
  {
    name: 'session-interval-small',
    caller: callers.callsWith({ headers: { Supported: 'timer', 'Session-Expires': '95', 'Min-SE': '90' } }),
    settings: { endpoint: 'timers=yes\ntimers_min_se=600\ntimers_sess_expires=1800' },
    rule: 'D03-session-interval-too-small',
  },
  {
    // The extension is there; where it dials is not.
    name: 'dials-nowhere',
    caller: callers.callsAndIsRefused,
    dialplan: 'exten => 100,1,Dial(PJSIP/100@nobody)\n same => n,Hangup()',
    rule: 'F01-number-not-found-here',
  },
  { name: 'busy-here', caller: callers.callsAndIsRefused, dialplan: hangup(17), rule: 'F08-busy' },
  {
    name: 'rejected-here',
    caller: callers.callsAndIsRefused,
    dialplan: hangup(21),
    rule: 'F04-call-forbidden',
  },
  {
    name: 'number-changed',
    caller: callers.callsAndIsRefused,
    dialplan: hangup(22),
    rule: 'F11-number-gone',
  },
  {
    name: 'nobody-registered',
    caller: callers.callsAndIsRefused,
    dialplan: hangup(20),
    rule: 'F07-temporarily-unavailable',
  },
  {
    name: 'congestion',
    caller: callers.callsAndIsRefused,
    dialplan: hangup(34),
    rule: 'F15-service-unavailable',
  },
  { name: 'failure-here', caller: callers.callsAndIsRefused, dialplan: hangup(38), rule: 'F14-server-error' },
  {
    name: 'event-unknown',
    caller: callers.asks('SUBSCRIBE', 489, { Event: 'x-laboratory', Expires: '60' }),
    rule: 'F22-event-not-supported',
  },
  {
    name: 'scanner',
    caller: callers.asks('OPTIONS', 401, { 'User-Agent': 'friendly-scanner' }),
    settings: { isIdentified: false },
    rule: 'X01-scanner',
    also: ['R03-unidentified-caller'],
  },
  // Inside the call.
  {
    name: 'ack-lost',
    caller: callers.neverConfirms,
    dialplan: talk,
    rule: 'A02-no-ack',
    isLong: true,
  },
  {
    name: 'contact-behind-nat',
    caller: callers.namesUnreachableContact,
    dialplan: hangsUpSoon,
    rule: 'A01-private-contact',
    also: ['D11-bye-unanswered'],
    isLong: true,
  },
  {
    // A router with NAT between: Asterisk sends its BYE to the address behind it.
    name: 'phone-behind-nat',
    caller: callers.isNeverHungUpOn,
    dialplan: hangsUpSoon,
    settings: { endpoint: 'rtp_symmetric=yes' },
    isBehindNat: true,
    rule: 'A01-private-contact',
    also: ['D11-bye-unanswered'],
    isLong: true,
  },
  {
    // Asterisk answers with a TLS alert or nothing, and closes the connection.
    name: 'plain-text-at-tls',
    caller: callers.callsAndIsRefused,
    isPlainAtTls: true,
    rule: 'N06-connection-silent',
    isLong: true,
  },
  {
    // Asterisk ends the handshake with an alert: its own tap has the INVITE, and nothing comes back.
    name: 'tls-untrusted',
    caller: callers.callsAndIsRefusedAtLast,
    isCalledOverTls: true,
    rule: 'N06-connection-silent',
    isLong: true,
  },
  {
    name: 'too-many-contacts',
    caller: callers.logsInTwice(403),
    settings: { auth: login, aor: 'max_contacts=1' },
    password: 'right',
    rule: 'R11-too-many-contacts',
  },
  {
    name: 'bye-unanswered',
    caller: callers.ignoresBye,
    dialplan: hangsUpSoon,
    rule: 'D11-bye-unanswered',
    isLong: true,
  },
  {
    name: 'ringing-unconfirmed',
    caller: [...callers.callsWith({ headers: { Supported: '100rel' } })],
    settings: { endpoint: '100rel=required' },
    dialplan: 'exten => 100,1,Ringing()\n same => n,Wait(60)',
    rule: 'S08-prack-missing',
    also: ['F14-server-error', 'F15-service-unavailable', 'F10-timeout'],
    isLong: true,
  },
  {
    name: 'late-offer',
    caller: callers.leavesOfferUnanswered,
    dialplan: talk,
    rule: 'S09-late-offer-unanswered',
  },
  {
    name: 'reinvite-refused',
    caller: callers.changesCodecInVain,
    dialplan: talk,
    rule: 'D02-session-change-refused',
  },
  {
    name: 'hold-forgotten',
    caller: callers.holdsAndLeaves,
    dialplan: talk,
    rule: 'D09-hold-not-released',
  },
  {
    name: 'media-silent',
    caller: callers.callsUntilHungUpOn,
    settings: { endpoint: 'rtp_timeout=2' },
    dialplan: 'exten => 100,1,Answer()\n same => n,Echo()',
    rule: 'D07-rtp-timeout',
  },
  {
    name: 'transfer-nowhere',
    caller: callers.transfersAndIsTold('999'),
    dialplan: talk,
    rule: 'D10-transfer-failed',
  },
  {
    // There is such an extension, but the call talks to an application and cannot be handed over.
    name: 'transfer-of-application',
    caller: callers.transfersAndIsTold('200'),
    dialplan: `${talk}\nexten => 200,1,Answer()`,
    rule: 'D10-transfer-failed',
  },
  {
    name: 'via-astray',
    caller: callers.namesWrongVia,
    settings: { endpoint: 'force_rport=no' },
    dialplan: hangup(17),
    rule: 'N03-responses-astray',
    also: ['N04-responses-not-received'],
  },
]
