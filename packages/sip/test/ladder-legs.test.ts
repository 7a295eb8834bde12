import { SipStory } from '@sip-capture/testing/sip-story.ts'
import {
  pbxHost,
  storyOfNoAck,
  storyOfRingAll,
  storyOfTransfer,
  storyStart,
} from '@sip-capture/testing/sip-stories.ts'
import t from 'tap'
import { buildLadder, type Ladder } from '../src/ladder.ts'
import { ladderText } from '../src/ladder-text.ts'
import { LegScript, micros } from './conversation.ts'
import { toObserved } from './stories.ts'

const lanesOf = (ladder: Ladder) =>
  ladder.lanes.map(({ name, hosts, isPbx }) => `${name || '-'} ${hosts[0]?.address}${isPbx ? ' PBX' : ''}`)
const seconds = (micros: number | null) => (micros === null ? null : (micros - storyStart) / 1_000_000)
const later = { seenUntilMicros: storyStart + 600_000_000 }
const ghostsOf = (ladder: Ladder) =>
  ladder.arrows.flatMap(({ ghost, label, fromLane, toLane }) =>
    ghost === null ? [] : [`${fromLane}>${toLane} ${label} (${ghost.rfc})`],
  )

t.test('two users behind one address have a lane each, whether or not a port tells them apart', async (t) => {
  for (const isOneSocket of [false, true])
    for (const hasDirection of [true, false]) {
      const ladder = buildLadder(toObserved(storyOfTransfer({ isOneSocket }), { hasDirection }))
      t.same(lanesOf(ladder), ['1001 198.51.100.7', '- 203.0.113.2 PBX', '1002 198.51.100.7', '- 192.0.2.30'])
      t.equal(ladder.sightings.length, 40)
      t.notOk(ladder.arrows.some(({ fromLane, toLane }) => fromLane === toLane))
      t.same(
        ladder.legs.map(({ number, callId, fromLane, toLane, messages }) => [
          number,
          callId,
          fromLane,
          toLane,
          messages,
        ]),
        [
          [1, 'leg-a@phone', 0, 1, 14],
          [2, 'leg-b@pbx', 1, 2, 20],
          [3, 'leg-c@pbx', 1, 3, 6],
        ],
      )
    }
})

t.test('a trunk that several numbers come and go through is one lane', async (t) => {
  const story = new SipStory(pbxHost, storyStart)
  const carrier = { address: '192.0.2.200', port: 5060, name: 'carrier-a' }
  story.leg('in', { user: '+4420', host: carrier }, { user: '600', host: pbxHost }).request('INVITE')
  story.at(1).leg('out', { user: '+4420', host: pbxHost }, { user: '+4930', host: carrier }).request('INVITE')
  t.same(lanesOf(buildLadder(toObserved(story.seen))), ['carrier-a 192.0.2.200', '- 203.0.113.2 PBX'])
})

t.test('a PBX of two addresses is one lane with both', async (t) => {
  const inner = { address: '10.0.0.1', port: 5060 }
  const story = new SipStory(pbxHost, storyStart)
  const seen = [
    ...(story
      .leg('a', { user: '1', host: { address: '10.0.0.9', port: 5060 } }, { user: '2', host: pbxHost })
      .request('INVITE') && story.seen),
  ]
  const outer = new SipStory(inner, storyStart)
  outer
    .at(1)
    .leg('b', { user: '1', host: inner }, { user: '2', host: { address: '192.0.2.8', port: 5060 } })
    .request('INVITE')
  const ladder = buildLadder(toObserved([...seen, ...outer.seen]))
  t.same(
    ladder.lanes.map(({ hosts }) => hosts.map(({ address }) => address)),
    [['10.0.0.9'], ['203.0.113.2', '10.0.0.1'], ['192.0.2.8']],
  )
})

t.test('two PBXs that call each other, both watched, stay two lanes', async (t) => {
  const far = { address: '192.0.2.8', port: 5060 }
  const story = new SipStory(pbxHost, storyStart)
  story
    .leg('a', { user: '1', host: pbxHost }, { user: '2', host: far })
    .request('INVITE')
    .answer(200, 'OK', 'INVITE')
  const here = toObserved(story.seen, { source: 'ami-hep' })
  const there = here.map((message) => ({
    ...message,
    id: `${message.id}-far`,
    direction: message.direction === 'in' ? ('out' as const) : ('in' as const),
  }))
  const ladder = buildLadder([...here, ...there])
  t.equal(ladder.lanes.length, 2)
  t.equal(ladder.arrows.length, 2)
  t.notOk(ladder.arrows.some(({ fromLane, toLane }) => fromLane === toLane))
})

t.test('a ring-all is one ladder: the caller, the PBX, and a lane for each phone', async (t) => {
  const ladder = buildLadder(toObserved(storyOfRingAll()), later)
  t.same(
    ladder.lanes.map(({ name }) => name),
    ['carrier-a', '', 'phone-2001', 'phone-2002', 'phone-2003'],
  )
  t.same(ghostsOf(ladder), [])
  t.same(
    ladder.media.map(({ callId, callerLane, calleeLane }) => [callId, callerLane, calleeLane]),
    [
      ['out-2002@pbx', 1, 3],
      ['in@carrier', 0, 1],
    ],
    'media only where someone answered',
  )
})

t.test('click to dial: the PBX stands between the two it calls', async (t) => {
  const story = new SipStory(pbxHost, storyStart)
  for (const [index, user] of ['1', '2'].entries())
    story
      .at(index)
      .leg(user, { user: 'x', host: pbxHost }, { user, host: { address: `192.0.2.${user}`, port: 5060 } })
      .request('INVITE')
  t.same(lanesOf(buildLadder(toObserved(story.seen))), ['- 192.0.2.1', '- 203.0.113.2 PBX', '- 192.0.2.2'])
})

t.test('what an SDP changes is said at its arrow, and a refresh is no change', async (t) => {
  const { arrows } = buildLadder(toObserved(storyOfTransfer()))
  t.same(
    arrows.flatMap(({ number, sdpChanges }) => (sdpChanges.length === 0 ? [] : [[number, ...sdpChanges]])),
    [
      [15, 'hold (sendonly)'],
      [16, 'held (recvonly)'],
      [18, 'resume'],
      [19, 'resume'],
      [21, 'codec PCMA G722 → G722 PCMA'],
      [23, 'codec PCMA → G722'],
    ],
  )
  t.match(arrows[3]?.detail, 'to 1002 · SDP as before')
  t.match(arrows[24]?.detail, 'to 1003')
})

t.test('address, port, RFC 2543 hold, and media that come and go are changes', async (t) => {
  const story = new SipStory(pbxHost, storyStart)
  const leg = story.leg(
    'c',
    { user: '1', host: { address: '192.0.2.9', port: 5060 } },
    { user: '2', host: pbxHost },
  )
  const change = (cseq: number, sdp: Parameters<typeof leg.request>[1] & object) => {
    story.at(cseq)
    leg.request('INVITE', { cseq, ...sdp })
  }
  change(1, { sdp: { address: '192.0.2.9' } })
  change(2, { sdp: { address: '192.0.2.10', port: 4004 } })
  change(3, { sdp: { address: '0.0.0.0', port: 4004 } })
  change(4, { sdp: { address: '192.0.2.10', port: 4004, videoPort: 5000 } })
  change(5, { sdp: { address: '192.0.2.10', port: 4004, videoPort: 0 } })
  t.same(
    buildLadder(toObserved(story.seen)).arrows.map(({ sdpChanges }) => sdpChanges),
    [
      [],
      ['address 192.0.2.9 → 192.0.2.10', 'port 4000 → 4004'],
      ['hold (0.0.0.0)'],
      ['audio: resume', '+ video VP8'],
      ['− video'],
    ],
  )
})

t.test('media flow by SDP from the answer to the BYE, with codec and direction', async (t) => {
  const { media } = buildLadder(toObserved(storyOfTransfer()))
  t.same(
    media.map((span) => [
      span.callId,
      span.callerLane,
      span.calleeLane,
      seconds(span.fromMicros),
      seconds(span.toMicros),
      ...span.streams.map(({ codec, toCallee, toCaller }) => `${codec} ${toCallee} ${toCaller}`),
    ]),
    [
      ['leg-b@pbx', 1, 2, 6.402, 18.84, 'PCMA true true'],
      ['leg-a@phone', 0, 1, 6.407, 33.003, 'PCMA true true'],
      ['leg-b@pbx', 1, 2, 18.84, 31.202, 'PCMA false true'],
      ['leg-b@pbx', 1, 2, 31.202, 44.94, 'PCMA true true'],
      ['leg-a@phone', 0, 1, 33.003, 65.1, 'G722 true true'],
      ['leg-c@pbx', 1, 3, 44.9, 65.104, 'PCMA true true'],
    ],
  )
})

t.test('a refused re-INVITE changes nothing of the media', async (t) => {
  const story = new SipStory(pbxHost, storyStart)
  const leg = story.leg(
    'c',
    { user: '1', host: { address: '192.0.2.9', port: 5060 } },
    { user: '2', host: pbxHost },
  )
  leg
    .request('INVITE', { sdp: { address: '192.0.2.9' } })
    .answer(200, 'OK', 'INVITE', { sdp: { address: pbxHost.address } })
    .request('ACK')
  story.at(1)
  leg
    .request('INVITE', { cseq: 2, sdp: { address: '192.0.2.9', direction: 'inactive' } })
    .answer(488, 'Not Acceptable Here', 'INVITE', { cseq: 2 })
    .request('ACK', { cseq: 2 })
  t.same(
    buildLadder(toObserved(story.seen)).media.map(({ toMicros }) => toMicros),
    [null],
  )
})

t.test(
  'a 200 that never got its ACK, and a BYE without answer, have ghosts with their RFC section',
  async (t) => {
    const messages = toObserved(storyOfNoAck())
    const ladder = buildLadder(messages, later)
    t.same(ghostsOf(ladder), [
      '0>1 no ACK (RFC 3261 13.3.1.4)',
      '0>1 no answer to BYE (RFC 3261 17.1.2.2 (Timer F))',
    ])
    t.equal(
      ladder.arrows.find(({ label }) => label === 'no ACK')?.ghost?.reason,
      'The 200 was sent 11 times, and no ACK came for it.',
    )
    t.equal(ladder.arrows.filter(({ repeatOf }) => repeatOf !== null).length, 20)
    t.equal(ladder.arrows[2]?.repeats, 10)
    t.same(
      ladder.arrows.filter(({ ghost }) => ghost === null).map(({ number }) => number),
      ladder.sightings.map((_, index) => index + 1),
      'ghosts take no number',
    )
  },
)

t.test('nothing is missing while it may still come', async (t) => {
  const story = storyOfNoAck()
  const until = (seconds: number) => {
    const seen = toObserved(story.filter(({ atMicros }) => atMicros <= storyStart + seconds * 1_000_000))
    return ghostsOf(buildLadder(seen, { seenUntilMicros: storyStart + seconds * 1_000_000 }))
  }
  t.same(until(1), [])
  t.same(until(20), [], 'the 200 is being repeated')
  t.same(until(33.9), [])
  t.same(until(34.5), ['0>1 no ACK (RFC 3261 13.3.1.4)'], 'the BYE says that it was given up')
  t.same(until(65.9), ['0>1 no ACK (RFC 3261 13.3.1.4)'], 'the BYE may still be answered')
  t.equal(until(66.1).length, 2)
})

const gap = (from: number, to: number) => [
  { fromMicros: storyStart + from * 1_000_000, toMicros: storyStart + to * 1_000_000 },
]

t.test('a gap of the capture makes a ghost a note', async (t) => {
  const drawn = (blind: ReturnType<typeof gap>) =>
    buildLadder(toObserved(storyOfNoAck()), { ...later, blind })
  t.equal(ghostsOf(drawn(gap(-20, -10))).length, 2)
  const ladder = drawn(gap(10, 11))
  t.same(ghostsOf(ladder), ['0>1 no answer to BYE (RFC 3261 17.1.2.2 (Timer F))'])
  t.match(
    ladder.arrows.find(({ note }) => note !== '')?.note,
    /no ACK came for it\. But the capture had a gap/,
  )
})

t.test('what was sent once over UDP and not repeated was answered elsewhere: a note, no ghost', async (t) => {
  const leg = new LegScript().request('INVITE').at(2).response(200, 'OK', 'INVITE')
  const options = new LegScript({ callId: 'o' }).request('OPTIONS')
  const ladder = buildLadder([...leg.messages, ...options.messages], { seenUntilMicros: micros(90) })
  t.same(ghostsOf(ladder), [])
  t.match(ladder.arrows.find(({ label }) => label === '200 OK (INVITE)')?.note, /No ACK.*not sent again/)
  t.match(ladder.arrows.find(({ label }) => label === 'OPTIONS')?.note, /probably answered where/)
})

t.test('an INVITE that nobody answers, repeated or over TCP, has its ghost after 32 s', async (t) => {
  const udp = new LegScript().request('INVITE').at(0.5).request('INVITE').at(1.5).request('INVITE')
  t.same(ghostsOf(buildLadder(udp.messages, { seenUntilMicros: micros(31.9) })), [])
  t.same(ghostsOf(buildLadder(udp.messages, { seenUntilMicros: micros(32) })), [
    '1>0 no answer in 32 s (RFC 3261 17.1.1.2 (Timer B))',
  ])
  const tcp = new LegScript().request('INVITE').messages.map((one) => ({ ...one, transport: 'TCP' }))
  t.equal(ghostsOf(buildLadder(tcp, { seenUntilMicros: micros(40) })).length, 1)
  const answered = [...tcp, ...new LegScript().at(3).request('BYE', { cseq: 2, toTag: 'callee' }).messages]
  t.same(
    ghostsOf(buildLadder(answered, { seenUntilMicros: micros(34) })),
    [],
    'a BYE proves that an answer was given and not seen',
  )
})

const cancelledLeg = () =>
  new LegScript()
    .request('INVITE')
    .at(0.1)
    .response(180, 'Ringing', 'INVITE')
    .at(5)
    .request('CANCEL')
    .at(5.1)
    .response(200, 'OK', 'CANCEL')

t.test('an accepted CANCEL without 487', async (t) => {
  const until = { seenUntilMicros: micros(60) }
  t.same(ghostsOf(buildLadder(cancelledLeg().messages, until)), ['1>0 no 487 after CANCEL (RFC 3261 9.2)'])
  const whole = cancelledLeg().at(5.2).response(487, 'Request Terminated', 'INVITE').at(5.3)
  whole.request('ACK', { toTag: 'callee', branch: 'z9hG4bK-call-1@192.0.2.10-1-INVITE-a' })
  t.same(ghostsOf(buildLadder(whole.messages, until)), [])
})

t.test('the ladder in text: aligned, folded, with pauses and ghosts', async (t) => {
  const text = ladderText(buildLadder(toObserved(storyOfNoAck()), later))
  t.equal(
    text,
    [
      '               198.51.100.7                203.0.113.2',
      '                   :5062                      :5060',
      '   #1     0.000      |--------- INVITE -------->|  to 1002; SDP audio PCMA G722',
      '   #2     0.001      |<------- 100 Trying ------|',
      '   #3     2.000      |<-- 200 OK (INVITE) +10 --|  SDP audio PCMA G722',
      '                     |                          |  ~ 31.5 s ~',
      '                     |......... no ACK ........>|  The 200 was sent 11 times, and no ACK came for it. - RFC 3261 13.3.1.4',
      '  #14    34.000      |<-------- BYE +10 --------|',
      '                     |                          |  ~ 31.5 s ~',
      '                     |.... no answer to BYE ...>|  The BYE was sent 11 times and got no answer in 32 s, the time after which its sender gives up. - RFC 3261 17.1.2.2 (Timer F)',
      '',
    ].join('\n'),
  )
})

t.test('hostile text keeps the lifelines straight and drives no terminal', async (t) => {
  const story = new SipStory(pbxHost, storyStart)
  story
    .leg(
      'c',
      { user: '1', host: { address: '192.0.2.9', port: 5060, name: '\u001b[2J\u202e漢字e\u0301' } },
      { user: '2', host: pbxHost },
    )
    .request('INVITE', { uri: 'sip:漢\u202e@h' })
    .answer(486, 'B\u001b]0;x\u0007usy 漢', 'INVITE')
  const text = ladderText(buildLadder(toObserved(story.seen)))
  t.match(text, /^[\x20-\x7e\n]*$/)
  const bars = text
    .split('\n')
    .filter((line) => line.includes('#'))
    .map((line) => line.indexOf('|'))
  t.equal(new Set(bars).size, 1)
})

t.test('a ladder of 10,000 messages has them all, in order', async (t) => {
  const story = new SipStory(pbxHost, storyStart)
  const leg = story.leg(
    'long',
    { user: '1', host: { address: '192.0.2.9', port: 5060 } },
    { user: '2', host: pbxHost },
  )
  for (let n = 1; n <= 5000; n++) {
    story.at(n)
    leg.request('INFO', { cseq: n }).answer(200, 'OK', 'INFO', { cseq: n })
  }
  const ladder = buildLadder(toObserved(story.seen), later)
  t.equal(ladder.arrows.length, 10_000)
  t.ok(ladder.arrows.every(({ atMicros }, index) => atMicros >= (ladder.arrows[index - 1]?.atMicros ?? 0)))
})
