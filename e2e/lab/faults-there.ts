import * as called from '@sip-capture/infra/sipp/lab/called.ts'
import * as callers from '@sip-capture/infra/sipp/lab/callers.ts'
import type { Entry, Fault } from './fault.ts'

const challenge = (realm = 'trunk', nonce = 'laboratory-#') =>
  `Digest realm="${realm}",nonce="${nonce}",algorithm=MD5,qop="auth"`
const credentials = 'auth_type=userpass\nusername=us\npassword=ours'

/** The called side refuses the call with that line. */
const refused = (line: string, rule: string, headers?: Readonly<Record<string, string>>): Fault => ({
  name: `trunk-${line.slice(0, 3)}`,
  caller: callers.callsAndIsRefused,
  called: called.refuses(line, headers),
  rule,
})

const calls = (
  name: string,
  steps: Entry['called'] & {},
  rule: string,
  more: Partial<Fault> = {},
): Fault => ({
  name,
  caller: callers.callsAndIsRefused,
  called: steps,
  rule,
  ...more,
})

/** Asterisk registers at the called side. */
const registration = (
  name: string,
  steps: Entry['called'] & {},
  rule: string,
  more: Partial<Fault> = {},
): Fault => ({
  name,
  called: steps,
  settings: { registration: 'retry_interval=600\nforbidden_retry_interval=600', trunkAuth: credentials },
  rule,
  ...more,
})

/** Faults between Asterisk and a trunk or a device that it calls, registers at or asks. */
export const faultsThere: readonly Fault[] = [
  refused('302 Moved Temporarily', 'F18-redirected', { Contact: '<sip:555@127.0.0.9>' }),
  refused('380 Alternative Service', 'F19-alternative-service'),
  refused('400 Bad Request', 'F00-call-rejected'),
  refused('403 Forbidden', 'F04-call-forbidden'),
  refused('404 Not Found', 'F02-number-not-found'),
  refused('408 Request Timeout', 'F10-timeout'),
  refused('410 Gone', 'F11-number-gone'),
  refused('415 Unsupported Media Type', 'F12-not-supported', { Accept: 'application/sdp' }),
  refused('420 Bad Extension', 'F12-not-supported', { Unsupported: 'timer' }),
  refused('433 Anonymity Disallowed', 'F21-anonymous-refused'),
  refused('480 Temporarily Unavailable', 'F07-temporarily-unavailable'),
  refused('482 Loop Detected', 'F16-loop-detected'),
  refused('483 Too Many Hops', 'F17-too-many-hops'),
  refused('484 Address Incomplete', 'F03-address-incomplete'),
  refused('486 Busy Here', 'F08-busy'),
  refused('488 Not Acceptable Here', 'F13-media-not-acceptable'),
  refused('500 Server Internal Error', 'F14-server-error'),
  refused('503 Service Unavailable', 'F15-service-unavailable', { 'Retry-After': '30' }),
  refused('603 Decline', 'F09-declined'),
  calls(
    'trunk-wants-login',
    called.refuses('407 Proxy Authentication Required', { 'Proxy-Authenticate': challenge() }),
    'R05-auth-no-credentials',
  ),
  calls(
    'trunk-wrong-password',
    called.refusesAgain(['407 Proxy Authentication Required', '407 Proxy Authentication Required'], {
      'Proxy-Authenticate': challenge(),
    }),
    'R02-auth-wrong-password',
    { settings: { trunkAuth: credentials } },
  ),
  calls(
    'trunk-interval-small',
    called.refusesAgain(['422 Session Interval Too Small', '422 Session Interval Too Small'], {
      'Min-SE': '7200',
    }),
    'D03-session-interval-too-small',
    { settings: { trunk: 'timers=always' } },
  ),
  calls('trunk-silent', called.neverAnswers, 'N01-invite-unanswered', { isLong: true }),
  calls('trunk-silent-tcp', called.neverAnswers, 'N06-connection-silent', {
    isLong: true,
    transport: 'tcp',
  }),
  calls('trunk-only-trying', called.onlyTries, 'N02-only-trying', { dialSeconds: 12 }),
  // Asterisk then sends BYE, to which nobody answers either.
  calls('cancel-ignored', called.ignoresCancel, 'S03-cancel-ignored', {
    dialSeconds: 2,
    isLong: true,
    also: ['D11-bye-unanswered'],
  }),
  calls('cancel-race', called.answersCancelledCall, 'S02-cancel-crossed-answer', {
    dialplan: 'exten => 100,1,Dial(PJSIP/100@cancel-race-trunk,2)\n same => n,Wait(1)\n same => n,Hangup()',
  }),
  calls('ringing-late', called.ringsLate, 'S10-slow-setup', { caller: callers.callsAndHangsUp(1000) }),
  calls('progress-silent', called.progressesInSilence, 'S06-progress-without-sdp', {
    caller: callers.callsAndHangsUp(1000),
  }),
  calls('trunk-forgets-call', called.knowsNoBye, 'D05-dialog-unknown', {
    caller: callers.callsAndHangsUp(1500),
  }),
  calls(
    'network-cause',
    called.hangsUp({ Reason: 'Q.850;cause=38;text="Network out of order"' }),
    'D08-network-cause',
    {
      caller: callers.callsUntilHungUpOn,
    },
  ),
  calls(
    'trunk-refuses-change',
    called.refusesChanges('488 Not Acceptable Here'),
    'D02-session-change-refused',
    {
      caller: callers.acceptsChanges,
      isLong: true,
      settings: { trunk: 'direct_media=yes', endpoint: 'direct_media=yes' },
    },
  ),
  calls('glare', called.refusesChanges('491 Request Pending'), 'D01-glare', {
    caller: callers.acceptsChanges,
    isLong: true,
    settings: { trunk: 'direct_media=yes', endpoint: 'direct_media=yes' },
  }),
  calls('session-lapsed', called.neverRefreshes, 'D04-session-timer-expired', {
    caller: callers.callsUntilHungUpOn,
    settings: { trunk: 'timers=yes' },
    isLong: true,
  }),
  calls('trunk-contact-wrong', called.namesUnreachableContact, 'A01-private-contact', {
    caller: callers.callsAndHangsUp(9000),
    also: ['D11-bye-unanswered'],
    isLong: true,
  }),
  calls('trunk-overlooks-ack', called.overlooksAck, 'A03-ended-at-timer-h', {
    caller: callers.callsUntilHungUpOn,
    isLong: true,
  }),
  {
    name: 'options-unanswered',
    called: called.ignores('OPTIONS'),
    settings: { trunkAor: 'qualify_timeout=1' },
    command: 'pjsip qualify options-unanswered-trunk',
    rule: 'N08-options-unanswered',
    isLong: true,
  },
  {
    name: 'options-refused',
    called: called.replies('OPTIONS', '503 Service Unavailable'),
    command: 'pjsip qualify options-refused-trunk',
    rule: 'N09-options-refused',
  },
  registration('registrar-silent', called.ignores('REGISTER'), 'R08-registration-unanswered', {
    isLong: true,
  }),
  registration('registrar-403', called.replies('REGISTER', '403 Forbidden'), 'R06-registration-forbidden'),
  registration('registrar-404', called.replies('REGISTER', '404 Not Found'), 'R10-registration-refused'),
  registration(
    'registrar-423',
    called.repliesInTurn([
      ['423 Interval Too Brief', { 'Min-Expires': '7200' }],
      ['423 Interval Too Brief', { 'Min-Expires': '14400' }],
      ['423 Interval Too Brief', { 'Min-Expires': '28800' }],
    ]),
    'R09-registration-too-brief',
  ),
  registration(
    'registrar-rejects-login',
    called.repliesInTurn([
      ['401 Unauthorized', { 'WWW-Authenticate': challenge('registrar', 'first') }],
      ['401 Unauthorized', { 'WWW-Authenticate': challenge('registrar', 'second') }],
    ]),
    'R02-auth-wrong-password',
  ),
  registration(
    'registrar-other-realm',
    called.replies('REGISTER', '401 Unauthorized', { 'WWW-Authenticate': challenge('elsewhere') }),
    'R05-auth-no-credentials',
    {
      settings: {
        registration: 'retry_interval=600',
        trunkAuth: `${credentials}\nrealm=registrar`,
      },
    },
  ),
]
