import t from 'tap'
import { compareCalls } from '../src/comparison.ts'
import { answered, LegScript, pbx, phone, sdpBody, trunk } from './conversation.ts'

const text = ({ leg, what, bad, good }: ReturnType<typeof compareCalls>[number]) =>
  `${leg ?? '-'} ${what}: ${bad} | ${good}`

const good = () => answered(new LegScript({ caller: phone, callee: pbx }))

t.test(
  'two calls that went alike have no difference, though every tag, branch and id is another',
  async (t) => {
    t.same(compareCalls(good().messages, good().messages), [])
  },
)

const offerOf = (codecs: readonly string[]) =>
  sdpBody({ lines: ['m=audio 4000 RTP/AVP 8 0', ...codecs.map((codec) => `a=rtpmap:${codec}`)] })

const outgoing = () => new LegScript({ caller: pbx, callee: trunk, direction: 'out', toUser: '+4930123' })

t.test('codecs, headers, numbers, outcome and time of a refused call', async (t) => {
  const worked = answered(outgoing())
  const bad = new LegScript({ caller: pbx, callee: trunk, direction: 'out', toUser: '004930123' })
    .request('INVITE', {
      uri: 'sip:004930123@203.0.113.9;transport=udp',
      body: offerOf(['8 PCMA/8000']),
      headers: ['Privacy: id', 'X-Custom: <b>anything</b>'],
    })
    .at(5)
    .response(404, 'Not Found', 'INVITE', { headers: ['Warning: 399 carrier "unknown format"'] })
  const differences = compareCalls(bad.messages, worked.messages)
  const said = differences.map(text)
  for (const line of [
    '1 Final answer: 404 Not Found | 200 OK',
    '1 Privacy in the INVITE: id | ',
    '1 x-custom in the INVITE: there | ',
    '1 Request-URI leads to: 203.0.113.9 | pbx.example.com',
    '1 Request-URI parameters: transport=udp | ',
    '1 Called number is written: with 00 | with + and country code',
    '1 First sign of life after: 5 s | 10 ms',
    '1 Ringing after:  | 200 ms',
    '1 Final answer after: 5 s | 2 s',
  ])
    t.ok(said.includes(line), line)
  t.ok(said.some((line) => line.startsWith('1 Codecs offered: ')))
  t.notOk(
    said.some((line) => /answered|called side/.test(line)),
    'that a refused call has no answer is said once',
  )
  t.ok(said.some((line) => line.startsWith('1 Warning in the final answer: 399 carrier')))
  t.notMatch(said.join('\n'), /branch|tag|Call-ID|CSeq|anything/)
  t.same(
    differences.map(({ aspect }) => aspect),
    differences
      .map(({ aspect }) => aspect)
      .toSorted(
        (a, b) =>
          ['outcome', 'codecs', 'headers', 'route', 'addresses', 'numbers', 'timing'].indexOf(a) -
          ['outcome', 'codecs', 'headers', 'route', 'addresses', 'numbers', 'timing'].indexOf(b),
      ),
    'in the order of what matters',
  )
})

const ringingAfter = (ringing: number, allow: string) =>
  new LegScript()
    .request('INVITE', { withSdp: true, headers: [`Allow: ${allow}`] })
    .at(ringing)
    .response(180, 'Ringing', 'INVITE')
    .at(ringing + 2)
    .response(200, 'OK', 'INVITE', { withSdp: true }).messages

t.test('twins: a little slower, tokens in another order', async (t) => {
  t.same(compareCalls(ringingAfter(0.3, 'INVITE, ACK'), ringingAfter(0.1, 'ACK,INVITE')), [])
})

const toTrunk = (callId: string) =>
  answered(new LegScript({ callId, caller: pbx, callee: trunk, direction: 'out' })).messages

t.test('legs are compared with those to the same far side; one more or less is a difference', async (t) => {
  const two = [...good().messages, ...toTrunk('out-1')]
  const one = good().messages
  t.same(compareCalls(one, two).map(text), ['- Leg:  | to acme (203.0.113.9:5060)'])
  t.same(compareCalls(two, one).map(text), ['2 Leg: to acme (203.0.113.9:5060) | '])
  t.same(compareCalls(two, [...toTrunk('out-2'), ...good().messages]), [], 'whatever their order')
})

t.test('hostile text is shown, bounded, and nothing at all is no fault', async (t) => {
  t.same(compareCalls([], []), [])
  const hostile = new LegScript().request('INVITE', {
    headers: [`User-Agent: \u202e\u001b[31m${'x'.repeat(9000)}`],
  })
  const [difference] = compareCalls(hostile.messages, new LegScript().request('INVITE').messages)
  t.equal(difference?.what, 'User-Agent in the INVITE')
  t.match(difference?.bad, /^\\u\{202e\}\\x1b\[31mx+…$/)
  t.ok((difference?.bad.length ?? 0) < 300)
})
