import t from 'tap'
import { findDialogs } from '../src/dialog.ts'
import { mergeSightings } from '../src/sightings.ts'
import { findRetransmissions, groupTransactions } from '../src/transaction.ts'
import { answered, LegScript, toMessage } from './conversation.ts'

const group = (leg: LegScript) => groupTransactions(mergeSightings(leg.messages))

t.test('an ACK to a refusal belongs to its INVITE, an ACK to a 200 by its CSeq number', async (t) => {
  const leg = new LegScript()
    .request('INVITE')
    .at(0.1)
    .response(401, 'Unauthorized', 'INVITE')
    .at(0.2)
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-call-1@192.0.2.10-1-INVITE-a' })
    .at(0.3)
    .request('INVITE', { cseq: 2 })
    .at(0.4)
    .response(200, 'OK', 'INVITE', { cseq: 2 })
    .at(0.5)
    .request('ACK', { cseq: 2, toTag: 'callee', branch: 'z9hG4bK-other' })
  const transactions = group(leg)
  t.same(
    transactions.map(({ method, cseq, acks, final }) => [
      method,
      cseq,
      acks.length,
      final?.message.message.status,
    ]),
    [
      ['INVITE', 1, 1, 401],
      ['INVITE', 2, 1, 200],
    ],
  )
})

t.test('CANCEL is a transaction of its own, tied to its INVITE', async (t) => {
  const leg = new LegScript()
    .request('INVITE')
    .at(0.1)
    .response(180, 'Ringing', 'INVITE')
    .at(5)
    .request('CANCEL')
    .at(5.1)
    .response(200, 'OK', 'CANCEL')
    .at(5.2)
    .response(487, 'Request Terminated', 'INVITE')
  const [invite, cancel] = group(leg)
  t.equal(invite?.method, 'INVITE')
  t.equal(invite?.final?.message.message.status, 487, 'the 200 to CANCEL is no answer to the INVITE')
  t.equal(invite?.cancel?.method, 'CANCEL')
  t.equal(cancel?.final?.message.message.status, 200)
})

t.test('a branch without the cookie needs tags and number to agree (RFC 2543)', async (t) => {
  const leg = new LegScript()
    .request('REGISTER', { cseq: 1, branch: '0' })
    .at(1)
    .request('REGISTER', { cseq: 2, branch: '0' })
    .at(1.1)
    .response(200, 'OK', 'REGISTER', { cseq: 2, branch: '0' })
  t.same(
    group(leg).map(({ cseq, responses }) => [cseq, responses.length]),
    [
      [1, 0],
      [2, 1],
    ],
  )
})

t.test(
  'the same message again from the same side is a retransmission; an answer that changes is not',
  async (t) => {
    const leg = new LegScript()
      .request('INVITE')
      .at(0.5)
      .request('INVITE')
      .at(0.6)
      .response(180, 'Ringing', 'INVITE')
      .at(0.7)
      .response(180, 'Ringing', 'INVITE', { toTag: 'fork' })
      .at(0.8)
      .response(200, 'OK', 'INVITE')
      .at(1.3)
      .response(200, 'OK', 'INVITE')
    const sightings = mergeSightings(leg.messages)
    const repeated = findRetransmissions(sightings)
    t.same(
      sightings.map(({ id }) => repeated.has(id)),
      [false, true, false, false, false, true],
    )
  },
)

t.test('two hops of a proxy are two transactions, and each has the ACK of its own client', async (t) => {
  const proxy = { address: '192.0.2.50', port: 5060 }
  const far = { address: '192.0.2.60', port: 5060 }
  const first = new LegScript({ callee: proxy }).request('INVITE', { branch: 'z9hG4bK-1' })
  const second = new LegScript({ caller: proxy, callee: far })
    .at(0.01)
    .request('INVITE', { branch: 'z9hG4bK-2' })
  second.at(0.1).response(200, 'OK', 'INVITE', { branch: 'z9hG4bK-2' })
  first.at(0.11).response(200, 'OK', 'INVITE', { branch: 'z9hG4bK-1' })
  first.at(0.2).request('ACK', { toTag: 'callee', branch: 'z9hG4bK-3' })
  const transactions = groupTransactions(mergeSightings([...first.messages, ...second.messages]))
  t.same(
    transactions.map(({ acks }) => acks.length),
    [1, 0],
    'the ACK that got lost behind the proxy is missing there',
  )
})

t.test(
  'dialogs: early, confirmed by an answer, ended by a BYE of either side, one for each fork',
  async (t) => {
    const early = findDialogs(
      group(new LegScript().request('INVITE').at(0.1).response(180, 'Ringing', 'INVITE')),
    )
    t.match(early, [{ state: 'early', callerTag: 'caller', calleeTag: 'callee', answer: null }])
    const live = findDialogs(group(answered(new LegScript(), ['Session-Expires: 1800;refresher=uas'])))
    t.match(live, [{ state: 'confirmed', sessionIntervalSeconds: 1800 }])
    const over = findDialogs(
      group(
        answered(new LegScript())
          .at(9)
          .request('BYE', { fromCallee: true })
          .at(9.1)
          .response(200, 'OK', 'BYE', { fromCallee: true }),
      ),
    )
    t.equal(over.length, 1)
    t.match(over, [{ state: 'terminated', sessionIntervalSeconds: null }])
    const forked = findDialogs(
      group(
        new LegScript()
          .request('INVITE')
          .at(0.1)
          .response(180, 'Ringing', 'INVITE', { toTag: 'a' })
          .at(0.2)
          .response(180, 'Ringing', 'INVITE', { toTag: 'b' })
          .at(1)
          .response(200, 'OK', 'INVITE', { toTag: 'b' }),
      ),
    )
    t.same(
      forked.map(({ calleeTag, state }) => [calleeTag, state]),
      [
        ['a', 'early'],
        ['b', 'confirmed'],
      ],
    )
  },
)

t.test('a 200 to OPTIONS or CANCEL makes no dialog', async (t) => {
  const leg = new LegScript()
    .request('OPTIONS')
    .response(200, 'OK', 'OPTIONS')
    .request('CANCEL')
    .response(200, 'OK', 'CANCEL')
  t.same(findDialogs(group(leg)), [])
})

t.test('ten thousand messages of one dialog are sorted out', async (t) => {
  const leg = answered(new LegScript())
  for (let n = 2; n < 5000; n++)
    leg.at(n).request('INVITE', { cseq: n, toTag: 'callee' }).response(200, 'OK', 'INVITE', { cseq: n })
  t.equal(group(leg).length, 4999)
})

t.test('a message with nothing in it still makes no trouble', async (t) => {
  const message = toMessage('OPTIONS sip:a@b SIP/2.0\r\n\r\n')
  const [first] = new LegScript().request('OPTIONS').messages
  t.ok(first)
  if (first) t.equal(groupTransactions(mergeSightings([{ ...first, message }])).length, 1)
})
