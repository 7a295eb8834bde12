import t from 'tap'
import { followBindings } from '../../src/registrations/binding-history.ts'
import {
  countRecent,
  isExpiring,
  isFlapping,
  whyRefused,
} from '../../src/registrations/registration-rules.ts'
import { exchange, register, second, start } from './register-messages.ts'

const at = (seconds: number) => start + seconds * second

t.test('a challenged login is no refusal, and binds for as long as was granted', async (t) => {
  const history = followBindings(
    [
      ...exchange(0, { cseq: 1, status: 401, hasCredentials: false }),
      ...exchange(1, { cseq: 2, status: 200 }),
    ],
    at(60),
  )
  t.match(history, { state: 'registered', refused: null, changes: [], direction: 'in' })
  t.match(history.bindings, [{ grantedSeconds: 120, expiresAtMicros: at(1.01) + 120 * second }])
})

t.test('the registrar’s own lifetime goes before what was asked for', async (t) => {
  const [request, answer] = [
    register(0, { contacts: [{ uri: 'sip:6001@a', lifetimeSeconds: 3600 }] }),
    register(0.1, { status: 200, contacts: [{ uri: 'sip:6001@a', lifetimeSeconds: 60 }] }),
  ]
  t.equal(followBindings([request, answer], at(10)).bindings[0]?.grantedSeconds, 60)
})

t.test('a binding that is not renewed has expired; one that is renewed in time has not', async (t) => {
  const messages = [...exchange(0, { status: 200 }), ...exchange(100, { cseq: 2, status: 200 })]
  t.match(followBindings(messages, at(150)), { state: 'registered', changes: [] })
  const late = followBindings(messages, at(300))
  t.equal(late.state, 'expired')
  t.match(late.changes, [{ change: 'expired', atMicros: at(100.01) + 120 * second }])
})

t.test('a lifetime of 0, and `Contact: *`, take the binding away (RFC 3261 10.2.2)', async (t) => {
  for (const uri of ['sip:6001@198.51.100.7:5060', '*']) {
    const history = followBindings(
      [
        ...exchange(0, { status: 200 }),
        register(10, { cseq: 2, contacts: [{ uri, lifetimeSeconds: 0 }] }),
        register(10.1, { cseq: 2, status: 200, contacts: [] }),
      ],
      at(20),
    )
    t.match(history, { state: 'unregistered', bindings: [], changes: [{ change: 'unregistered' }] }, uri)
  }
})

t.test('another source address of the same registration is a move, a second phone is none', async (t) => {
  const moved = followBindings(
    [
      ...exchange(0, { status: 200 }),
      ...exchange(60, { cseq: 2, status: 200, client: { address: '203.0.113.5', port: 61_000 } }),
    ],
    at(70),
  )
  t.match(moved.changes, [{ change: 'moved', from: /198\.51\.100\.7:5060$/, to: /203\.0\.113\.5:61000$/ }])
  t.equal(moved.bindings.length, 1)

  const other = { uri: 'sip:6001@198.51.100.8:5060', lifetimeSeconds: 120 }
  const both = [{ uri: 'sip:6001@198.51.100.7:5060', lifetimeSeconds: 60 }, other]
  const second = [
    register(60, { callId: 'reg-2', contacts: [other], client: { address: '198.51.100.8', port: 5060 } }),
    register(60.1, {
      callId: 'reg-2',
      status: 200,
      contacts: both,
      client: { address: '198.51.100.8', port: 5060 },
    }),
  ]
  const two = followBindings([...exchange(0, { status: 200 }), ...second], at(70))
  t.match(two, { changes: [], state: 'registered' })
  t.equal(two.bindings.length, 2)
})

t.test(
  'a phone that starts anew under another Call-ID has moved when the registrar dropped the old',
  async (t) => {
    const contacts = [{ uri: 'sip:6001@203.0.113.5:5060', lifetimeSeconds: 120 }]
    const client = { address: '203.0.113.5', port: 5060 }
    const history = followBindings(
      [...exchange(0, { status: 200 }), ...exchange(60, { callId: 'reg-2', status: 200, contacts, client })],
      at(70),
    )
    t.match(history.changes, [{ change: 'moved' }])
    t.equal(history.bindings.length, 1)
  },
)

t.test('a wrong password is refused, counted, and forgiven by the next success', async (t) => {
  const wrong = [
    ...exchange(0, { cseq: 1, status: 401, hasCredentials: false }),
    ...exchange(1, { cseq: 2, status: 401 }),
    ...exchange(2, { cseq: 3, status: 401, hasCredentials: false }),
    ...exchange(3, { cseq: 4, status: 401 }),
  ]
  t.match(followBindings(wrong, at(4)), {
    state: 'refused',
    refused: { status: 401, count: 2, hasCredentials: true },
  })
  t.match(followBindings([...wrong, ...exchange(5, { cseq: 5, status: 200 })], at(6)), {
    state: 'registered',
    refused: null,
  })
})

t.test('a nonce that is too old is no wrong password', async (t) => {
  const messages = exchange(1, { cseq: 2, status: 401 })
  t.equal(followBindings(messages, at(2)).refused?.count, 1)
  const stale = messages.map((message) => ({ ...message, isStale: message.status === 401 }))
  t.equal(followBindings(stale, at(2)).refused, null)
})

t.test('no answer for 32 s is unanswered, before that it is pending', async (t) => {
  const sent = [0, 0.5, 1.5, 3.5].map((seconds) => register(seconds))
  t.equal(followBindings(sent, at(20)).state, 'pending')
  t.equal(followBindings(sent, at(33)).state, 'unanswered')
  t.same(
    followBindings(sent, at(33)).messages.map(({ isResent }) => isResent),
    [false, true, true, true],
  )
})

t.test('a challenge that nobody answers is told as that', async (t) => {
  const messages = exchange(0, { status: 401, hasCredentials: false })
  t.equal(followBindings(messages, at(5)).state, 'pending')
  t.equal(followBindings(messages, at(60)).state, 'challenged')
})

t.test('two sources of one message are one step', async (t) => {
  const { messages } = followBindings([register(0), register(0.001, { source: 'ami-hep' })], at(1))
  t.match(messages, [{ sources: ['wire', 'ami-hep'], isResent: false }])
})

t.test('stamps of a millisecond do not turn the order around', async (t) => {
  const { messages, state, refused } = followBindings(
    [
      register(0, { cseq: 1, hasCredentials: false }),
      register(0.0002, { cseq: 2 }),
      register(0.0004, { cseq: 1, status: 401, contacts: [] }),
      register(0.0011, { cseq: 2, status: 200 }),
    ],
    at(1),
  )
  t.same(
    messages.map(({ cseq, status }) => `${cseq} ${status}`),
    ['1 0', '1 401', '2 0', '2 200'],
  )
  t.match({ state, refused }, { state: 'registered', refused: null })
})

t.test('about to expire: less than a tenth is left', async (t) => {
  const binding = { expiresAtMicros: at(100), grantedSeconds: 100 }
  t.equal(isExpiring(binding, at(89)), false)
  t.equal(isExpiring(binding, at(91)), true)
  t.equal(isExpiring(binding, at(101)), false, 'it has expired')
  t.equal(isExpiring({ expiresAtMicros: null, grantedSeconds: null }, at(0)), false)
})

t.test('flapping: three within a quarter of an hour', async (t) => {
  t.equal(isFlapping(countRecent([at(0), at(100), at(200)], at(300))), true)
  t.equal(isFlapping(countRecent([at(0), at(600), at(1200)], at(1200))), false)
})

t.test('why: Asterisk’s word where there is one, else what the code means', async (t) => {
  const refused = { status: 403, hasCredentials: true, isStale: false }
  t.match(whyRefused(refused, undefined), /^Forbidden/)
  t.match(
    whyRefused(refused, {
      v: 1,
      kind: 'security-reported',
      node: 'pbx1',
      atMicros: 1,
      reason: 'FailedACL',
      service: 'PJSIP',
      account: '6001',
      session: 'reg-1',
      remoteAddress: '',
      remotePort: 0,
      transport: '',
      acl: 'office',
    }),
    /ACL forbids this address \(office\)/,
  )
})
