import t from 'tap'
import { createLeg, type Leg } from '../../src/calls/leg.ts'
import { createShortCalls, type SeenInvite } from '../../src/calls/short-calls.ts'

const now = 1_795_391_929_000_000

function leg(name: string, direction: 'in' | 'out', exten: string, more: Partial<Leg['reported']> = {}): Leg {
  const created = createLeg(`PJSIP/${name}`, { uniqueid: '1.1', linkedid: '1.1' }, now)
  Object.assign(created.reported, { direction, exten, ...more })
  return created
}

const invite = (callId: string, more: Partial<SeenInvite> = {}): SeenInvite => ({
  callId,
  atMicros: now + 40_000,
  precisionMicros: 1,
  direction: 'in',
  farAddress: '192.0.2.10',
  calledNumber: '2001',
  ...more,
})

const shortCalls = () =>
  createShortCalls({
    isEndpointAt: (endpoint, address) => (endpoint === 'phone' ? address === '192.0.2.10' : undefined),
  })

t.test('the only INVITE with the number, from the endpoint, at the time: a guess with its reason', (t) => {
  const calls = shortCalls()
  calls.onInvite(invite('a'))
  t.same(calls.find(leg('phone-00000001', 'in', '2001'), []), {
    callId: 'a',
    from: 'guess',
    reason:
      'the only INVITE from endpoint phone with the dialled number when the channel began; it was gone before Asterisk could be asked',
  })
  t.end()
})

t.test('another number, direction, address or time is no link', (t) => {
  const ours = leg('phone-00000001', 'in', '2001')
  for (const [what, more] of [
    ['number', { calledNumber: '2002' }],
    ['direction', { direction: 'out' }],
    ['address', { farAddress: '192.0.2.11' }],
    ['time', { atMicros: now + 2_000_000 }],
  ] as const) {
    const calls = shortCalls()
    calls.onInvite(invite('a', more))
    t.equal(calls.find(ours, []), undefined, what)
  }
  t.equal(shortCalls().find(leg('phone-00000001', 'in', ''), []), undefined, 'no number at all')
  t.end()
})

t.test(
  'two INVITEs for one channel, or two channels for one INVITE: no link rather than a wrong one',
  (t) => {
    const calls = shortCalls()
    const [first, second] = [leg('phone-00000001', 'in', '2001'), leg('phone-00000002', 'in', '2001')]
    calls.onInvite(invite('a'))
    t.equal(calls.find(first, [first, second]), undefined)
    calls.onInvite(invite('b'))
    t.equal(calls.find(first, [first]), undefined)
    calls.noteLinked('a')
    t.equal(calls.find(first, [first])?.callId, 'b', 'what belongs to another channel is not in question')
    t.end()
  },
)

t.test('the second in the Uniqueid is when the channel began, however late its events come', (t) => {
  const ids = { uniqueid: 'pbx-1795391920.7', linkedid: 'pbx-1795391920.7' }
  const calls = shortCalls()
  calls.onInvite(invite('now'))
  calls.onInvite(invite('then', { atMicros: 1_795_391_920_900_000 }))
  t.match(calls.find(leg('phone-00000001', 'in', '2001', ids), []), { callId: 'then' })
  t.ok(calls.isBehind(leg('phone-00000002', 'in', '2001')), 'what comes may decide about the newest')
  t.notOk(calls.isBehind(leg('phone-00000001', 'in', '2001', ids)))
  t.end()
})

t.test('HEP’s channel name goes before a guess', (t) => {
  const calls = shortCalls()
  calls.onInvite(invite('a'))
  calls.onHepCorrelation('PJSIP/phone-00000001', 'b')
  t.match(calls.find(leg('phone-00000001', 'in', '2001'), []), { callId: 'b', from: 'hep' })
  t.end()
})

t.test('a caller’s INVITE cannot be tied to another call by forged events', (t) => {
  const calls = shortCalls()
  calls.onInvite(invite('a'))
  calls.onHepCorrelation('PJSIP/phone-00000003', 'c')
  const foreign = { linkedid: '9.9' }
  t.equal(
    calls.find(leg('phone-00000001', 'in', '2001', foreign), []),
    undefined,
    'an incoming channel is the first of its call',
  )
  t.equal(calls.find(leg('phone-00000003', 'in', '2001', foreign), []), undefined, 'by HEP neither')
  t.equal(
    calls.find(leg('phone-00000003', 'in', '2001', { isContradicted: true }), []),
    undefined,
    'events that disagree are believed in nothing',
  )
  t.end()
})
