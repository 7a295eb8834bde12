import t from 'tap'
import { answered, audioLines, LegScript, sdpBody } from '../conversation.ts'
import { finding, has, inbound, lacks, outbound, rules, seen } from './verdict-testing.ts'

const ringing = () => outbound().request('INVITE').at(0.5).response(180, 'Ringing', 'INVITE')

t.test('S01 cancelled: CANCEL and 487 are a normal end', async (t) => {
  const leg = ringing()
    .at(12)
    .request('CANCEL')
    .at(12.05)
    .response(200, 'OK', 'CANCEL')
    .at(12.06)
    .response(487, 'Request Terminated', 'INVITE')
  t.equal(seen(leg, 60).state, 'cancelled')
  has(t, 'S01-cancelled', leg, {
    at: 60,
    severity: 'info',
    side: 'user',
    confidence: 'high',
    sentence: 'Asterisk (192.0.2.1:5080) cancelled the call to 004930123 after 12 s, before anyone answered.',
  })
  const elsewhere = ringing()
    .at(4)
    .request('CANCEL', { headers: ['Reason: SIP;cause=200;text="Call completed elsewhere"'] })
    .response(487, 'Request Terminated', 'INVITE')
  has(t, 'S01-cancelled', elsewhere, {
    at: 60,
    title: 'Answered elsewhere',
    sentence:
      'Asterisk (192.0.2.1:5080) cancelled the call to 004930123 after 4 s, before anyone answered. It was answered elsewhere.',
  })
  const unseen = ringing().at(4).response(487, 'Request Terminated', 'INVITE')
  has(t, 'S01-cancelled', unseen, {
    at: 60,
    confidence: 'medium',
    sentence:
      'The call to 004930123 ended with 487 after 4 s, before anyone answered; the CANCEL itself was not seen.',
  })
  const pending = ringing().at(4).request('CANCEL').response(200, 'OK', 'CANCEL')
  lacks(t, 'S01-cancelled', pending, 5, 'the 487 is still to come')
  t.equal(seen(pending, 5).state, 'ringing')
})

t.test('S02 CANCEL and answer crossed', async (t) => {
  const leg = ringing()
    .at(2)
    .response(200, 'OK', 'INVITE')
    .at(2.01)
    .request('CANCEL')
    .response(200, 'OK', 'CANCEL')
    .at(2.1)
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-ack' })
    .request('BYE', { cseq: 2, toTag: 'callee' })
    .response(200, 'OK', 'BYE', { cseq: 2 })
  has(t, 'S02-cancel-crossed-answer', leg, {
    at: 60,
    severity: 'info',
    side: 'none',
    sentence:
      'The call to 004930123 was answered within 10 ms of the CANCEL from Asterisk (192.0.2.1:5080), so the CANCEL had no effect; Asterisk (192.0.2.1:5080) hung up with BYE.',
  })
  t.equal(seen(leg, 60).state, 'completed')
  const twin = answered(outbound())
    .at(9)
    .request('BYE', { cseq: 2, toTag: 'callee' })
    .response(200, 'OK', 'BYE', { cseq: 2 })
  lacks(t, 'S02-cancel-crossed-answer', twin, 60, 'no CANCEL')
})

t.test('S03 CANCEL without effect', async (t) => {
  has(t, 'S03-cancel-ignored', ringing().at(4).request('CANCEL'), {
    at: 60,
    severity: 'warning',
    side: 'network',
    sentence:
      'Asterisk (192.0.2.1:5080) cancelled the call to 004930123, and no answer to the CANCEL was seen: acme (203.0.113.9:5060) may go on ringing.',
  })
  const half = ringing().at(4).request('CANCEL').response(200, 'OK', 'CANCEL')
  has(t, 'S03-cancel-ignored', half, {
    at: 60,
    severity: 'warning',
    sentence:
      'Asterisk (192.0.2.1:5080) cancelled the call to 004930123, and the CANCEL was answered with 200, but no 487 to the INVITE was seen: acme (203.0.113.9:5060) may go on ringing.',
  })
  lacks(t, 'S03-cancel-ignored', half, 20, 'the 487 may still come')
})

const fork = () =>
  outbound()
    .request('INVITE')
    .at(0.2)
    .response(180, 'Ringing', 'INVITE', { toTag: 'one' })
    .at(0.3)
    .response(180, 'Ringing', 'INVITE', { toTag: 'two' })
    .at(4)
    .response(200, 'OK', 'INVITE', { toTag: 'one' })
    .at(4.05)
    .request('ACK', { toTag: 'one', branch: 'z9hG4bK-ack' })

t.test('S04 forked', async (t) => {
  const normal = fork()
    .at(20)
    .request('BYE', { cseq: 2, toTag: 'one' })
    .response(200, 'OK', 'BYE', { cseq: 2, toTag: 'one' })
  t.same(rules(normal, 60), ['C01-completed', 'S04-forked'])
  const leak = fork()
    .at(4.1)
    .response(200, 'OK', 'INVITE', { toTag: 'two' })
    .at(4.15)
    .request('ACK', { toTag: 'two', branch: 'z9hG4bK-ack2' })
  has(t, 'S04-forked', leak, {
    at: 60,
    severity: 'warning',
    side: 'us',
    sentence:
      '2 devices answered the call to 004930123, and Asterisk (192.0.2.1:5080) left 2 of them in it, where only one may stay.',
  })
  const tidy = leak
    .at(4.2)
    .request('BYE', { cseq: 2, toTag: 'two' })
    .response(200, 'OK', 'BYE', { cseq: 2, toTag: 'two' })
  t.notOk(
    seen(tidy, 60).findings.some(({ severity }) => severity === 'warning'),
    'twin: the second one was hung up',
  )
  lacks(t, 'S04-forked', answered(outbound()), 60, 'one device')
})

const progressForS06 = (body = {}) =>
  outbound().request('INVITE').at(0.4).response(183, 'Session Progress', 'INVITE', body)

const answerForS06 = (leg: LegScript) =>
  leg.at(6).response(200, 'OK', 'INVITE').request('ACK', { toTag: 'callee', branch: 'z9hG4bK-a' })

t.test('S06 183 without SDP', async (t) => {
  has(t, 'S06-progress-without-sdp', answerForS06(progressForS06()), {
    at: 20,
    severity: 'warning',
    side: 'peer',
    sentence:
      'acme (203.0.113.9:5060) sent 183 without SDP and no 180: for 5.6 s the caller heard no ringing, unless his phone makes it up.',
  })
  lacks(
    t,
    'S06-progress-without-sdp',
    answerForS06(progressForS06({ withSdp: true })),
    20,
    'with SDP it is early media',
  )
  lacks(
    t,
    'S06-progress-without-sdp',
    answerForS06(progressForS06().at(0.5).response(180, 'Ringing', 'INVITE')),
    20,
    '180 follows',
  )
})

t.test('S07 ringing and early media', async (t) => {
  const leg = ringing().at(1).response(183, 'Session Progress', 'INVITE', { withSdp: true })
  t.same(rules(leg, 5), ['C02-in-progress', 'S07-ringing-and-progress'])
  t.equal(
    seen(leg, 5).findings[1]?.sentence,
    "acme (203.0.113.9:5060) sent 180 Ringing and then 183 with early media: if the caller heard no ringing, the two got into each other's way.",
  )
  lacks(
    t,
    'S07-ringing-and-progress',
    ringing().at(1).response(183, 'Session Progress', 'INVITE'),
    5,
    'no early media',
  )
})

const reliable = { headers: ['Require: 100rel', 'RSeq: 1'] }

t.test('S08 reliable ringing without PRACK', async (t) => {
  const leg = inbound().request('INVITE')
  for (const at of [0.2, 0.7, 1.7, 3.7]) leg.at(at).response(180, 'Ringing', 'INVITE', reliable)
  has(t, 'S08-prack-missing', leg, {
    at: 5,
    severity: 'warning',
    side: 'peer',
    sentence:
      'Asterisk (192.0.2.1:5080) sent 180 Ringing 4 times and wants it confirmed (100rel), but no PRACK from alice (192.0.2.10:5060) was seen.',
  })
  const refused = inbound()
    .request('INVITE')
    .at(0.2)
    .response(180, 'Ringing', 'INVITE', reliable)
    .request('PRACK', { cseq: 2, toTag: 'callee', headers: ['RAck: 1 1 INVITE'] })
    .response(481, 'Call/Transaction Does Not Exist', 'PRACK', { cseq: 2 })
  has(t, 'S08-prack-missing', refused, {
    at: 5,
    severity: 'warning',
    side: 'us',
    title: 'PRACK refused',
    sentence:
      'Asterisk (192.0.2.1:5080) answered the PRACK of alice (192.0.2.10:5060) with 481 Call/Transaction Does Not Exist: it does not know the 18x that it confirms.',
  })
  const confirmed = inbound()
    .request('INVITE')
    .at(0.2)
    .response(180, 'Ringing', 'INVITE', reliable)
    .at(0.7)
    .response(180, 'Ringing', 'INVITE', reliable)
    .request('PRACK', { cseq: 2, toTag: 'callee' })
    .response(200, 'OK', 'PRACK', { cseq: 2 })
  lacks(t, 'S08-prack-missing', confirmed, 5, 'confirmed after one repetition')
})

const callForS09 = (ackBody: object) =>
  outbound()
    .request('INVITE')
    .at(2)
    .response(200, 'OK', 'INVITE', { withSdp: true })
    .at(2.05)
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-a', ...ackBody })

t.test('S09 late offer never answered', async (t) => {
  has(t, 'S09-late-offer-unanswered', callForS09({}), {
    at: 20,
    severity: 'error',
    side: 'us',
    sentence:
      'Asterisk (192.0.2.1:5080) sent the INVITE without SDP, acme (203.0.113.9:5060) made the offer in its 200, and the ACK has no SDP to answer it: there can be no audio.',
  })
  lacks(t, 'S09-late-offer-unanswered', callForS09({ withSdp: true }), 20, 'the ACK answers it')
  lacks(t, 'S09-late-offer-unanswered', answered(outbound()), 20, 'the INVITE made the offer')
})

const afterForS10 = (seconds: number) =>
  outbound()
    .request('INVITE')
    .at(0.1)
    .response(100, 'Trying', 'INVITE')
    .at(seconds)
    .response(180, 'Ringing', 'INVITE')

t.test('S10 long delay before ringing', async (t) => {
  has(t, 'S10-slow-setup', afterForS10(6.5), {
    at: 10,
    severity: 'warning',
    side: 'peer',
    confidence: 'medium',
    sentence:
      'The call to 004930123 got its first sign of life from acme (203.0.113.9:5060), 180 Ringing, only after 6.5 s.',
  })
  has(t, 'S10-slow-setup', afterForS10(14), {
    at: 20,
    confidence: 'high',
    title: 'Very long delay before ringing',
    sentence:
      'The call to 004930123 got its first sign of life from acme (203.0.113.9:5060), 180 Ringing, only after 14 s.',
  })
  lacks(t, 'S10-slow-setup', afterForS10(4), 10, 'within 5 s')
})

const callForM05 = (lines: readonly string[]) =>
  outbound()
    .request('INVITE', { body: sdpBody() })
    .at(2)
    .response(200, 'OK', 'INVITE', { body: sdpBody({ lines }) })
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-a' })

t.test('M05 DTMF events not accepted', async (t) => {
  const deaf = callForM05(['m=audio 4000 RTP/AVP 8'])
  t.same(rules(deaf, 5), ['C02-in-progress', 'M05-no-dtmf-events'])
  t.equal(
    finding(deaf, 5, 'M05-no-dtmf-events').sentence,
    'Asterisk (192.0.2.1:5080) offered telephone-event and acme (203.0.113.9:5060) did not accept it: keys pressed in this call may not arrive.',
  )
  lacks(t, 'M05-no-dtmf-events', callForM05(audioLines), 5, 'accepted')
})

const callForM06 = (answer: string) =>
  outbound()
    .request('INVITE', {
      body: sdpBody({ lines: ['m=audio 4000 RTP/SAVP 8', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x'] }),
    })
    .at(2)
    .response(200, 'OK', 'INVITE', {
      body: sdpBody({ lines: [`m=audio 4000 ${answer} 8`, 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:y'] }),
    })
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-a' })

t.test('M06 encryption on one side only', async (t) => {
  has(t, 'M06-encryption-mismatch', callForM06('RTP/AVP'), {
    at: 5,
    severity: 'warning',
    side: 'peer',
    sentence:
      "Asterisk (192.0.2.1:5080) offered audio RTP/SAVP and acme (203.0.113.9:5060) answered RTP/AVP: the two do not understand each other's sound.",
  })
  lacks(t, 'M06-encryption-mismatch', callForM06('RTP/SAVP'), 5, 'both with SRTP')
})
