import t from 'tap'
import { correlate, type OpeningInvite } from '../src/correlate.ts'
import { toMessage } from './conversation.ts'

const start = 1_795_391_929_000_000
const [phone, pbx, trunk] = ['192.0.2.10', '192.0.2.1', '203.0.113.9']

function invite(
  callId: string,
  from: string,
  to: string,
  options: {
    src?: string
    dst?: string
    afterMillis?: number
    lastsMillis?: number
    headers?: string[]
  } = {},
): OpeningInvite {
  const { src = phone, dst = pbx, afterMillis = 0, lastsMillis = 60_000, headers = [] } = options
  const atMicros = start + afterMillis * 1000
  return {
    callId,
    atMicros,
    endedAtMicros: atMicros + lastsMillis * 1000,
    srcAddress: src,
    dstAddress: dst,
    message: toMessage(
      [
        `INVITE sip:${to}@${dst} SIP/2.0`,
        `Via: SIP/2.0/UDP ${src};branch=z9hG4bK${callId}`,
        `From: <sip:${from}@${src}>;tag=${callId}`,
        `To: <sip:${to}@${dst}>`,
        `Call-ID: ${callId}`,
        'CSeq: 1 INVITE',
        ...headers,
        '',
        '',
      ].join('\r\n'),
    ),
  }
}

const outwards = { src: pbx, dst: trunk, afterMillis: 20 }
const idsOf = (callId: string, invites: OpeningInvite[]) =>
  correlate(callId, invites).map((found) => found.callId)

t.test('the other leg through the PBX is found from either side, with the reason', (t) => {
  const invites = [invite('in', '1001', '2001'), invite('out', '1001', '2001', outwards)]
  t.same(correlate('in', invites), [
    {
      callId: 'out',
      reason: 'the only INVITE that left 192.0.2.1 with the same numbers, 20 ms after the other came in',
    },
  ])
  t.same(idsOf('out', invites), ['in'])
  t.end()
})

t.test('a trunk prefix before the number is the same number, a short one is not', (t) => {
  const long = [invite('in', '1001234', '442071838750'), invite('out', '1001234', '00442071838750', outwards)]
  t.same(idsOf('in', long), ['out'])
  const short = [invite('in', '1001', '2001'), invite('out', '1001', '992001', outwards)]
  t.same(idsOf('in', short), [])
  t.end()
})

t.test('two calls at once between the same numbers: none is said to be the other leg', (t) => {
  const invites = [
    invite('in-1', '1001', '2001'),
    invite('in-2', '1001', '2001', { afterMillis: 5 }),
    invite('out-1', '1001', '2001', outwards),
    invite('out-2', '1001', '2001', { ...outwards, afterMillis: 25 }),
  ]
  for (const { callId } of invites) t.same(idsOf(callId, invites), [], callId)
  // One of the two was not captured: still nobody can say whose the other leg is.
  t.same(idsOf('out-1', invites.slice(0, 3)), [])
  t.end()
})

t.test('not another host, not other numbers, not before, not after its end', (t) => {
  const own = invite('in', '1001', '2001', { lastsMillis: 1_000 })
  for (const [what, other] of [
    ['another host', invite('x', '1001', '2001', { ...outwards, src: '192.0.2.99' })],
    ['another caller', invite('x', '1002', '2001', outwards)],
    ['another called party', invite('x', '1001', '2002', outwards)],
    ['before', invite('x', '1001', '2001', { ...outwards, afterMillis: -5 })],
    ['after its end', invite('x', '1001', '2001', { ...outwards, afterMillis: 1_500 })],
    ['long after', invite('x', '1001', '2001', { ...outwards, afterMillis: 40_000 })],
  ] as const)
    t.same(idsOf('in', [own, other]), [], what)
  t.end()
})

t.test('Session-ID binds all legs, in either of its places; the nil UUID binds none', (t) => {
  const [a, b] = ['ab30317f1a784dc48ff824d0d3715d86', '47755a9de7794ba387653f2099600ef2']
  const nil = '0'.repeat(32)
  const invites = [
    invite('one', '1', '2', { headers: [`Session-ID: ${a};remote=${nil}`] }),
    invite('two', '3', '4', {
      src: pbx,
      dst: trunk,
      headers: [`Session-ID: ${a.toUpperCase()}; remote=${b}`],
    }),
    invite('three', '5', '6', { src: trunk, dst: phone, headers: [`Session-ID: ${b};remote=${a}`] }),
    invite('stranger', '7', '8', { headers: [`Session-ID: ${nil};remote=${nil}`] }),
  ]
  t.same(idsOf('one', invites), ['two', 'three'])
  t.same(idsOf('three', invites).toSorted(), ['one', 'two'])
  t.same(idsOf('stranger', invites), [])
  t.match(correlate('one', invites)[0]?.reason, 'RFC 7989')
  t.end()
})

t.test('X-CID and its like name the other leg, or are equal in both', (t) => {
  const named = [
    invite('caller-leg@a', '1', '2'),
    invite('b', '3', '4', { headers: ['X-CID: caller-leg@a'] }),
  ]
  t.same(idsOf('caller-leg@a', named), ['b'])
  t.same(idsOf('b', named), ['caller-leg@a'])
  const equal = ['p', 'q'].map((id) => invite(id, id, id, { headers: ['X-Correlation-ID: 0123456789'] }))
  t.match(correlate('p', equal), [{ callId: 'q', reason: /same value in X-Correlation-ID/ }])
  const other = ['p', 'q'].map((id) => invite(id, id, id, { headers: ['X-Brand: 0123456789'] }))
  t.same(correlate('p', other), [])
  t.end()
})

t.test('an unknown Call-ID and an empty capture give nothing', (t) => {
  t.same(correlate('x', []), [])
  t.same(correlate('x', [invite('in', '1001', '2001')]), [])
  t.end()
})
