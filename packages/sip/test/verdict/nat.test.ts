import t from 'tap'
import { analyseCall } from '../../src/call.ts'
import type { CurrentOption } from '../../src/finding.ts'
import { answered, LegScript, micros, phone, sdpBody, trunk } from '../conversation.ts'
import { finding, has, inbound, judgesAlike, lacks, remarks, rules, seen } from './verdict-testing.ts'

const behindNat = { address: '198.51.100.7', port: 34_567, name: 'alice' }

const privateContact = { headers: ['Contact: <sip:1001@192.168.1.10:5060>'] }

const repeated200 = (leg: LegScript, headers: readonly string[] = []) => {
  for (const at of [2, 2.5, 3.5, 5.5, 9.5]) leg.at(at).response(200, 'OK', 'INVITE', { headers })
  return leg
}

t.test('A01 private address in the Contact', async (t) => {
  const call = (options = privateContact) =>
    new LegScript({ caller: behindNat }).request('INVITE', options).at(0.1).response(180, 'Ringing', 'INVITE')
  remarks(t, 'A01-private-contact', call(), {
    at: 5,
    side: 'peer',
    sentence:
      'alice (198.51.100.7:34567) names 192.168.1.10:5060 as its Contact, a private address, while its packets come from 198.51.100.7:34567: ACK, BYE and re-INVITE to it only arrive if the other side corrects that.',
  })
  lacks(
    t,
    'A01-private-contact',
    call({ headers: ['Contact: <sip:1001@198.51.100.7:34567>'] }),
    5,
    'the address it comes from',
  )
  lacks(
    t,
    'A01-private-contact',
    call({ headers: [...privateContact.headers, 'Record-Route: <sip:203.0.113.1;lr>'] }),
    5,
    'a proxy carries the requests',
  )
  const lan = new LegScript({
    caller: { address: '192.168.1.10', port: 5060 },
    callee: { address: '192.168.1.1', port: 5060 },
  })
  lacks(t, 'A01-private-contact', lan.request('INVITE', privateContact), 5, 'both are inside')
  const reached = call()
    .at(2)
    .response(200, 'OK', 'INVITE')
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-a' })
    .at(9)
    .request('BYE', { fromCallee: true })
    .response(200, 'OK', 'BYE', { fromCallee: true })
  lacks(t, 'A01-private-contact', reached, 60, 'the BYE reached it: the PBX rewrites the Contact')
})

t.test('A01 between private networks, proven by a BYE that gets no answer', async (t) => {
  const far = { address: '10.20.0.9', port: 5060, name: 'alice' }
  const call = (contact: string) => {
    const leg = new LegScript({ caller: far, callee: { address: '10.1.0.1', port: 5060 } })
      .request('INVITE', { headers: [`Contact: <sip:1001@${contact}>`] })
      .at(1)
      .response(200, 'OK', 'INVITE')
      .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-a' })
    for (const at of [20, 20.5, 21.5, 23.5])
      leg.at(at).request('BYE', { fromCallee: true, dst: { address: contact, port: 5060 } })
    return leg
  }
  has(t, 'A01-private-contact', call('192.168.77.2'), {
    at: 60,
    severity: 'warning',
    confidence: 'high',
    troubles: ['A01-private-contact', 'D11-bye-unanswered'],
    sentence:
      'alice (10.20.0.9:5060) names 192.168.77.2:5060 as its Contact, a private address, while its packets come from 10.20.0.9:5060: requests to it get no answer.',
  })
  lacks(
    t,
    'A01-private-contact',
    call('10.20.0.9'),
    60,
    'the Contact is where it comes from: it is just gone',
  )
})

const callForA01 = (kept: string) =>
  new LegScript({ caller: behindNat, toUser: '1001' })
    .request('REGISTER', privateContact)
    .response(200, 'OK', 'REGISTER', { headers: [`Contact: <sip:1001@${kept}>;expires=3600`] })

t.test('A01 in a registration: what the registrar keeps counts', async (t) => {
  remarks(t, 'A01-private-contact', callForA01('192.168.1.10:5060'), {
    at: 5,
    sentence:
      'alice (198.51.100.7:34567) names 192.168.1.10:5060 as its Contact, a private address, while its packets come from 198.51.100.7:34567: calls to it only arrive if the other side corrects that.',
  })
  lacks(t, 'A01-private-contact', callForA01('198.51.100.7:34567'), 5, 'Asterisk rewrote it')
})

t.test('A01 is the cause, A02 the effect: our 200 names a private address', async (t) => {
  const inside = { address: '10.0.0.5', port: 5060 }
  const leg = repeated200(
    new LegScript({ caller: trunk, callee: inside })
      .request('INVITE')
      .at(0.1)
      .response(180, 'Ringing', 'INVITE'),
    ['Contact: <sip:10.0.0.5:5060>'],
  )
  const said = has(t, 'A01-private-contact', leg, {
    at: 20,
    severity: 'error',
    side: 'us',
    troubles: ['A01-private-contact', 'A02-no-ack'],
    sentence:
      'Asterisk (10.0.0.5:5060) names 10.0.0.5:5060 as its Contact, a private address, while it talks to 203.0.113.9:5060: ACK, BYE and re-INVITE to it only arrive if the other side corrects that.',
  })
  t.same(said.options, [
    { option: 'external_signaling_address', object: 'transport', endpoint: 'acme' },
    { option: 'local_net', object: 'transport', endpoint: 'acme' },
  ])
})

t.test('A02 no ACK: the 200 is sent again and again', async (t) => {
  const leg = repeated200(inbound().request('INVITE').at(0.2).response(180, 'Ringing', 'INVITE'), [
    'Contact: <sip:1002@192.0.2.1:5080>',
  ])
  leg.at(34).request('BYE', { fromCallee: true }).response(200, 'OK', 'BYE', { fromCallee: true })
  t.equal(seen(leg, 60).state, 'failed')
  const said = has(t, 'A02-no-ack', leg, {
    at: 60,
    severity: 'error',
    side: 'network',
    confidence: 'high',
    sentence:
      'Asterisk (192.0.2.1:5080) answered with 200 OK and sent it 5 times in 7.5 s, but no ACK from alice (192.0.2.10:5060) was seen; the call ended 32 s after the answer.',
  })
  t.ok(said.checks[0]?.includes('sip:1002@192.0.2.1:5080'))
})

t.test(
  'A02 twins: an ACK after two repetitions; one 200 only, so the ACK may just not be captured',
  async (t) => {
    const late = inbound().request('INVITE')
    for (const at of [2, 2.5, 3.5]) late.at(at).response(200, 'OK', 'INVITE')
    late.at(3.6).request('ACK', { toTag: 'callee', branch: 'z9hG4bK-ack' })
    t.same(rules(late, 60), ['C02-in-progress'])
    t.same(rules(inbound().request('INVITE').at(2).response(200, 'OK', 'INVITE'), 60), ['C02-in-progress'])
  },
)

t.test('A02 twin: the 200 is repeated between other hosts, as behind a NAT', async (t) => {
  const leg = inbound().request('INVITE').at(2).response(200, 'OK', 'INVITE')
  const inner = { address: '172.17.0.2', port: 5080 }
  for (const [index, src] of [inner, { ...inner, address: '172.17.0.3' }].entries())
    leg.at(2 + index / 1000).response(200, 'OK', 'INVITE', { src })
  lacks(t, 'A02-no-ack', leg, 60, 'copies on the way are no repetitions')
})

t.test('A03 ended 32 s after the answer', async (t) => {
  const leg = inbound()
    .request('INVITE')
    .at(2)
    .response(200, 'OK', 'INVITE')
    .at(34)
    .request('BYE', { fromCallee: true })
    .response(200, 'OK', 'BYE', { fromCallee: true })
  has(t, 'A03-ended-at-timer-h', leg, {
    at: 60,
    severity: 'error',
    confidence: 'medium',
    sentence:
      'Asterisk (192.0.2.1:5080) answered and hung up 32 s later, which is how long it waits for the ACK; no ACK from alice (192.0.2.10:5060) was seen.',
  })
  const deaf = repeated200(inbound().request('INVITE'))
    .at(2.1)
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-a' })
  deaf.at(34).request('BYE', { fromCallee: true }).response(200, 'OK', 'BYE', { fromCallee: true })
  has(t, 'A03-ended-at-timer-h', deaf, {
    at: 60,
    severity: 'error',
    confidence: 'high',
    sentence:
      'Asterisk (192.0.2.1:5080) answered and hung up 32 s later, which is how long it waits for the ACK; an ACK was seen here, but the 200 was repeated all the same: it does not reach the program, or does not match the call.',
  })
  const talked = answered(inbound())
    .at(34)
    .request('BYE', { fromCallee: true })
    .response(200, 'OK', 'BYE', { fromCallee: true })
  t.same(rules(talked, 60), ['C01-completed'], 'twin: they talked for 32 s')
  const caller = inbound()
    .request('INVITE')
    .at(2)
    .response(200, 'OK', 'INVITE')
    .at(34)
    .request('BYE', { cseq: 2, toTag: 'callee' })
  lacks(t, 'A03-ended-at-timer-h', caller, 40, 'the caller hung up')
})

const callForA04 = (address: string, lines?: readonly string[]) =>
  new LegScript({ caller: behindNat })
    .request('INVITE', { body: sdpBody({ address, ...(lines && { lines }) }) })
    .at(0.1)
    .response(180, 'Ringing', 'INVITE')

t.test('A04 private address in the SDP', async (t) => {
  remarks(t, 'A04-private-media-address', callForA04('192.168.1.10'), {
    at: 5,
    side: 'peer',
    sentence:
      'alice (198.51.100.7:34567) wants its media at 192.168.1.10:4000, a private address that the other side cannot reach: one-way audio or none, unless the other side sends to where the media come from.',
  })
  lacks(t, 'A04-private-media-address', callForA04('198.51.100.7'), 5, 'a public address')
  const ice = [
    'm=audio 4000 UDP/TLS/RTP/SAVPF 8',
    'a=ice-ufrag:x',
    'a=candidate:1 1 udp 1 198.51.100.7 4000 typ srflx',
  ]
  lacks(t, 'A04-private-media-address', callForA04('192.168.1.10', ice), 5, 'ICE finds another')
  const lan = new LegScript({
    caller: { ...phone, address: '10.1.0.9' },
    callee: { address: '10.0.0.5', port: 5060 },
  })
  lacks(
    t,
    'A04-private-media-address',
    lan.request('INVITE', { body: sdpBody({ address: '10.1.0.9' }) }),
    5,
    'both are inside',
  )
  const ours = new LegScript({ caller: { address: '10.0.0.5', port: 5060 }, callee: trunk, direction: 'out' })
    .request('INVITE', { body: sdpBody({ address: '10.0.0.5' }) })
    .at(0.1)
    .response(180, 'Ringing', 'INVITE')
  t.equal(finding(ours, 5, 'A04-private-media-address').side, 'us')
  judgesAlike(t, ours, 5)
})

const natOption = (option: string, value: string, endpoint = 'alice'): CurrentOption => ({
  endpoint,
  object: 'endpoint',
  option,
  section: endpoint,
  value,
})

const judged = (leg: LegScript, ruleId: string, at: number, ...currentOptions: readonly CurrentOption[]) =>
  analyseCall(leg.messages, { nowMicros: micros(at), currentOptions }).findings.find(
    (one) => one.ruleId === ruleId,
  )

const natCall = () =>
  new LegScript({ caller: behindNat })
    .request('INVITE', privateContact)
    .at(0.1)
    .response(180, 'Ringing', 'INVITE')

t.test('A01 with the value of rewrite_contact that Asterisk says', async (t) => {
  const no = judged(natCall(), 'A01-private-contact', 5, natOption('rewrite_contact', 'no'))
  t.match(no, {
    severity: 'warning',
    sentence:
      'alice (198.51.100.7:34567) names 192.168.1.10:5060 as its Contact, a private address, while its packets come from 198.51.100.7:34567: ACK, BYE and re-INVITE to it go to that address, since rewrite_contact is no for it.',
    options: [
      {
        option: 'rewrite_contact',
        object: 'endpoint',
        endpoint: 'alice',
        value: 'no',
        sentence: 'rewrite_contact is no on endpoint alice',
      },
    ],
  })
  const yes = judged(natCall(), 'A01-private-contact', 5, natOption('rewrite_contact', 'yes'))
  t.match(yes, { severity: 'info', sentence: /come from instead, since rewrite_contact is yes for it\.$/ })
  const other = judged(natCall(), 'A01-private-contact', 5, natOption('rewrite_contact', 'no', 'bob'))
  t.match(other, { severity: 'info', options: [{ endpoint: 'alice' }] }, "twin: another endpoint's value")
  t.equal(other?.options[0]?.value, undefined)
  const registration = judged(
    callForA01('192.168.1.10:5060'),
    'A01-private-contact',
    5,
    natOption('rewrite_contact', 'no'),
  )
  t.match(registration, { severity: 'warning', sentence: /calls to it go to that address/ })
})

t.test('A01 is no cause of a lost ACK where rewrite_contact is yes', async (t) => {
  const leg = repeated200(new LegScript({ caller: behindNat }).request('INVITE', privateContact))
  t.equal(judged(leg, 'A01-private-contact', 20)?.severity, 'error')
  t.equal(judged(leg, 'A01-private-contact', 20, natOption('rewrite_contact', 'yes'))?.severity, 'info')
  t.equal(judged(leg, 'A02-no-ack', 20, natOption('rewrite_contact', 'yes'))?.severity, 'error')
})

t.test('A04 with the value of rtp_symmetric that Asterisk says', async (t) => {
  const no = judged(
    callForA04('192.168.1.10'),
    'A04-private-media-address',
    5,
    natOption('rtp_symmetric', 'no'),
  )
  t.match(no, {
    severity: 'warning',
    sentence:
      'alice (198.51.100.7:34567) wants its media at 192.168.1.10:4000, a private address that the other side cannot reach: Asterisk sends them there, since rtp_symmetric is no for it: one-way audio or none.',
  })
  t.ok(no?.options.some(({ sentence }) => sentence === 'rtp_symmetric is no on endpoint alice'))
  const yes = judged(
    callForA04('192.168.1.10'),
    'A04-private-media-address',
    5,
    natOption('rtp_symmetric', 'yes'),
  )
  t.match(yes, { severity: 'info', sentence: /since rtp_symmetric is yes for it\.$/ })
})

const callOurs = () =>
  new LegScript({ caller: { address: '10.0.0.5', port: 5060 }, callee: trunk, direction: 'out' })
    .request('INVITE', { body: sdpBody({ address: '10.0.0.5' }) })
    .at(0.1)
    .response(180, 'Ringing', 'INVITE')
const transportOption = (section: string, value: string): CurrentOption => ({
  endpoint: 'acme',
  object: 'transport',
  option: 'external_media_address',
  section,
  value,
})

const said = (...options: readonly CurrentOption[]) =>
  judged(callOurs(), 'A04-private-media-address', 5, ...options)?.options[0]

t.test('values of several sections are told with their names, hostile ones are shown', async (t) => {
  t.match(said(transportOption('udp', ''), transportOption('tcp', '')), {
    value: '',
    sentence: 'external_media_address is not set on transport udp, tcp',
  })
  t.match(said(transportOption('udp', ''), transportOption('tls', '203.0.113.1')), {
    value: 'not set (udp), 203.0.113.1 (tls)',
    sentence: 'external_media_address is not set (udp), 203.0.113.1 (tls)',
  })
  t.match(said(transportOption('udp', 'x\u202e\r\ny')), {
    sentence: 'external_media_address is x\\u{202e}\\x0d\\x0ay on transport udp',
  })
})

const hostCandidate = (address: string) => `a=candidate:1 1 UDP 2130706431 ${address} 4000 typ host`

const offering = (...lines: readonly string[]) =>
  new LegScript({ caller: behindNat })
    .request('INVITE', {
      body: sdpBody({ address: '198.51.100.7', lines: ['m=audio 4000 RTP/AVP 0', ...lines] }),
    })
    .at(0.1)
    .response(180, 'Ringing', 'INVITE')

t.test('A05 SDP rewritten in one place only', async (t) => {
  remarks(t, 'A05-rewritten-sdp', offering(hostCandidate('192.168.1.10')), {
    at: 5,
    side: 'network',
    sentence:
      'The SDP of alice (198.51.100.7:34567) has 198.51.100.7 in c= for audio, and beside it 192.168.1.10, a private address: something between changed the one and not the other, and ICE or RTCP may fail.',
  })
  remarks(t, 'A05-rewritten-sdp', offering('a=rtcp:4001 IN IP4 10.0.0.5'), {
    at: 5,
    sentence:
      'The SDP of alice (198.51.100.7:34567) has 198.51.100.7 in c= for audio, and beside it 10.0.0.5, a private address: something between changed the one and not the other, and ICE or RTCP may fail.',
  })
  const healthy = offering(hostCandidate('192.168.1.10'), hostCandidate('198.51.100.7'))
  lacks(t, 'A05-rewritten-sdp', healthy, 5, 'the device found its public address itself')
  lacks(t, 'A05-rewritten-sdp', offering('a=rtcp:4001'), 5, 'a=rtcp with a port only')
})

const hungUpAt = (uri: string | undefined, status: number, headers: readonly string[] = []) =>
  answered(inbound(), headers)
    .at(20)
    .request('BYE', { cseq: 2, toTag: 'callee', ...(uri !== undefined && { uri }) })
    .at(20.01)
    .response(status, status === 200 ? 'OK' : 'Not Found', 'BYE', { cseq: 2 })

t.test('A06 request sent past the Contact or the route', async (t) => {
  const elsewhere = 'sip:1002@pbx.example.com'
  has(t, 'A06-wrong-target', hungUpAt(elsewhere, 404), {
    at: 60,
    severity: 'warning',
    side: 'peer',
    sentence:
      'The BYE of alice (192.0.2.10:5060) goes to sip:1002@pbx.example.com, but the Contact of Asterisk (192.0.2.1:5080) is sip:1002@192.0.2.1:5080: it was answered 404 Not Found.',
  })
  lacks(t, 'A06-wrong-target', hungUpAt(undefined, 404), 60, 'it goes to the Contact')
  lacks(t, 'A06-wrong-target', hungUpAt('sip:192.0.2.1:5080', 404), 60, 'the user may be left out')
  lacks(t, 'A06-wrong-target', hungUpAt(elsewhere, 200), 60, 'it was understood all the same')

  const proxy = ['Record-Route: <sip:203.0.113.50;lr>']
  has(t, 'A06-wrong-target', hungUpAt(undefined, 404, proxy), {
    at: 60,
    sentence:
      'The BYE of alice (192.0.2.10:5060) has no Route, although the message that Asterisk (192.0.2.1:5080) named its Contact in has a Record-Route: it was answered 404 Not Found.',
  })
  const routed = answered(inbound(), proxy)
    .at(20)
    .request('BYE', { cseq: 2, toTag: 'callee', headers: ['Route: <sip:203.0.113.50;lr>'] })
    .at(20.01)
    .response(404, 'Not Found', 'BYE', { cseq: 2 })
  lacks(t, 'A06-wrong-target', routed, 60, 'it goes along the route')

  const lost = answered(inbound())
  for (const at of [20, 20.5, 21.5, 23.5, 27.5])
    lost.at(at).request('BYE', { cseq: 2, toTag: 'callee', uri: elsewhere })
  has(t, 'A06-wrong-target', lost, {
    at: 60,
    sentence:
      'The BYE of alice (192.0.2.10:5060) goes to sip:1002@pbx.example.com, but the Contact of Asterisk (192.0.2.1:5080) is sip:1002@192.0.2.1:5080: it got no answer.',
    troubles: ['A06-wrong-target', 'D11-bye-unanswered'],
  })
  lacks(t, 'A06-wrong-target', lost, 30, 'an answer may still come')
  const rewritten = new LegScript({ caller: behindNat })
    .request('INVITE', { withSdp: true, ...privateContact })
    .at(1)
    .response(200, 'OK', 'INVITE', { headers: ['Contact: <sip:1002@192.0.2.1:5080>'] })
    .at(1.1)
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-ack' })
    .at(20)
    .request('BYE', { fromCallee: true, uri: 'sip:1001@198.51.100.7:34567' })
    .response(481, 'Call/Transaction Does Not Exist', 'BYE', { fromCallee: true })
  lacks(t, 'A06-wrong-target', rewritten, 60, 'Asterisk sends to where the packets come from')
})

t.test('A06 an ACK that goes past the Contact', async (t) => {
  const leg = repeated200(inbound().request('INVITE', { withSdp: true }), [
    'Contact: <sip:1002@192.0.2.1:5080>',
  ])
  const ack = (uri: string) => [
    ...leg.messages,
    ...inbound().at(2.1).request('ACK', { toTag: 'callee', branch: 'z9hG4bK-ack', uri }).messages,
  ]
  t.equal(
    finding(ack('sip:1002@pbx.example.com'), 12, 'A06-wrong-target').sentence,
    'The ACK of alice (192.0.2.10:5060) goes to sip:1002@pbx.example.com, but the Contact of Asterisk (192.0.2.1:5080) is sip:1002@192.0.2.1:5080: the 200 was repeated 4 times after it.',
  )
  lacks(t, 'A06-wrong-target', ack('sip:1002@192.0.2.1:5080'), 12, 'it goes to the Contact')
})
