import t from 'tap'
import type { Host, ObservedMessage } from '../src/observed-message.ts'
import { LegScript, micros, pbx, phone, sdpBody, trunk } from './conversation.ts'
import { finding, judgesAlike, rules, seen } from './verdict/verdict-testing.ts'

const bob: Host = { address: '192.0.2.21', port: 5060, name: 'bob' }
const carol: Host = { address: '192.0.2.22', port: 5060, name: 'carol' }
const bravo: Host = { address: '203.0.113.77', port: 5060, name: 'bravo' }

const fromPhone = (callId: string, caller = phone) =>
  new LegScript({ callId, caller, callee: pbx, direction: 'in' })
const toPhone = (callId: string, callee: Host) =>
  new LegScript({ callId, caller: pbx, callee, direction: 'out' })
const all = (...legs: LegScript[]): ObservedMessage[] =>
  legs.flatMap(({ messages }) => messages).toSorted((a, b) => a.atMicros - b.atMicros)

const rings = (leg: LegScript, at: number) =>
  leg
    .at(at)
    .request('INVITE', { withSdp: true })
    .at(at + 0.1)
    .response(180, 'Ringing', 'INVITE')
const answers = (leg: LegScript, at: number) =>
  leg
    .at(at)
    .response(200, 'OK', 'INVITE', { withSdp: true })
    .at(at + 0.01)
    .request('ACK', { toTag: 'callee', branch: `z9hG4bK-ack-${leg.callId}` })
const hangsUp = (leg: LegScript, at: number) =>
  leg
    .at(at)
    .request('BYE', { cseq: 20, toTag: 'callee' })
    .response(200, 'OK', 'BYE', { cseq: 20, toTag: 'callee' })
const refused = (leg: LegScript, at: number, status: number, reason: string) =>
  leg
    .at(at)
    .response(status, reason, 'INVITE')
    .request('ACK', { toTag: 'callee', branch: `z9hG4bK-${leg.callId}-1-INVITE-a` })
const cancels = (leg: LegScript, at: number) =>
  refused(leg.at(at).request('CANCEL').response(200, 'OK', 'CANCEL'), at, 487, 'Request Terminated')
const refers = (leg: LegScript, at: number, by: { fromCallee?: boolean }) => {
  const inside = by.fromCallee === true ? { fromCallee: true } : { toTag: 'callee' }
  leg
    .at(at)
    .request('REFER', { cseq: 10, ...inside, headers: ['Refer-To: <sip:1003@pbx.example.com>'] })
    .response(202, 'Accepted', 'REFER', { cseq: 10, ...by })
  const back = by.fromCallee === true ? { toTag: 'callee' } : { fromCallee: true }
  const told = { headers: ['Event: refer'], body: 'SIP/2.0 200 OK\r\n', contentType: 'message/sipfrag' }
  return leg
    .at(at + 0.1)
    .request('NOTIFY', { cseq: 11, ...back, ...told })
    .response(200, 'OK', 'NOTIFY', { cseq: 11, ...back })
}

const seconds = (time: number | null | undefined) =>
  time === null || time === undefined ? null : (time - micros(0)) / 1_000_000

/** Seconds of the call's times; null where there is none. */
function timesOf(messages: readonly ObservedMessage[], at: number) {
  const { standing } = seen(messages, at)
  return {
    invited: seconds(standing?.invitedAtMicros),
    ringing: seconds(standing?.ringingAtMicros),
    answered: seconds(standing?.answeredAtMicros),
    hungUp: seconds(standing?.hungUpAtMicros),
    ended: seconds(standing?.endedAtMicros),
  }
}

/** State, title of the headline and final code at that second: what the call log and the banner show side by side. */
function shown(messages: readonly ObservedMessage[], at: number) {
  // What comes later is not known yet.
  const known = messages.filter(({ atMicros }) => atMicros <= micros(at))
  const { state, standing, findings, endedAtMicros } = seen(known, at)
  const isRunning = standing?.isRunning ?? false
  t.equal(endedAtMicros === null, isRunning, `${at} s: it has an end when it is over`)
  t.equal(state === 'setting-up' || state === 'ringing' || state === 'in-call', isRunning)
  return [state, findings[0]?.title, standing?.final?.message.message.status ?? null]
}

/** The caller reaches bob through the PBX: both legs, talking from second 3 on. */
function talk(caller = phone) {
  const a = rings(fromPhone('a', caller), 0)
  const b = rings(toPhone('b', bob), 0.1)
  answers(b, 3)
  answers(a, 3.02)
  return { a, b }
}

t.test('a blind transfer by the caller: he is gone, and the call goes on between the others', async (t) => {
  const { a, b } = talk()
  refers(a, 30, {})
  const c = rings(toPhone('c', carol), 30.2)
  hangsUp(a, 30.5)
  answers(c, 35)
  hangsUp(b, 300)
  hangsUp(c, 300.02)
  const messages = all(a, b, c)
  t.same(shown(messages, 1), ['ringing', 'Ringing', null])
  t.same(shown(messages, 20), ['in-call', 'In progress', 200])
  t.same(
    shown(messages, 32),
    ['in-call', 'In progress', 200],
    'the target rings, the transferred party waits',
  )
  t.same(shown(messages, 200), ['in-call', 'In progress', 200])
  t.same(shown(messages, 400), ['completed', 'Completed normally', 200])
  t.same(timesOf(messages, 400), { invited: 0, ringing: 0.1, answered: 3.02, hungUp: 300.02, ended: 300.02 })
  t.equal(
    finding(messages, 400, 'C01-completed').sentence,
    'The call to 1002 was answered after 3 s, and after 27.5 s alice (192.0.2.10:5060) hung up. The other legs went on for 4 min 30 s.',
  )
  const running = messages.filter(({ atMicros }) => atMicros < micros(200))
  t.match(finding(running, 200, 'C01-completed'), {
    severity: 'info',
    title: 'One leg of the call has ended',
    sentence:
      'The call to 1002 was answered after 3 s, and after 27.5 s alice (192.0.2.10:5060) hung up. Another leg of the call has not ended.',
  })
  judgesAlike(t, running, 200)
  judgesAlike(t, messages, 400)
})

t.test('a blind transfer by the called side, and its twin without one', async (t) => {
  const { a, b } = talk()
  refers(b, 30, { fromCallee: true })
  const c = rings(toPhone('c', carol), 30.2)
  answers(c, 35)
  hangsUp(b, 35.1)
  t.same(shown(all(a, b, c), 100), ['in-call', 'In progress', 200])
  hangsUp(a, 90)
  hangsUp(c, 90.01)
  t.same(shown(all(a, b, c), 100), ['completed', 'Completed normally', 200])
  t.match(
    finding(all(a, b, c), 100, 'C01-completed').sentence,
    /lasted 1 min 27 s/,
    'of the leg that stayed to the end',
  )
  const twin = talk()
  hangsUp(twin.b, 35.1)
  hangsUp(twin.a, 35.12)
  t.same(shown(all(twin.a, twin.b), 100), ['completed', 'Completed normally', 200])
})

t.test('a transfer whose target still rings when nobody else is seen to talk', async (t) => {
  const a = answers(rings(fromPhone('a'), 0), 3)
  refers(a, 30, {})
  const c = rings(toPhone('c', carol), 30.2)
  hangsUp(a, 30.5)
  t.same(shown(all(a, c), 40), ['ringing', 'Ringing', 200], 'the transferred party is on no leg of ours')
  const twin = answers(rings(fromPhone('a'), 0), 3)
  const rung = rings(toPhone('c', carol), 30.2)
  hangsUp(twin, 30.5)
  t.same(shown(all(twin, rung), 40), ['completed', 'Completed normally', 200], 'twin: no REFER, he hung up')
})

t.test('an attended transfer: the two legs of who transferred end, the two others go on', async (t) => {
  const { a, b } = talk()
  const consult = answers(rings(fromPhone('b2', bob), 20), 22.02)
  const c = answers(rings(toPhone('c', carol), 20.1), 22)
  refers(b, 40, { fromCallee: true })
  hangsUp(b, 40.3)
  hangsUp(consult, 40.3)
  const messages = all(a, b, consult, c)
  t.same(shown(messages, 30), ['in-call', 'In progress', 200])
  t.same(shown(messages, 100), ['in-call', 'In progress', 200])
  t.equal(seen(messages, 100).standing?.leg.callId, 'a')
  hangsUp(c, 120)
  hangsUp(a, 120.02)
  t.same(shown(all(a, b, consult, c), 200), ['completed', 'Completed normally', 200])
  judgesAlike(t, all(a, b, consult, c), 200)
})

t.test('an attended transfer by the caller: neither leg of his is the call any more', async (t) => {
  const { a, b } = talk()
  const consult = answers(rings(fromPhone('a2'), 20), 22.02)
  const c = answers(rings(toPhone('c', carol), 20.1), 22)
  refers(a, 40, {})
  hangsUp(a, 40.3)
  hangsUp(consult, 40.3)
  t.same(shown(all(a, b, consult, c), 100), ['in-call', 'In progress', 200])
  hangsUp(b, 120)
  hangsUp(c, 120.02)
  const messages = all(a, b, consult, c)
  t.same(shown(messages, 200), ['completed', 'Completed normally', 200])
  t.equal(timesOf(messages, 200).hungUp, 120.02)
})

t.test('all phones ring, one answers, the others are told so', async (t) => {
  const a = rings(fromPhone('a'), 0)
  const b = rings(toPhone('b', bob), 0.1)
  const c = rings(toPhone('c', carol), 0.1)
  answers(c, 5)
  cancels(b, 5.01)
  answers(a, 5.02)
  const messages = all(a, b, c)
  t.same(shown(messages, 1), ['ringing', 'Ringing', null])
  t.same(
    shown(messages, 5),
    ['ringing', 'Ringing', null],
    'answered behind, and the caller not put through yet',
  )
  t.same(shown(messages, 10), ['in-call', 'In progress', 200])
  hangsUp(a, 60)
  hangsUp(c, 60.01)
  t.same(shown(all(a, b, c), 70), ['completed', 'Completed normally', 200])
  const nobody = [rings(fromPhone('a'), 0), rings(toPhone('b', bob), 0.1), rings(toPhone('c', carol), 0.1)]
  for (const leg of nobody) cancels(leg, 20)
  t.same(shown(all(...nobody), 70), ['cancelled', 'Cancelled by the caller', 487], 'twin: nobody answered')
})

t.test('a queue that tries agents again and again: the caller is in the call all the while', async (t) => {
  const a = answers(rings(fromPhone('a'), 0), 0.5)
  const first = cancels(rings(toPhone('b1', bob), 1), 16)
  const second = refused(rings(toPhone('b2', bob), 20), 21, 486, 'Busy Here')
  const third = answers(rings(toPhone('b3', carol), 25), 27)
  hangsUp(third, 100)
  const messages = all(a, first, second, third)
  t.same(shown(messages, 10), ['in-call', 'In progress', 200])
  t.same(shown(messages, 18), ['in-call', 'In progress', 200])
  t.same(shown(messages, 50), ['in-call', 'In progress', 200])
  t.same(
    shown(messages, 110),
    ['in-call', 'In progress', 200],
    'the agent is gone, the caller is asked how it was',
  )
  hangsUp(a, 130)
  t.same(shown(all(a, first, second, third), 200), ['completed', 'Completed normally', 200])
  const left = answers(rings(fromPhone('a'), 0), 0.5)
  const rung = rings(toPhone('b', bob), 1)
  hangsUp(left, 10)
  t.same(shown(all(left, rung), 10), ['completed', 'Completed normally', 200], 'twin: he gave up waiting')
})

t.test('a call that the phone forwards: the caller is answered by the third', async (t) => {
  const a = rings(fromPhone('a'), 0)
  const b = refused(rings(toPhone('b', bob), 0.1), 0.3, 302, 'Moved Temporarily')
  const c = rings(toPhone('c', carol), 0.4)
  t.same(shown(all(a, b, c), 1), ['ringing', 'Ringing', null])
  answers(c, 4)
  answers(a, 4.02)
  t.same(shown(all(a, b, c), 10), ['in-call', 'In progress', 200])
  hangsUp(a, 60)
  hangsUp(c, 60.01)
  t.same(shown(all(a, b, c), 70), ['completed', 'Completed normally', 200])
  const sent = refused(rings(fromPhone('a'), 0), 0.3, 302, 'Moved Temporarily')
  t.same(shown(all(sent), 70), ['diverted', 'Redirected', 302], 'twin: the caller himself is sent elsewhere')
})

t.test(
  'the first trunk refuses, the second takes the call: it is answered, seen from the caller or not',
  async (t) => {
    const first = refused(toPhone('b', trunk).at(0.1).request('INVITE', { withSdp: true }), 0.3, 503, 'x')
    const second = answers(rings(toPhone('c', bravo), 0.4), 4)
    const caller = answers(rings(fromPhone('a'), 0), 4.02)
    for (const [what, legs] of [
      ['with the caller', [caller, first, second]],
      ['without the caller', [first, second]],
    ] as const) {
      t.match(
        seen(all(...legs), 10),
        { state: 'in-call', standing: { final: { message: { message: { status: 200 } } } } },
        what,
      )
      const { findings } = seen(all(...legs), 10)
      t.same(
        findings.map(({ ruleId, severity }) => [ruleId, severity]),
        [
          ['F15-service-unavailable', 'warning'],
          ['C02-in-progress', 'info'],
        ],
        what,
      )
    }
    hangsUp(second, 60)
    const messages = all(first, second)
    t.equal(seen(messages, 70).state, 'completed')
    t.same(timesOf(messages, 70), { invited: 0.1, ringing: 0.5, answered: 4, hungUp: 60, ended: 60 })
    judgesAlike(t, messages, 70)
  },
)

t.test('both trunks refuse and the caller is not seen: the last refusal is the end', async (t) => {
  const first = refused(rings(toPhone('b', trunk), 0.1), 0.3, 503, 'Service Unavailable')
  const second = rings(toPhone('c', bravo), 0.4)
  t.equal(seen(all(first, second), 1).state, 'ringing', 'one of them is still tried')
  refused(second, 5, 486, 'Busy Here')
  const { state, standing, findings } = seen(all(first, second), 60)
  t.same([state, standing?.final?.message.message.status], ['busy', 486])
  t.match(findings[0], { ruleId: 'F15-service-unavailable', severity: 'error' }, 'nothing made up for it')
})

t.test('the leg of the caller has ended and the other hangs on', async (t) => {
  const { a, b } = talk()
  hangsUp(a, 30)
  t.same(shown(all(a, b), 30), ['in-call', 'In progress', 200], 'its BYE may be on the way')
  t.same(shown(all(a, b), 40), ['in-call', 'In progress', 200])
  t.same(shown(all(a, b), 90), ['in-call', 'The BYE was lost: one side is still in the call', 200])
  const later = all(a, b)
  t.equal(seen(later, 13 * 3600).state, 'completed', 'nobody talks for half a day')
  hangsUp(b, 30.01)
  t.same(shown(all(a, b), 90), ['completed', 'Completed normally', 200], 'twin: both have ended')
})

t.test('one leg of a group call hangs on after all others have ended', async (t) => {
  const { a, b } = talk()
  const c = cancels(rings(toPhone('c', carol), 0.1), 3)
  hangsUp(a, 30)
  const messages = all(a, b, c)
  t.match(
    finding(messages, 90, 'D06-call-left-over').sentence,
    /^The other leg of the call to 1002 ended 1 min ago/,
  )
  const joined = answers(rings(toPhone('d', carol), 10), 12)
  t.notOk(rules(all(a, b, joined), 90).includes('D06-call-left-over'), 'twin: a third goes on with it')
})

t.test('who was transferred to where nobody looks is not called left over', async (t) => {
  const { a, b } = talk()
  refers(a, 30, {})
  hangsUp(a, 30.5)
  t.same(shown(all(a, b), 300), ['in-call', 'In progress', 200], 'he may talk to another technology')
  t.notOk(rules(all(a, b), 300).includes('D06-call-left-over'))
})

t.test('of two legs one has a session timer that ran out: the call is over on both', async (t) => {
  const timer = { headers: ['Session-Expires: 1800;refresher=uac'], body: sdpBody() }
  const a = rings(fromPhone('a'), 0)
  const b = rings(toPhone('b', bob), 0.1)
  answers(b, 3)
  a.at(3.02).response(200, 'OK', 'INVITE', timer).request('ACK', { toTag: 'callee', branch: 'z9hG4bK-x' })
  t.same(shown(all(a, b), 1000), ['in-call', 'In progress', 200], 'twin: it has not run out')
  t.same(shown(all(a, b), 2000), ['completed', 'The end of the call was not seen', 200])
  t.notOk(rules(all(a, b), 2000).includes('C02-in-progress'), 'and nothing says that it goes on')
  b.at(1900).request('INFO', { cseq: 5, toTag: 'callee' }).response(200, 'OK', 'INFO', { cseq: 5 })
  t.equal(seen(all(a, b), 2000).state, 'in-call', 'twin: the other was alive after that')
  const c = answers(rings(toPhone('c', carol), 100), 103)
  const three = all(a, talk().b, c)
  t.equal(seen(three, 2000).state, 'in-call', 'twin: with a third it may go on')
  t.match(finding(three, 2000, 'D06-call-left-over').sentence, /so this leg is over/)
})

t.test('the caller gives up, and the CANCEL to the phone is not seen', async (t) => {
  const a = cancels(rings(fromPhone('a'), 0), 10)
  const b = rings(toPhone('b', bob), 0.1)
  t.same(shown(all(a, b), 12), ['cancelled', 'Cancelled by the caller', 487])
  answers(b, 10.001)
  t.same(shown(all(a, b), 12), ['in-call', 'In progress', 487], 'the answer crossed it: a leg is up')
  hangsUp(b, 12)
  t.same(shown(all(a, b), 13), ['cancelled', 'Cancelled by the caller', 487])
})

t.test('stamps of two sources that are a little apart do not make the phone the caller', async (t) => {
  const a = answers(rings(fromPhone('a'), 0.05), 3.02)
  const b = answers(rings(toPhone('b', bob), 0), 3)
  const { standing, from } = seen(all(a, b), 10)
  t.equal(standing?.front.callId, 'a')
  t.equal(from, '1001')
})

t.test('what is no call stands nowhere, and does not disturb one', async (t) => {
  const keepAlive = toPhone('o', bob).at(0).request('OPTIONS').response(200, 'OK', 'OPTIONS')
  t.match(seen(keepAlive, 10), { state: 'other', standing: null, endedAtMicros: null })
  const { a, b } = talk()
  t.same(shown(all(keepAlive, a, b), 20), ['in-call', 'In progress', 200])
  t.equal(seen(all(keepAlive, a, b), 20).standing?.front.callId, 'a')
})

/** Asterisk's dialplan hangs up on the caller. */
const gaveUp = (leg: LegScript) =>
  leg
    .at(4)
    .response(603, 'Decline', 'INVITE', { headers: ['Reason: Q.850;cause=16'] })
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-a-1-INVITE-a' })

t.test(
  'a CANCEL that crossed the answer is why the caller was refused; a twin without it is not',
  async (t) => {
    const a = gaveUp(rings(fromPhone('a'), 0))
    const b = rings(toPhone('b', bob), 0.1)
      .at(3)
      .request('CANCEL')
      .response(200, 'OK', 'CANCEL')
      .at(3.002)
      .response(200, 'OK', 'INVITE', { withSdp: true })
      .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-ack-b' })
    hangsUp(b, 3.004)
    t.same(rules(all(a, b), 60), ['S02-cancel-crossed-answer'])
    t.equal(
      seen(all(a, b), 60).standing?.final?.message.message.status,
      603,
      'the code is what the caller got',
    )
    const twin = all(gaveUp(rings(fromPhone('a'), 0)), cancels(rings(toPhone('b', bob), 0.1), 3))
    t.match(rules(twin, 60), ['F09-declined'])
  },
)
