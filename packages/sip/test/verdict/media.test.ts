import t from 'tap'
import { analyseCall } from '../../src/call.ts'
import type { MediaReport } from '../../src/finding.ts'
import { answered, LegScript, micros, phone, sdpBody } from '../conversation.ts'
import { has, inbound, judgesAlike, lacks } from './verdict-testing.ts'

const hungUp = (cause: number, isByCaller = false) => {
  const who = isByCaller ? { cseq: 2, toTag: 'callee' } : { fromCallee: true }
  return answered(inbound())
    .at(32)
    .request('BYE', { ...who, headers: [`Reason: Q.850;cause=${cause}`] })
    .response(200, 'OK', 'BYE', { ...who, headers: [] })
}

t.test('D07 Asterisk hung up because no RTP came', async (t) => {
  has(t, 'D07-rtp-timeout', hungUp(44), {
    at: 60,
    severity: 'error',
    side: 'network',
    sentence:
      'Asterisk hung up the call to 1002 after 30 s with Q.850 cause 44, as it does when no media come for as long as rtp_timeout says: those of alice (192.0.2.10:5060), or of the other leg.',
  })
  lacks(t, 'D07-rtp-timeout', hungUp(16), 60, 'normal clearing')
  lacks(t, 'D07-rtp-timeout', hungUp(44, true), 60, 'what the far side means by it is not known')
})

const browser = (attributes: readonly string[], profile = 'UDP/TLS/RTP/SAVPF') =>
  sdpBody({ lines: [`m=audio 4000 ${profile} 111`, 'a=rtpmap:111 opus/48000/2', ...attributes] })
const offeredIce = ['a=ice-ufrag:abcd', 'a=ice-pwd:0123456789012345678901', 'a=fingerprint:sha-256 AA']

const webCall = (offer: string, answer: string) =>
  new LegScript({ caller: phone, transport: 'WSS' })
    .request('INVITE', { body: offer })
    .at(0.5)
    .response(200, 'OK', 'INVITE', { body: answer })
    .at(0.6)
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-ack' })

t.test('M07 WebRTC answered without ICE', async (t) => {
  has(t, 'M07-no-ice', webCall(browser(offeredIce), browser(['a=fingerprint:sha-256 BB'])), {
    at: 9,
    severity: 'warning',
    side: 'us',
    sentence:
      'alice (192.0.2.10:5060) offered audio with ICE, as browsers do, and Asterisk (192.0.2.1:5080) answered without: a browser sends no media then.',
    troubles: ['M07-no-ice'],
  })
  const answeredIce = ['a=ice-ufrag:efgh', 'a=ice-pwd:0123456789012345678901', 'a=fingerprint:sha-256 BB']
  lacks(
    t,
    'M07-no-ice',
    webCall(browser(offeredIce), browser(answeredIce)),
    9,
    'the answer takes part in ICE',
  )
  const phoneOffer = browser(['a=ice-ufrag:abcd'], 'RTP/AVP')
  lacks(t, 'M07-no-ice', webCall(phoneOffer, browser([], 'RTP/AVP')), 9, 'a phone can do without')
})

t.test('M08 what RTCP told of the media', async (t) => {
  const leg = answered(inbound())
  const report = (told: Partial<MediaReport>): MediaReport => ({
    callId: leg.callId,
    direction: 'received',
    reports: 12,
    lossPercent: 0.4,
    jitterMillis: 8,
    roundTripMillis: 40,
    ...told,
  })
  const said = (told: Partial<MediaReport>) =>
    analyseCall(leg.messages, { nowMicros: micros(60), media: [report(told)] }).findings.find(
      ({ ruleId }) => ruleId === 'M08-poor-media',
    )
  t.match(said({ lossPercent: 4.24 }), {
    severity: 'warning',
    side: 'network',
    confidence: 'high',
    sentence:
      'On the way of the media from alice (192.0.2.10:5060) to Asterisk 4.2 % of the packets were lost, as RTCP told on average (12 reports).',
  })
  t.equal(
    said({ direction: 'sent', jitterMillis: 71, roundTripMillis: 640 })?.sentence,
    'On the way of the media from Asterisk to alice (192.0.2.10:5060) the jitter was 71 ms, and the round trip took 640 ms, as RTCP told on average (12 reports).',
  )
  t.equal(said({}), undefined, 'twin: a good line')
  t.equal(said({ lossPercent: 3 }), undefined, 'twin: just at the bound')
  t.equal(said({ lossPercent: 9, reports: 2 }), undefined, 'twin: too few reports')
  t.equal(said({ lossPercent: 9, callId: 'another' }), undefined, 'twin: of another leg')
  t.equal(said({ lossPercent: null, jitterMillis: null, roundTripMillis: null }), undefined)
  judgesAlike(t, leg, 60)
})
