import t from 'tap'
import { buildLadder, type Ladder } from '../src/ladder.ts'
import type { Host, ObservedMessage } from '../src/observed-message.ts'
import { answered, LegScript, pbx, phone, startMicros, toMessage, trunk } from './conversation.ts'

/** `alice>pbx INVITE` for each arrow: lanes by name, else by key. */
function drawn(ladder: Ladder): string[] {
  const name = (index: number) => ladder.lanes[index]?.name || ladder.lanes[index]?.key
  return ladder.arrows.map(({ fromLane, toLane, label }) => `${name(fromLane)}>${name(toLane)} ${label}`)
}

/** A call from the phone through the PBX to the trunk. */
function twoLegs(hosts = { phone, pbx, pbxOut: pbx, trunk }): ObservedMessage[] {
  const a = new LegScript({ callId: 'a', caller: hosts.phone, callee: hosts.pbx })
  const b = new LegScript({ callId: 'b', caller: hosts.pbxOut, callee: hosts.trunk, direction: 'out' })
  a.at(0).request('INVITE', { withSdp: true }).at(0.01).response(100, 'Trying', 'INVITE')
  b.at(0.02).request('INVITE', { withSdp: true }).at(0.1).response(180, 'Ringing', 'INVITE')
  a.at(0.11).response(180, 'Ringing', 'INVITE')
  b.at(2).response(200, 'OK', 'INVITE', { withSdp: true })
  a.at(2.01).response(200, 'OK', 'INVITE', { withSdp: true })
  return [...b.messages, ...a.messages]
}

function at(port: number, name?: string): Host {
  return { address: '127.0.0.1', port, name }
}

const expected = [
  'alice>192.0.2.1 INVITE',
  '192.0.2.1>alice 100 Trying',
  '192.0.2.1>acme INVITE',
  'acme>192.0.2.1 180 Ringing',
  '192.0.2.1>alice 180 Ringing',
  'acme>192.0.2.1 200 OK (INVITE)',
  '192.0.2.1>alice 200 OK (INVITE)',
]

t.test('two legs are one ladder: caller, PBX, callee, both ways and in order', async (t) => {
  const ladder = buildLadder(twoLegs())
  t.same(
    ladder.lanes.map(({ key, hosts, name, isPbx }) => ({ key, hosts, name, isPbx })),
    [
      { key: '192.0.2.10', hosts: [{ address: '192.0.2.10', ports: [5060] }], name: 'alice', isPbx: false },
      { key: '192.0.2.1', hosts: [{ address: '192.0.2.1', ports: [5080] }], name: '', isPbx: true },
      { key: '203.0.113.9', hosts: [{ address: '203.0.113.9', ports: [5060] }], name: 'acme', isPbx: false },
    ],
  )
  t.same(drawn(ladder), expected)
  t.equal(ladder.arrows[0]?.offsetMicros, 0)
  t.equal(ladder.arrows[3]?.offsetMicros, 100_000)
  t.equal(ladder.arrows[0]?.atMicros, startMicros, 'the time is the time of the message, not one of 1970')
  t.equal(ladder.arrows[0]?.detail, 'to 1002 · SDP audio PCMA PCMU')
  t.same(
    ladder.arrows.map(({ hasSdp }) => hasSdp),
    [true, false, true, false, false, true, true],
  )
  t.same(
    ladder.arrows.map(({ status }) => status),
    [null, 100, null, 180, 180, 200, 200],
  )
})

t.test('everything on 127.0.0.1: lanes by port, and no arrow to its own lane', async (t) => {
  const ladder = buildLadder(
    twoLegs({ phone: at(5061, 'alice'), pbx: at(5080), pbxOut: at(5080), trunk: at(5090, 'acme') }),
  )
  t.same(
    ladder.lanes.map(({ key, hosts }) => [key, hosts[0]?.ports]),
    [
      ['127.0.0.1:5061', [5061]],
      ['127.0.0.1:5080', [5080]],
      ['127.0.0.1:5090', [5090]],
    ],
  )
  t.same(
    drawn(ladder),
    expected.map((line) => line.replaceAll('192.0.2.1', '127.0.0.1:5080')),
  )
  t.notOk(ladder.arrows.some(({ fromLane, toLane }) => fromLane === toLane))
})

t.test('the PBX is one lane on loopback although TCP gives it a new port to the trunk', async (t) => {
  const ladder = buildLadder(twoLegs({ phone: at(5061), pbx: at(5080), pbxOut: at(40_123), trunk: at(5090) }))
  t.same(
    ladder.lanes.map(({ key, hosts }) => [key, hosts[0]?.ports]),
    [
      ['127.0.0.1:5061', [5061]],
      ['127.0.0.1:5080', [5080, 40_123]],
      ['127.0.0.1:5090', [5090]],
    ],
  )
})

t.test('Asterisk calling itself on one port has a calling and a called lane', async (t) => {
  const leg = answered(new LegScript({ caller: pbx, callee: pbx, direction: 'unknown' }))
  leg.at(5).request('BYE', { fromCallee: true }).at(5.1).response(200, 'OK', 'BYE', { fromCallee: true })
  const ladder = buildLadder(leg.messages)
  t.same(
    ladder.lanes.map(({ name }) => name),
    ['Asterisk (calling)', 'Asterisk (called)'],
  )
  t.same(
    ladder.arrows.map(({ fromLane, label }) => `${fromLane} ${label}`),
    ['0 INVITE', '1 100 Trying', '1 180 Ringing', '1 200 OK (INVITE)', '0 ACK', '1 BYE', '0 200 OK (BYE)'],
  )
})

t.test('both sides on port 5060: the arrows still go both ways', async (t) => {
  const ladder = buildLadder(
    answered(new LegScript({ callee: { address: '192.0.2.1', port: 5060 }, direction: 'unknown' })).messages,
  )
  t.same(
    ladder.arrows.map(({ fromLane, toLane }) => [fromLane, toLane]),
    [
      [0, 1],
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 1],
    ],
  )
})

t.test(
  'the history tap knows only the far side: the near one is Asterisk, or the PBX address once it is known',
  async (t) => {
    const nowhere = { address: '', port: 0 }
    const strip = (message: ObservedMessage): ObservedMessage => ({
      ...message,
      id: `${message.id}-h`,
      source: 'ami-history',
      atMicros: Math.floor(message.atMicros / 1_000_000) * 1_000_000,
      src: message.direction === 'in' ? message.src : nowhere,
      dst: message.direction === 'in' ? nowhere : message.dst,
    })
    const alone = buildLadder(answered(new LegScript()).messages.map(strip))
    t.same(
      alone.lanes.map(({ key, name }) => [key, name]),
      [
        ['192.0.2.10', 'alice'],
        ['pbx', 'Asterisk'],
      ],
    )
    t.same(
      alone.arrows.map(({ label }) => label),
      ['INVITE', '100 Trying', '180 Ringing', '200 OK (INVITE)', 'ACK'],
      'whole-second stamps do not mix up the order',
    )
    const shuffled = buildLadder(answered(new LegScript()).messages.map(strip).toReversed())
    t.same(
      shuffled.arrows.map(({ label }) => label),
      ['INVITE', '100 Trying', '180 Ringing', '200 OK (INVITE)', 'ACK'],
    )
    const { messages } = answered(new LegScript())
    const mixed = buildLadder([...messages.slice(0, 2), ...messages.map(strip)])
    t.same(
      mixed.lanes.map(({ key }) => key),
      ['192.0.2.10', '192.0.2.1'],
    )
    t.same(
      mixed.arrows.map(({ sources }) => sources.length),
      [2, 2, 1, 1, 1],
    )
  },
)

t.test('100 does not stand before its INVITE because a stamp was cut to milliseconds', async (t) => {
  const leg = new LegScript({ direction: 'out' })
    .at(0.0009)
    .request('INVITE')
    .at(0)
    .response(100, 'Trying', 'INVITE')
    .at(0.5)
    .response(200, 'OK', 'INVITE')
    .at(0.4995)
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-ack' })
  const { arrows } = buildLadder(leg.messages)
  t.same(
    arrows.map(({ label }) => label),
    ['INVITE', '100 Trying', '200 OK (INVITE)', 'ACK'],
  )
  t.ok(arrows.every(({ offsetMicros }) => offsetMicros >= 0))
})

t.test('a capture that begins with an answer keeps its order and its sides', async (t) => {
  const { messages } = answered(new LegScript())
  const ladder = buildLadder(messages.slice(2))
  t.same(drawn(ladder), [
    '192.0.2.1>alice 180 Ringing',
    '192.0.2.1>alice 200 OK (INVITE)',
    'alice>192.0.2.1 ACK',
  ])
})

t.test('retransmissions are marked, re-INVITEs and reasons are in the detail', async (t) => {
  const leg = answered(new LegScript())
    .at(3)
    .request('INVITE', { cseq: 2, toTag: 'callee' })
    .at(3.5)
    .request('INVITE', { cseq: 2, toTag: 'callee' })
    .at(4)
    .request('BYE', { cseq: 3, toTag: 'callee', headers: ['Reason: Q.850;cause=16'] })
  const { arrows } = buildLadder(leg.messages)
  t.same(
    arrows
      .slice(5)
      .map(({ label, detail, repeatOf, repeats }) => [label, detail, repeatOf !== null, repeats]),
    [
      ['INVITE', 're-INVITE', false, 1],
      ['INVITE', '', true, 0],
      ['BYE', 'Q.850;cause=16', false, 0],
    ],
  )
})

t.test('two phones behind one address have a lane each; hostile names are made visible', async (t) => {
  const a = new LegScript({ callId: 'a' }).request('REGISTER')
  const b = new LegScript({ callId: 'b', caller: { ...phone, port: 5062, name: 'b\u202Eob\n' } })
    .at(1)
    .request('REGISTER')
  const ladder = buildLadder([...a.messages, ...b.messages])
  t.same(
    ladder.lanes.map(({ name, hosts }) => [name, hosts[0]?.ports]),
    [
      ['alice', [5060]],
      ['', [5080]],
      ['b\\u{202e}ob\\x0a', [5062]],
    ],
  )
})

t.test('nothing, and nonsense, make an empty or a plain ladder', async (t) => {
  t.same(buildLadder([]), { lanes: [], legs: [], arrows: [], media: [], sightings: [] })
  const [first] = new LegScript().request('OPTIONS').messages
  if (!first) throw new Error('no message')
  const nowhere = { address: '', port: 0 }
  const ladder = buildLadder([
    { ...first, src: nowhere, dst: nowhere, message: toMessage('SIP/2.0 0 x\r\n\r\n') },
  ])
  t.equal(ladder.arrows[0]?.label, 'SIP/2.0 0 x')
  t.not(ladder.arrows[0]?.fromLane, ladder.arrows[0]?.toLane)
})
