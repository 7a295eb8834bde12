import t from 'tap'
import { answered, LegScript, pbx, sdpBody, trunk } from '../conversation.ts'
import { has, inbound, lacks, outbound, register, rules, seen } from './verdict-testing.ts'

const inviteTimes = [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]

const unanswered = (leg = outbound(), options = {}) => {
  for (const at of inviteTimes) leg.at(at).request('INVITE', options)
  return leg
}

t.test('N01 no response at all', async (t) => {
  t.equal(seen(unanswered(), 64).state, 'failed')
  has(t, 'N01-invite-unanswered', unanswered(), {
    at: 64,
    severity: 'error',
    side: 'network',
    confidence: 'high',
    sentence:
      'Asterisk (192.0.2.1:5080) sent the INVITE for 004930123 to acme (203.0.113.9:5060) 7 times in 31.5 s, and no response was seen, not even 100 Trying.',
  })
  const live = outbound().request('INVITE').at(0.5).request('INVITE').at(1.5).request('INVITE')
  has(t, 'N01-invite-unanswered', live, {
    at: 2,
    severity: 'warning',
    title: 'No answer to INVITE so far',
    sentence:
      'Asterisk (192.0.2.1:5080) sent the INVITE for 004930123 to acme (203.0.113.9:5060) 3 times in 1.5 s, and no response so far was seen, not even 100 Trying.',
  })
  t.equal(seen(live, 2).state, 'setting-up')
})

t.test('N01 twins: just sent; answered with 100; the answer was only not captured', async (t) => {
  t.same(rules(outbound().request('INVITE').at(0.5).request('INVITE'), 1), ['C02-in-progress'])
  const trying = outbound().request('INVITE').response(100, 'Trying', 'INVITE')
  lacks(t, 'N01-invite-unanswered', trying, 60, 'answered with 100')
  const oneWay = outbound()
    .request('INVITE')
    .at(3)
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-ack' })
    .at(60)
    .request('BYE', { cseq: 2, toTag: 'callee' })
  lacks(t, 'N01-invite-unanswered', oneWay, 70, 'a BYE inside the dialog proves that there was an answer')
  t.equal(seen(oneWay, 70).state, 'completed')
})

t.test('an unanswered request that was not even repeated may have been answered unseen', async (t) => {
  const once = outbound().request('INVITE')
  has(t, 'N01-invite-unanswered', once, {
    at: 60,
    confidence: 'low',
    sentence:
      'Asterisk (192.0.2.1:5080) sent the INVITE for 004930123 to acme (203.0.113.9:5060) once, and no response was seen, not even 100 Trying. It was not repeated either, so an answer may have come that was not captured.',
  })
})

const tryingForN02 = () => outbound().request('INVITE').at(0.1).response(100, 'Trying', 'INVITE')

t.test('N02 only 100 Trying', async (t) => {
  const givenUp = tryingForN02()
    .at(20)
    .request('CANCEL')
    .response(200, 'OK', 'CANCEL')
    .at(20.1)
    .response(487, 'Request Terminated', 'INVITE')
  has(t, 'N02-only-trying', givenUp, {
    at: 60,
    severity: 'error',
    side: 'peer',
    sentence:
      'acme (203.0.113.9:5060) took the INVITE for 004930123 with 100 Trying and then said nothing; Asterisk (192.0.2.1:5080) gave up after 20 s.',
  })
  has(t, 'N02-only-trying', tryingForN02(), {
    at: 60,
    severity: 'warning',
    title: 'Only 100 Trying so far',
    sentence:
      'acme (203.0.113.9:5060) took the INVITE for 004930123 with 100 Trying and then said nothing for 1 min so far.',
  })
  lacks(t, 'N02-only-trying', tryingForN02(), 10, 'too early to say')
  const ringing = tryingForN02()
    .at(1)
    .response(180, 'Ringing', 'INVITE')
    .at(20)
    .request('CANCEL')
    .response(487, 'Request Terminated', 'INVITE')
  lacks(t, 'N02-only-trying', ringing, 60, 'it rang')
  const hasty = tryingForN02()
    .at(3)
    .request('CANCEL')
    .response(200, 'OK', 'CANCEL')
    .response(487, 'Request Terminated', 'INVITE')
  t.same(rules(hasty, 60), ['S01-cancelled'], 'twin: the caller changed his mind after 3 s')
})

const behindNat = { address: '198.51.100.7', port: 34_567, name: 'alice' }

t.test('N03 responses go to the wrong port', async (t) => {
  const goal = { dst: { ...behindNat, port: 5060 } }
  const leg = new LegScript({ caller: behindNat })
    .request('INVITE')
    .at(0.01)
    .response(100, 'Trying', 'INVITE', goal)
    .at(0.02)
    .response(180, 'Ringing', 'INVITE', goal)
    .at(0.5)
    .request('INVITE')
    .at(1.5)
    .request('INVITE')
  has(t, 'N03-responses-astray', leg, {
    at: 2,
    severity: 'warning',
    side: 'us',
    sentence:
      'alice (198.51.100.7:34567) sent the INVITE, but Asterisk (192.0.2.1:5080) sends its answers to 198.51.100.7:5060; the INVITE was repeated twice after that, so they did not arrive.',
  })
  const heard = new LegScript({ caller: behindNat })
    .request('INVITE')
    .at(0.01)
    .response(100, 'Trying', 'INVITE', goal)
    .at(0.02)
    .response(180, 'Ringing', 'INVITE', goal)
  lacks(t, 'N03-responses-astray', heard, 5, 'the request is not repeated, so the answers arrive')
})

t.test('N04 answers do not arrive', async (t) => {
  const leg = inbound()
    .request('INVITE')
    .at(0.01)
    .response(100, 'Trying', 'INVITE')
    .response(180, 'Ringing', 'INVITE')
  for (const at of [0.5, 1.5, 3.5, 7.5]) leg.at(at).request('INVITE')
  has(t, 'N04-responses-not-received', leg, {
    at: 8,
    severity: 'warning',
    side: 'network',
    sentence:
      'Asterisk (192.0.2.1:5080) answered the INVITE of alice (192.0.2.10:5060), and it came again 4 times all the same: the answers do not arrive there.',
  })
  const lostOne = register()
    .request('REGISTER')
    .at(0.01)
    .response(200, 'OK', 'REGISTER')
    .at(0.5)
    .request('REGISTER')
    .response(200, 'OK', 'REGISTER')
  lacks(t, 'N04-responses-not-received', lostOne, 8, 'one answer was lost, the next arrived')
  const crossed = answered(inbound().at(0.3).request('INVITE').at(0.5).request('INVITE'))
  lacks(t, 'N04-responses-not-received', crossed, 8, 'the ACK proves that the answer arrived')
})

const manyLines = Array.from(
  { length: 60 },
  (_, index) => `a=rtpmap:${96 + (index % 30)} codec-of-some-length-${index}/8000`,
)

t.test('N05 a large INVITE over UDP', async (t) => {
  const large = { body: sdpBody({ lines: ['m=audio 4000 RTP/AVP 8', ...manyLines] }) }
  has(t, 'N05-large-invite-unanswered', unanswered(outbound(), large), {
    at: 64,
    severity: 'error',
    confidence: 'medium',
    sentence:
      'Asterisk (192.0.2.1:5080) sent the INVITE for 004930123 to acme (203.0.113.9:5060) 7 times in 31.5 s over UDP, and nothing came back. It has 2961 bytes and travels in fragments, which are often dropped on the way; or nobody is there.',
  })
  lacks(t, 'N05-large-invite-unanswered', unanswered(), 64, 'a small one')
  const answeredLarge = outbound().request('INVITE', large).at(0.1).response(100, 'Trying', 'INVITE')
  lacks(t, 'N05-large-invite-unanswered', answeredLarge, 64, 'it was answered')
})

t.test('N06 silence on a connection', async (t) => {
  const leg = new LegScript({ caller: pbx, callee: trunk, direction: 'out', transport: 'TLS' }).request(
    'INVITE',
  )
  has(t, 'N06-connection-silent', leg, {
    at: 64,
    severity: 'error',
    confidence: 'medium',
    sentence:
      'Asterisk (192.0.2.1:5080) sent the INVITE to 1002 over TLS to acme (203.0.113.9:5060), and no SIP came back: the connection is dead or was refused, or what came was not captured.',
  })
  lacks(t, 'N06-connection-silent', leg, 10, 'an answer may still come')
  lacks(t, 'N06-connection-silent', outbound().request('INVITE'), 64, 'over UDP')
  const registration = new LegScript({
    caller: pbx,
    callee: trunk,
    direction: 'out',
    transport: 'TCP',
    toUser: 'me',
  }).request('REGISTER')
  has(t, 'N06-connection-silent', registration, {
    at: 64,
    sentence:
      'Asterisk (192.0.2.1:5080) sent the registration of me@pbx.example.com over TCP to acme (203.0.113.9:5060), and no SIP came back: the connection is dead or was refused, or what came was not captured.',
  })
})

t.test('N08 OPTIONS unanswered or answered late', async (t) => {
  const leg = outbound().request('OPTIONS').at(0.5).request('OPTIONS')
  t.equal(seen(leg, 60).state, 'other')
  has(t, 'N08-options-unanswered', leg, {
    at: 60,
    severity: 'warning',
    side: 'network',
    sentence:
      'Asterisk (192.0.2.1:5080) sent OPTIONS to acme (203.0.113.9:5060) twice in 500 ms, and no answer was seen: it is not reachable.',
  })
  t.same(rules(leg, 2), [], 'twin: an answer may still come')
  lacks(t, 'N08-options-unanswered', leg.at(1).response(200, 'OK', 'OPTIONS'), 60, 'answered')
  const late = outbound().request('OPTIONS').at(0.5).request('OPTIONS').at(3.4).response(200, 'OK', 'OPTIONS')
  has(t, 'N08-options-unanswered', late, {
    at: 60,
    severity: 'warning',
    title: 'OPTIONS answered late',
    sentence:
      'acme (203.0.113.9:5060) answered the OPTIONS of Asterisk (192.0.2.1:5080) only after 3.4 s, later than the usual qualify_timeout of 3 s.',
  })
})

t.test('N09 OPTIONS refused', async (t) => {
  const leg = outbound().request('OPTIONS').at(0.02).response(404, 'Not Found', 'OPTIONS')
  has(t, 'N09-options-refused', leg, {
    at: 60,
    severity: 'info',
    side: 'none',
    sentence:
      'acme (203.0.113.9:5060) answered the OPTIONS of Asterisk (192.0.2.1:5080) with 404 Not Found: it is alive, and by default that counts as reachable.',
  })
  lacks(
    t,
    'N09-options-refused',
    outbound().request('OPTIONS').response(200, 'OK', 'OPTIONS'),
    60,
    'answered with 200',
  )
})
