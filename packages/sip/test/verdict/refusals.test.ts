import t from 'tap'
import { answered, sdpBody } from '../conversation.ts'
import { has, inbound, lacks, outbound, register, rules, seen } from './verdict-testing.ts'

const refused = (status: number, reason: string, headers: readonly string[] = [], leg = outbound()) =>
  leg
    .at(0)
    .request('INVITE', { withSdp: true })
    .at(0.05)
    .response(100, 'Trying', 'INVITE')
    .at(0.4)
    .response(status, reason, 'INVITE', { headers })

/** The same code for a request inside an answered call refuses no call. */
const refusedInside = (status: number, reason: string) =>
  answered(outbound())
    .at(3)
    .request('OPTIONS', { cseq: 2, toTag: 'callee' })
    .response(status, reason, 'OPTIONS', { cseq: 2 })

t.test('F01 number not found here', async (t) => {
  has(t, 'F01-number-not-found-here', refused(404, 'Not Found', [], inbound()), {
    at: 60,
    severity: 'error',
    side: 'us',
    sentence:
      "Asterisk (192.0.2.1:5080) answered the call to 1002 with 404 Not Found after 400 ms: the context of the caller's endpoint has no extension 1002.",
  })
  has(t, 'F01-number-not-found-here', refused(404, 'Not Found', ['Reason: Q.850;cause=3'], inbound()), {
    at: 60,
    severity: 'error',
    side: 'us',
    sentence:
      'Asterisk (192.0.2.1:5080) answered the call to 1002 with 404 Not Found after 400 ms: the dialplan took the call for 1002 and found nothing behind it. It gives the reason: Q.850;cause=3.',
  })
  lacks(t, 'F01-number-not-found-here', refused(404, 'Not Found'), 60, 'the trunk said so')
  lacks(
    t,
    'F01-number-not-found-here',
    register().request('OPTIONS').response(404, 'Not Found', 'OPTIONS'),
    60,
    'OPTIONS is no call',
  )
})

t.test('F02 number not found at the far side', async (t) => {
  has(t, 'F02-number-not-found', refused(404, 'Not Found'), {
    at: 60,
    severity: 'error',
    side: 'peer',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 404 Not Found after 400 ms: it does not know this number, or not in the form it was sent.',
  })
  t.equal(seen(refused(404, 'Not Found'), 60).state, 'rejected')
  lacks(t, 'F02-number-not-found', refused(404, 'Not Found', [], inbound()), 60, 'Asterisk said so')
})

t.test('F03 number incomplete', async (t) => {
  has(t, 'F03-address-incomplete', refused(484, 'Address Incomplete'), {
    at: 60,
    severity: 'error',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 484 Address Incomplete after 400 ms: the number is too short for it.',
  })
  lacks(t, 'F03-address-incomplete', refusedInside(484, 'Address Incomplete'), 60, 'OPTIONS inside the call')
})

t.test('F04 call forbidden', async (t) => {
  has(t, 'F04-call-forbidden', refused(403, 'Forbidden', ['Warning: 399 acme "caller id not allowed"']), {
    at: 60,
    severity: 'error',
    side: 'peer',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 403 Forbidden after 400 ms: the caller number 1001, our address or this destination is not allowed there. It warns: 399 acme "caller id not allowed".',
  })
  has(t, 'F04-call-forbidden', refused(403, 'Forbidden', [], inbound()), {
    at: 60,
    severity: 'error',
    side: 'us',
    sentence:
      'Asterisk (192.0.2.1:5080) answered the call to 1002 with 403 Forbidden after 400 ms: an access list or the dialplan does not allow this call from 1001 (alice (192.0.2.10:5060)).',
  })
  const reinvite = answered(outbound())
    .at(3)
    .request('INVITE', { cseq: 2, toTag: 'callee' })
    .response(403, 'Forbidden', 'INVITE', { cseq: 2 })
  lacks(t, 'F04-call-forbidden', reinvite, 10, 'a refused re-INVITE does not refuse the call')
})

t.test('F07 temporarily unavailable', async (t) => {
  has(t, 'F07-temporarily-unavailable', refused(480, 'Temporarily Unavailable', ['Reason: Q.850;cause=20']), {
    at: 60,
    severity: 'warning',
    side: 'peer',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 480 Temporarily Unavailable after 400 ms: the called side is not registered, does not want to be disturbed or did not answer. It gives the reason: Q.850;cause=20.',
  })
  const rang = outbound()
    .request('INVITE')
    .at(0.3)
    .response(180, 'Ringing', 'INVITE')
    .at(30)
    .response(480, 'Temporarily Unavailable', 'INVITE')
  has(t, 'F07-temporarily-unavailable', rang, {
    at: 60,
    severity: 'info',
    title: 'Nobody answered',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 480 Temporarily Unavailable after 30 s: it rang and nobody answered.',
  })
  lacks(
    t,
    'F07-temporarily-unavailable',
    refusedInside(480, 'Temporarily Unavailable'),
    60,
    'OPTIONS inside the call',
  )
})

t.test('F08 busy', async (t) => {
  for (const [status, reason, sentence] of [
    [
      486,
      'Busy Here',
      'acme (203.0.113.9:5060) answered the call to 004930123 with 486 Busy Here after 400 ms: the called side is busy.',
    ],
    [
      600,
      'Busy Everywhere',
      'acme (203.0.113.9:5060) answered the call to 004930123 with 600 Busy Everywhere after 400 ms: the called side is busy.',
    ],
  ] as const) {
    t.equal(seen(refused(status, reason), 60).state, 'busy')
    has(t, 'F08-busy', refused(status, reason), { at: 60, severity: 'info', side: 'user', sentence })
  }
  lacks(t, 'F08-busy', refusedInside(486, 'Busy Here'), 60, 'OPTIONS inside the call')
})

t.test('F09 declined', async (t) => {
  has(t, 'F09-declined', refused(603, 'Decline'), {
    at: 60,
    severity: 'warning',
    side: 'user',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 603 Decline after 400 ms: the called side declined the call.',
  })
  has(t, 'F09-declined', refused(603, 'Decline', ['Reason: Q.850;cause=21'], inbound()), {
    at: 60,
    severity: 'warning',
    side: 'user',
    sentence:
      'Asterisk (192.0.2.1:5080) answered the call to 1002 with 603 Decline after 400 ms: the called side declined the call. It gives the reason: Q.850;cause=21.',
  })
  has(t, 'F09-declined', refused(603, 'Decline', ['Reason: Q.850;cause=16'], inbound()), {
    at: 60,
    severity: 'warning',
    side: 'us',
    sentence:
      'Asterisk (192.0.2.1:5080) ended the call to 1002 with 603 Decline after 400 ms, of normal clearing (Q.850 cause 16): the dialplan hung up, and nobody had rung.',
  })
  const unanswered = inbound()
    .at(0)
    .request('INVITE', { withSdp: true })
    .at(0.1)
    .response(180, 'Ringing', 'INVITE')
    .at(20)
    .response(603, 'Decline', 'INVITE', { headers: ['Reason: Q.850;cause=16'] })
  has(t, 'F09-declined', unanswered, {
    at: 60,
    severity: 'info',
    side: 'user',
    sentence:
      'Asterisk (192.0.2.1:5080) ended the call to 1002 with 603 Decline after 20 s, of normal clearing (Q.850 cause 16): it rang, nobody answered, and the dialplan hung up.',
  })
  lacks(t, 'F09-declined', refused(604, 'Does Not Exist Anywhere'), 60, '604 is another matter')
})

t.test('F10 timeout behind the next hop', async (t) => {
  has(t, 'F10-timeout', refused(408, 'Request Timeout'), {
    at: 60,
    severity: 'error',
    side: 'peer',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 408 Request Timeout after 400 ms: it is alive itself, but what is behind it did not answer in time.',
  })
  const twin = answered(outbound())
    .at(9)
    .request('BYE', { cseq: 2, toTag: 'callee' })
    .response(408, 'Request Timeout', 'BYE', { cseq: 2 })
  lacks(t, 'F10-timeout', twin, 60, 'a BYE that timed out')
})

t.test('F11 number gone', async (t) => {
  has(t, 'F11-number-gone', refused(410, 'Gone'), {
    at: 60,
    severity: 'error',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 410 Gone after 400 ms: the number is no longer there.',
  })
  lacks(t, 'F11-number-gone', refused(404, 'Not Found'), 60, '404')
})

t.test('F12 not supported, with the header that names it', async (t) => {
  has(t, 'F12-not-supported', refused(420, 'Bad Extension', ['Unsupported: 100rel']), {
    at: 60,
    severity: 'error',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 420 Bad Extension after 400 ms: it does not support an extension that was required (Unsupported: 100rel).',
  })
  has(t, 'F12-not-supported', refused(421, 'Extension Required', ['Require: timer']), {
    at: 60,
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 421 Extension Required after 400 ms: it insists on an extension that was not offered (Require: timer).',
  })
  has(t, 'F12-not-supported', refused(415, 'Unsupported Media Type', ['Accept: application/sdp']), {
    at: 60,
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 415 Unsupported Media Type after 400 ms: it cannot read the kind of body that was sent (Accept: application/sdp).',
  })
  lacks(t, 'F12-not-supported', refusedInside(415, 'Unsupported Media Type'), 60, 'OPTIONS inside the call')
})

t.test('F13 no common codec or encryption', async (t) => {
  has(
    t,
    'F13-media-not-acceptable',
    refused(488, 'Not Acceptable Here', ['Warning: 304 acme "Media type not available"']),
    {
      at: 60,
      severity: 'error',
      side: 'peer',
      sentence:
        'acme (203.0.113.9:5060) answered the call to 004930123 with 488 Not Acceptable Here after 400 ms: it accepts nothing of what the SDP offers (offered: audio RTP/AVP with PCMA, PCMU, telephone-event): no common codec, or encryption on one side only. It warns: 304 acme "Media type not available".',
    },
  )
  const reinvite = answered(outbound())
    .at(3)
    .request('INVITE', { cseq: 2, toTag: 'callee', body: sdpBody() })
    .response(488, 'Not Acceptable Here', 'INVITE', { cseq: 2 })
  lacks(t, 'F13-media-not-acceptable', reinvite, 10, 'only a re-INVITE was refused')
})

t.test('F14 server error', async (t) => {
  has(t, 'F14-server-error', refused(500, 'Server Internal Error', ['Reason: Q.850;cause=38']), {
    at: 60,
    severity: 'error',
    side: 'peer',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 500 Server Internal Error after 400 ms: something went wrong inside it or behind it. It gives the reason: Q.850;cause=38.',
  })
  has(t, 'F14-server-error', refused(500, 'Server Internal Error', [], inbound()), {
    at: 60,
    side: 'us',
    sentence:
      'Asterisk (192.0.2.1:5080) answered the call to 1002 with 500 Server Internal Error after 400 ms: something went wrong inside Asterisk or on the leg behind it.',
  })
  lacks(t, 'F14-server-error', refused(501, 'Not Implemented'), 60, '501 is told as it is')
})

t.test('F15 service unavailable, with what the answer says itself', async (t) => {
  const leg = refused(503, 'Service Unavailable', ['Retry-After: 30', 'Reason: Q.850;cause=34'])
  t.equal(seen(leg, 60).state, 'failed')
  has(t, 'F15-service-unavailable', leg, {
    at: 60,
    severity: 'error',
    side: 'peer',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 503 Service Unavailable after 400 ms: it is overloaded, out of channels or out of service. It gives the reason: Q.850;cause=34. It asks to wait: Retry-After 30.',
  })
  const retried = refused(503, 'Service Unavailable')
    .at(1)
    .request('INVITE', { cseq: 2 })
    .response(180, 'Ringing', 'INVITE', { cseq: 2 })
  t.same(rules(retried, 3), ['C02-in-progress'], 'twin: the next try rings')
})

t.test('F16 loop detected', async (t) => {
  has(t, 'F16-loop-detected', refused(482, 'Loop Detected'), {
    at: 60,
    severity: 'error',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 482 Loop Detected after 400 ms: the request came back to a host that it had passed before.',
  })
  const merged = answered(outbound())
    .at(3)
    .request('MESSAGE', { cseq: 2, toTag: 'callee' })
    .response(482, 'Request Merged', 'MESSAGE', { cseq: 2 })
  lacks(t, 'F16-loop-detected', merged, 60, 'a merged MESSAGE')
})

t.test('F17 too many hops', async (t) => {
  const leg = outbound()
    .request('INVITE', { headers: ['Max-Forwards: 0'] })
    .at(0.02)
    .response(483, 'Too Many Hops', 'INVITE')
  has(t, 'F17-too-many-hops', leg, {
    at: 60,
    severity: 'error',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 483 Too Many Hops after 20 ms: it passed too many hops (Max-Forwards was 0 here), most likely in a circle between two systems.',
  })
  lacks(
    t,
    'F17-too-many-hops',
    outbound().request('OPTIONS').response(483, 'Too Many Hops', 'OPTIONS'),
    60,
    'OPTIONS with Max-Forwards 0 is a traceroute',
  )
})

t.test('F18 redirected', async (t) => {
  has(t, 'F18-redirected', refused(302, 'Moved Temporarily', ['Contact: <sip:1003@192.0.2.30>']), {
    at: 60,
    severity: 'info',
    side: 'user',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 302 Moved Temporarily after 400 ms: it sends the caller to sip:1003@192.0.2.30.',
  })
  const registrar = register().request('REGISTER').response(302, 'Moved Temporarily', 'REGISTER')
  lacks(t, 'F18-redirected', registrar, 60, 'a REGISTER')
})

t.test('F19 another service or proxy', async (t) => {
  has(t, 'F19-alternative-service', refused(380, 'Alternative Service'), {
    at: 60,
    severity: 'warning',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 380 Alternative Service after 400 ms: it wants the call to go through a proxy or another service.',
  })
  lacks(t, 'F19-alternative-service', refused(302, 'Moved Temporarily'), 60, '302')
})

t.test('F20 caller identity refused', async (t) => {
  has(t, 'F20-identity-refused', refused(428, 'Use Identity Header'), {
    at: 60,
    severity: 'error',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 428 Use Identity Header after 400 ms: it wants a signed caller identity (STIR/SHAKEN), and the INVITE has no Identity header.',
  })
  has(t, 'F20-identity-refused', refused(438, 'Invalid Identity Header'), {
    at: 60,
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 438 Invalid Identity Header after 400 ms: the signature of the caller identity is not valid.',
  })
  lacks(t, 'F20-identity-refused', refused(429, 'Provide Referrer Identity'), 60, '429')
})

t.test('F21 anonymous callers refused', async (t) => {
  has(t, 'F21-anonymous-refused', refused(433, 'Anonymity Disallowed'), {
    at: 60,
    severity: 'error',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 433 Anonymity Disallowed after 400 ms: it takes no calls without a caller number, and the caller was shown as 1001.',
  })
  lacks(t, 'F21-anonymous-refused', refused(403, 'Forbidden'), 60, '403')
})

t.test('F22 event package not supported', async (t) => {
  const leg = register()
    .request('SUBSCRIBE', { headers: ['Event: dialog'] })
    .response(489, 'Bad Event', 'SUBSCRIBE')
  has(t, 'F22-event-not-supported', leg, {
    at: 60,
    severity: 'info',
    sentence:
      'Asterisk (192.0.2.1:5080) does not support the event package "dialog" that alice (192.0.2.10:5060) asked for with SUBSCRIBE.',
  })
  lacks(
    t,
    'F22-event-not-supported',
    register()
      .request('SUBSCRIBE', { headers: ['Event: dialog'] })
      .response(200, 'OK', 'SUBSCRIBE'),
    60,
    'accepted',
  )
})

t.test('F00 any other refusal', async (t) => {
  has(t, 'F00-call-rejected', refused(499, 'Odd'), {
    at: 60,
    severity: 'error',
    sentence: 'acme (203.0.113.9:5060) answered the call to 004930123 with 499 Odd after 400 ms.',
  })
  has(t, 'F00-call-rejected', refused(300, 'Multiple Choices'), {
    at: 60,
    severity: 'info',
    title: 'Call redirected: 300 Multiple Choices',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 004930123 with 300 Multiple Choices after 400 ms.',
  })
  const glare = answered(outbound())
    .at(3)
    .request('INVITE', { cseq: 2, toTag: 'callee' })
    .response(491, 'Request Pending', 'INVITE', { cseq: 2 })
  lacks(t, 'F00-call-rejected', glare, 10, 'a refused re-INVITE')
})
