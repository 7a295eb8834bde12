import t from 'tap'
import { answered, audioLines, LegScript, micros, pbx, sdpBody, trunk } from '../conversation.ts'
import { finding, has, inbound, judgesAlike, lacks, outbound, rules, seen } from './verdict-testing.ts'

const reinvite = (leg: LegScript, cseq: number, lines: readonly string[] = audioLines) =>
  leg.request('INVITE', { cseq, toTag: 'callee', body: sdpBody({ lines }) })

const ack = (leg: LegScript, cseq: number) =>
  leg.request('ACK', { cseq, toTag: 'callee', branch: `z9hG4bK-ack-${cseq}` })

const hangUp = (leg: LegScript, cseq = 9) =>
  leg.request('BYE', { cseq, toTag: 'callee' }).response(200, 'OK', 'BYE', { cseq })

t.test('D01 glare', async (t) => {
  const crossed = () =>
    reinvite(answered(outbound()).at(3), 2).at(3.05).response(491, 'Request Pending', 'INVITE', { cseq: 2 })
  t.same(rules(crossed(), 5), ['C02-in-progress', 'D01-glare'])
  t.equal(finding(crossed(), 5, 'D01-glare').severity, 'info')
  const left = hangUp(crossed().at(20))
  has(t, 'D01-glare', left, {
    at: 60,
    severity: 'warning',
    side: 'us',
    sentence:
      'acme (203.0.113.9:5060) refused the re-INVITE of Asterisk (192.0.2.1:5080) with 491, because another change was under way (once in this call); it was not tried again.',
  })
  const retried = crossed().at(5.5)
  reinvite(retried, 3).response(200, 'OK', 'INVITE', { cseq: 3, withSdp: true })
  hangUp(ack(retried, 3).at(20))
  t.same(rules(retried, 60), ['C01-completed', 'D01-glare'], 'twin: the next try went through')
  lacks(t, 'D01-glare', answered(outbound()), 60, 'no change at all')
})

t.test('D02 change of the session refused', async (t) => {
  const fax = ['m=image 4002 udptl t38']
  const refused = () =>
    reinvite(answered(outbound()).at(3), 2, fax)
      .at(3.1)
      .response(488, 'Not Acceptable Here', 'INVITE', { cseq: 2 })
  has(t, 'D02-session-change-refused', refused(), {
    at: 60,
    severity: 'warning',
    side: 'peer',
    sentence:
      'acme (203.0.113.9:5060) refused the re-INVITE to fax (T.38) of Asterisk (192.0.2.1:5080) with 488 Not Acceptable Here.',
  })
  has(t, 'D02-session-change-refused', hangUp(refused().at(4)), {
    at: 60,
    severity: 'error',
    title: 'Change of the session refused, and the call ended',
    sentence:
      'acme (203.0.113.9:5060) refused the re-INVITE to fax (T.38) of Asterisk (192.0.2.1:5080) with 488 Not Acceptable Here, and Asterisk (192.0.2.1:5080) hung up 900 ms later.',
  })
  const accepted = reinvite(answered(outbound()).at(3), 2).response(200, 'OK', 'INVITE', {
    cseq: 2,
    withSdp: true,
  })
  lacks(t, 'D02-session-change-refused', ack(accepted, 2), 60, 'accepted')
})

const refusedForD03 = () =>
  outbound()
    .request('INVITE', { headers: ['Session-Expires: 90;refresher=uac'] })
    .at(0.1)
    .response(422, 'Session Interval Too Small', 'INVITE', { headers: ['Min-SE: 600'] })

t.test('D03 session interval too small', async (t) => {
  has(t, 'D03-session-interval-too-small', refusedForD03(), {
    at: 60,
    severity: 'error',
    side: 'us',
    sentence:
      'acme (203.0.113.9:5060) answered the INVITE to 004930123 with 422 Session Interval Too Small: it wants a session interval of at least 600 s, and 90;refresher=uac was offered; Asterisk (192.0.2.1:5080) did not come back with that.',
  })
  const longer = refusedForD03()
    .at(0.2)
    .request('INVITE', { cseq: 2 })
    .at(0.5)
    .response(180, 'Ringing', 'INVITE', { cseq: 2 })
  t.same(rules(longer, 5), ['C02-in-progress'], 'twin: the client came back with a longer one')
})

const timed = () => answered(outbound(), ['Session-Expires: 1800;refresher=uas'])

t.test('D04 ended by the session timer', async (t) => {
  has(t, 'D04-session-timer-expired', hangUp(timed().at(1771)), {
    at: 1800,
    severity: 'warning',
    side: 'network',
    confidence: 'medium',
    sentence:
      'Asterisk (192.0.2.1:5080) hung up 29 min 29 s after the session was agreed for 1800 s, and no refresh was seen.',
  })
  const lost = timed()
  for (const at of [902, 902.5, 903.5]) lost.at(at).request('UPDATE', { cseq: 2, toTag: 'callee' })
  has(t, 'D04-session-timer-expired', hangUp(lost.at(1771)), {
    at: 1800,
    confidence: 'high',
    sentence:
      'Asterisk (192.0.2.1:5080) hung up 29 min 29 s after the session was agreed for 1800 s and not refreshed: the UPDATE of Asterisk (192.0.2.1:5080) got no answer.',
  })
  lacks(t, 'D04-session-timer-expired', hangUp(timed().at(1200)), 1800, 'hung up long before')
  const refreshed = timed()
    .at(902)
    .request('UPDATE', { cseq: 2, toTag: 'callee' })
    .response(200, 'OK', 'UPDATE', { cseq: 2, headers: ['Session-Expires: 1800;refresher=uas'] })
  lacks(t, 'D04-session-timer-expired', hangUp(refreshed.at(1771)), 1800, 'refreshed')
})

t.test('D05 the other side lost the call', async (t) => {
  const leg = answered(outbound())
    .at(30)
    .request('BYE', { cseq: 2, toTag: 'callee' })
    .at(30.1)
    .response(481, 'Call/Transaction Does Not Exist', 'BYE', { cseq: 2 })
  has(t, 'D05-dialog-unknown', leg, {
    at: 60,
    severity: 'warning',
    side: 'peer',
    sentence:
      'acme (203.0.113.9:5060) answered BYE from Asterisk (192.0.2.1:5080) with 481: it does not know this call any more.',
  })
  const crossed = answered(outbound())
    .at(30)
    .request('BYE', { cseq: 2, toTag: 'callee' })
    .request('BYE', { fromCallee: true })
    .at(30.1)
    .response(481, 'Call/Transaction Does Not Exist', 'BYE', { cseq: 2 })
  lacks(t, 'D05-dialog-unknown', crossed, 31, 'both hung up at once')
})

t.test('D06 the BYE was lost: the session timer ran out', async (t) => {
  const leg = answered(inbound(), ['Session-Expires: 1800;refresher=uac'])
  t.same(rules(leg, 1700), ['C02-in-progress'], 'twin: within the session interval')
  t.equal(seen(leg, 2000).state, 'completed')
  has(t, 'D06-call-left-over', leg, {
    at: 2002,
    severity: 'warning',
    title: 'The end of the call was not seen',
    sentence:
      'No BYE was seen, and the session timer of 1800 s was not refreshed: silent for 33 min 20 s, so the call is over, and its BYE was lost or not captured.',
  })
  leg
    .at(900)
    .request('UPDATE', { cseq: 2, toTag: 'callee' })
    .response(200, 'OK', 'UPDATE', { cseq: 2, headers: ['Session-Expires: 1800;refresher=uac'] })
  t.same(rules(leg, 2002), ['C02-in-progress'], 'twin: refreshed')
})

const twoLegs = () => {
  const a = answered(new LegScript({ callId: 'a' }))
  const b = answered(new LegScript({ callId: 'b', caller: pbx, callee: trunk, direction: 'out' }))
  return { a, b }
}

t.test('D06 the BYE was lost: the other leg is over', async (t) => {
  const { a, b } = twoLegs()
  hangUp(b.at(30))
  has(t, 'D06-call-left-over', [...a.messages, ...b.messages], {
    at: 120,
    severity: 'warning',
    sentence:
      'The other leg of the call to 1002 ended 1 min 30 s ago, and on this one no BYE was seen; the last message came from alice (192.0.2.10:5060).',
  })
  lacks(t, 'D06-call-left-over', [...a.messages, ...b.messages], 50, 'the BYE may still come')
  hangUp(a.at(30.1))
  t.same(rules([...a.messages, ...b.messages], 120), ['C01-completed'], 'twin: both legs ended')
})

const endedForD08 = (reason: string) =>
  answered(outbound())
    .at(9)
    .request('BYE', { fromCallee: true, headers: [`Reason: ${reason}`] })
    .response(200, 'OK', 'BYE', { fromCallee: true })

t.test("D08 the network's own reason", async (t) => {
  has(t, 'D08-network-cause', endedForD08('SIP;cause=503, Q.850;cause=38;text="Network out of order"'), {
    at: 60,
    severity: 'warning',
    side: 'network',
    title: 'Cause 38: network out of order',
    sentence: 'acme (203.0.113.9:5060) ended the call with Q.850 cause 38 (network out of order) in BYE.',
  })
  lacks(
    t,
    'D08-network-cause',
    endedForD08('Q.850;cause=16;text="Normal call clearing"'),
    60,
    'normal clearing',
  )
  lacks(t, 'D08-network-cause', endedForD08('Q.850;cause=0'), 300, 'Asterisk has no cause to tell')
  const refused = outbound()
    .request('INVITE')
    .response(404, 'Not Found', 'INVITE', { headers: ['Reason: Q.850;cause=1'] })
  t.same(rules(refused, 60), ['F02-number-not-found', 'D08-network-cause'])
  t.equal(
    finding(refused, 60, 'D08-network-cause').sentence,
    'acme (203.0.113.9:5060) ended the call with Q.850 cause 1 (unallocated number) in its 404.',
  )
})

const held = audioLines.concat('a=sendonly')
const accept = (leg: LegScript, cseq: number, direction = '') =>
  ack(
    leg.response(200, 'OK', 'INVITE', {
      cseq,
      body: sdpBody({ lines: direction === '' ? audioLines : audioLines.concat(`a=${direction}`) }),
    }),
    cseq,
  )

t.test('D09 hold not released', async (t) => {
  const onHold = () => accept(reinvite(answered(outbound()).at(5), 2, held), 2, 'recvonly')
  t.same(rules(onHold(), 30), ['C02-in-progress', 'D09-hold-not-released'])
  t.equal(
    finding(onHold(), 35, 'D09-hold-not-released').sentence,
    'Asterisk (192.0.2.1:5080) put the call on hold (sendonly) and has held it for 30 s so far.',
  )
  has(t, 'D09-hold-not-released', hangUp(onHold().at(65)), {
    at: 90,
    severity: 'warning',
    side: 'us',
    sentence:
      'Asterisk (192.0.2.1:5080) put the call on hold (sendonly) and did not take it back: it ended on hold 1 min later, hung up by Asterisk (192.0.2.1:5080).',
  })
  const resumed = hangUp(accept(reinvite(onHold().at(30), 3), 3).at(65))
  lacks(t, 'D09-hold-not-released', resumed, 90, 'taken back')
  const deaf = accept(reinvite(onHold().at(30), 3), 3, 'inactive')
  has(t, 'D09-hold-not-released', deaf, {
    at: 40,
    severity: 'warning',
    side: 'peer',
    title: 'Resume answered as still on hold',
    sentence:
      'Asterisk (192.0.2.1:5080) took the call back from hold (sendrecv), and acme (203.0.113.9:5060) answered inactive: the audio does not come back in both directions.',
  })
  const transfer = onHold()
    .at(40)
    .request('REFER', { cseq: 3, toTag: 'callee' })
    .response(202, 'Accepted', 'REFER', { cseq: 3 })
  t.notOk(
    seen(hangUp(transfer.at(65)), 70).findings.some(({ severity }) => severity === 'warning'),
    'twin: held for a transfer',
  )
})

const refer = () =>
  answered(inbound())
    .at(10)
    .request('REFER', { cseq: 2, toTag: 'callee', headers: ['Refer-To: <sip:1009@pbx.example.com>'] })
    .response(202, 'Accepted', 'REFER', { cseq: 2 })
const notify = (leg: LegScript, line: string) =>
  leg
    .request('NOTIFY', {
      fromCallee: true,
      headers: ['Event: refer'],
      body: `SIP/2.0 ${line}\r\n`,
      contentType: 'message/sipfrag',
    })
    .response(200, 'OK', 'NOTIFY', { fromCallee: true })

t.test('D10 transfer failed', async (t) => {
  has(t, 'D10-transfer-failed', notify(refer().at(11), '404 Not Found'), {
    at: 20,
    severity: 'error',
    side: 'us',
    sentence:
      'alice (192.0.2.10:5060) asked Asterisk (192.0.2.1:5080) to transfer the call to sip:1009@pbx.example.com, and that failed: 404 Not Found.',
  })
  const refused = answered(inbound())
    .at(10)
    .request('REFER', { cseq: 2, toTag: 'callee' })
    .response(603, 'Decline', 'REFER', { cseq: 2 })
  has(t, 'D10-transfer-failed', refused, {
    at: 20,
    severity: 'error',
    sentence:
      'Asterisk (192.0.2.1:5080) refused the transfer to its target that alice (192.0.2.10:5060) asked for: 603 Decline.',
  })
  has(t, 'D10-transfer-failed', refer(), {
    at: 60,
    severity: 'warning',
    title: 'No word about the transfer',
    sentence:
      'Asterisk (192.0.2.1:5080) took the transfer to sip:1009@pbx.example.com that alice (192.0.2.10:5060) asked for, and no NOTIFY told how it went.',
  })
  lacks(t, 'D10-transfer-failed', notify(refer().at(11), '200 OK'), 60, 'it went through')
})

t.test('D11 BYE unanswered', async (t) => {
  const leg = answered(outbound())
  for (const at of [10, 10.5, 11.5]) leg.at(at).request('BYE', { cseq: 2, toTag: 'callee' })
  has(t, 'D11-bye-unanswered', leg, {
    at: 60,
    severity: 'warning',
    side: 'network',
    confidence: 'high',
    sentence:
      'Asterisk (192.0.2.1:5080) hung up and sent BYE to acme (203.0.113.9:5060) 3 times in 1.5 s, and no answer was seen: the other side may still believe it is in the call.',
  })
  t.same(rules(leg, 12), ['C01-completed'], 'twin: an answer may still come')

  const early = outbound().request('INVITE').at(1).response(180, 'Ringing', 'INVITE').at(5).request('CANCEL')
  for (const at of [37, 37.5, 38.5]) early.at(at).request('BYE', { cseq: 2, toTag: 'callee' })
  lacks(t, 'D11-bye-unanswered', early, 120, 'twin: a CANCEL that nobody answered, and a BYE behind it')
  t.ok(rules(early, 120).includes('S03-cancel-ignored'))
})

t.test('C01 completed normally', async (t) => {
  const leg = answered(new LegScript())
    .at(64.5)
    .request('BYE', { fromCallee: true, headers: ['Reason: Q.850;cause=16;text="Normal call clearing"'] })
    .response(200, 'OK', 'BYE', { fromCallee: true })
  t.match(seen(leg, 100), {
    state: 'completed',
    from: '1001',
    to: '1002',
    startedAtMicros: micros(0),
    endedAtMicros: micros(64.5),
  })
  has(t, 'C01-completed', leg, {
    at: 100,
    severity: 'ok',
    confidence: 'high',
    sentence:
      'The call to 1002 was answered after 2 s and lasted 1 min 3 s; Asterisk (192.0.2.1:5080) hung up. It gives the reason: Q.850;cause=16;text="Normal call clearing".',
  })
  has(t, 'C01-completed', leg.messages.slice(5), {
    at: 100,
    confidence: 'medium',
    sentence:
      'Asterisk (192.0.2.1:5080) hung up; the beginning of the call was not seen. It gives the reason: Q.850;cause=16;text="Normal call clearing".',
  })
})

t.test('C02 a running call is in progress, however long the other side says nothing', async (t) => {
  const leg = answered(new LegScript())
  t.equal(seen(leg, 600).state, 'in-call')
  t.equal(seen(leg, 600).endedAtMicros, null)
  t.same(rules(leg, 7200), ['C02-in-progress'])
  has(t, 'C02-in-progress', leg, {
    at: 602,
    severity: 'info',
    sentence: 'The call to 1002 is going on since 10 min; no BYE was seen yet.',
  })
  has(t, 'C02-in-progress', new LegScript().request('INVITE').at(0.2).response(180, 'Ringing', 'INVITE'), {
    at: 5,
    title: 'Ringing',
    sentence:
      'The call to 1002 was sent to Asterisk (192.0.2.1:5080) 5 s ago; the last answer is 180 Ringing.',
  })
  lacks(t, 'C02-in-progress', hangUp(answered(outbound()).at(9)), 20, 'it ended')
})

t.test('C03 the end was not seen', async (t) => {
  has(t, 'C03-end-not-seen', answered(new LegScript()), {
    at: 100_000,
    severity: 'info',
    confidence: 'low',
    sentence:
      'No BYE was seen, and the call has been silent for 27 h 46 min; it has no session timer, so it may have ended unseen.',
  })
  const rang = new LegScript().request('INVITE').at(0.2).response(180, 'Ringing', 'INVITE')
  t.same(rules(rang, 600), ['C02-in-progress'], 'twin: people let it ring for long')
  has(t, 'C03-end-not-seen', rang, {
    at: 4000.2,
    sentence:
      'No final answer was seen, and the call has been silent for 1 h 6 min: its end was lost or not captured.',
  })
  t.equal(seen(rang, 4000.2).state, 'failed')
  judgesAlike(t, rang, 4000.2)
})
