import { SipStory, type SeenText, type StoryHost, type StoryParty } from './sip-story.ts'

/** Calls that a ladder must tell well. */

export const pbxHost: StoryHost = { address: '203.0.113.2', port: 5060 }
const nat = '198.51.100.7'
export const storyStart = 1_795_412_000_000_000

const party = (user: string, address: string, port: number, name?: string): StoryParty => ({
  user,
  host: name === undefined ? { address, port } : { address, port, name },
})

interface Who {
  readonly user: string
  readonly media: string
}
const pbxAs = (user: string): StoryParty => ({ user, host: pbxHost })
const audio = (address: string, port: number) => ({ address, port, codecs: ['PCMA', 'G722'] as const })

/** Two users behind one address: challenge, retransmission, answer, hold, resume, another codec, blind transfer to a
 *  third, and the end: 40 messages of three legs. */
export function storyOfTransfer({ isOneSocket = false }: { isOneSocket?: boolean } = {}): SeenText[] {
  const story = new SipStory(pbxHost, storyStart)
  const alice = party('1001', nat, 5062)
  const bob = party('1002', nat, isOneSocket ? 5062 : 33_012)
  const carol = party('1003', '192.0.2.30', 5060)
  const a = story.leg('leg-a@phone', alice, pbxAs('1002'))
  const b = story.leg('leg-b@pbx', pbxAs('1001'), bob)
  const c = story.leg('leg-c@pbx', pbxAs('1001'), carol)
  const own = pbxHost.address
  story.at(0)
  a.request('INVITE', { sdp: audio(nat, 4000) })
  story.at(0.002)
  a.answer(401, 'Unauthorized', 'INVITE', {
    headers: ['WWW-Authenticate: Digest realm="asterisk", nonce="n1"'],
  })
  story.at(0.031)
  a.request('ACK')
  story.at(0.034)
  a.request('INVITE', { cseq: 2, sdp: audio(nat, 4000) })
  story.at(0.036)
  a.answer(100, 'Trying', 'INVITE', { cseq: 2 })
  story.at(0.041)
  b.request('INVITE', { sdp: audio(own, 10_000), times: 2 })
  story.at(0.58)
  b.answer(100, 'Trying', 'INVITE')
  story.at(0.71)
  b.answer(180, 'Ringing', 'INVITE')
  story.at(0.712)
  a.answer(180, 'Ringing', 'INVITE', { cseq: 2 })
  story.at(6.402)
  b.answer(200, 'OK', 'INVITE', { sdp: { ...audio(nat, 4002), codecs: ['PCMA'] } })
  story.at(6.404)
  b.request('ACK')
  story.at(6.407)
  a.answer(200, 'OK', 'INVITE', { cseq: 2, sdp: { ...audio(own, 10_002), codecs: ['PCMA'] } })
  story.at(6.438)
  a.request('ACK', { cseq: 2 })
  // Hold and resume.
  story.at(18.838)
  b.request('INVITE', {
    byCallee: true,
    sdp: { ...audio(nat, 4002), codecs: ['PCMA'], direction: 'sendonly' },
  })
  story.at(18.84)
  b.answer(200, 'OK', 'INVITE', {
    byCallee: true,
    sdp: { ...audio(own, 10_000), codecs: ['PCMA'], direction: 'recvonly' },
  })
  story.at(18.87)
  b.request('ACK', { byCallee: true })
  story.at(31.2)
  b.request('INVITE', { byCallee: true, cseq: 2, sdp: { ...audio(nat, 4002), codecs: ['PCMA'] } })
  story.at(31.202)
  b.answer(200, 'OK', 'INVITE', {
    byCallee: true,
    cseq: 2,
    sdp: { ...audio(own, 10_000), codecs: ['PCMA'] },
  })
  story.at(31.23)
  b.request('ACK', { byCallee: true, cseq: 2 })
  // Another codec on the caller's leg.
  story.at(33)
  a.request('INVITE', { cseq: 3, sdp: { ...audio(nat, 4000), codecs: ['G722', 'PCMA'] } })
  story.at(33.001)
  a.answer(100, 'Trying', 'INVITE', { cseq: 3 })
  story.at(33.003)
  a.answer(200, 'OK', 'INVITE', { cseq: 3, sdp: { ...audio(own, 10_002), codecs: ['G722'] } })
  story.at(33.03)
  a.request('ACK', { cseq: 3 })
  // Blind transfer.
  story.at(41.5)
  b.request('REFER', { byCallee: true, cseq: 3, headers: [`Refer-To: <sip:1003@${own}>`] })
  story.at(41.502)
  b.answer(202, 'Accepted', 'REFER', { byCallee: true, cseq: 3 })
  story.at(41.503)
  b.request('NOTIFY', {
    cseq: 2,
    headers: ['Event: refer', 'Subscription-State: active'],
    body: { type: 'message/sipfrag', text: 'SIP/2.0 100 Trying\r\n' },
  })
  story.at(41.53)
  b.answer(200, 'OK', 'NOTIFY', { cseq: 2 })
  story.at(41.54)
  c.request('INVITE', { sdp: audio(own, 10_006) })
  story.at(41.61)
  c.answer(180, 'Ringing', 'INVITE')
  story.at(44.9)
  c.answer(200, 'OK', 'INVITE', { sdp: { ...audio('192.0.2.30', 6000), codecs: ['PCMA'] } })
  story.at(44.902)
  c.request('ACK')
  story.at(44.904)
  b.request('NOTIFY', {
    cseq: 3,
    headers: ['Event: refer', 'Subscription-State: terminated;reason=noresource'],
    body: { type: 'message/sipfrag', text: 'SIP/2.0 200 OK\r\n' },
  })
  story.at(44.93)
  b.answer(200, 'OK', 'NOTIFY', { cseq: 3 })
  story.at(44.94)
  b.request('BYE', { cseq: 4, headers: ['Reason: Q.850;cause=16'] })
  story.at(44.97)
  b.answer(200, 'OK', 'BYE', { cseq: 4 })
  story.at(65.1)
  a.request('BYE', { cseq: 4 })
  story.at(65.102)
  a.answer(200, 'OK', 'BYE', { cseq: 4 })
  story.at(65.104)
  c.request('BYE', { cseq: 2, headers: ['Reason: Q.850;cause=16'] })
  story.at(65.13)
  c.answer(200, 'OK', 'BYE', { cseq: 2 })
  return inOrder(story)
}

/** A call to a group: three phones ring, the second answers, the others are cancelled. */
export function storyOfRingAll(): SeenText[] {
  const story = new SipStory(pbxHost, storyStart)
  const carrier = party('+442071838750', '192.0.2.200', 5060, 'carrier-a')
  const phones: Who[] = [
    { user: '2001', media: '198.51.100.21' },
    { user: '2002', media: '198.51.100.22' },
    { user: '2003', media: '198.51.100.23' },
  ]
  const a = story.leg('in@carrier', carrier, pbxAs('600'))
  const legs = phones.map(({ user, media }) =>
    story.leg(`out-${user}@pbx`, pbxAs('+442071838750'), party(user, media, 5060, `phone-${user}`)),
  )
  story.at(0)
  a.request('INVITE', { sdp: audio('192.0.2.201', 30_000) })
  story.at(0.001)
  a.answer(100, 'Trying', 'INVITE')
  for (const [index, leg] of legs.entries()) {
    story.at(0.01 + index / 1000)
    leg.request('INVITE', { sdp: audio(pbxHost.address, 10_010 + 2 * index) })
    story.at(0.08 + index / 100)
    leg.answer(180, 'Ringing', 'INVITE')
  }
  story.at(0.105)
  a.answer(180, 'Ringing', 'INVITE')
  const [first, second, third] = legs
  story.at(4.2)
  second?.answer(200, 'OK', 'INVITE', { sdp: { address: '198.51.100.22', port: 5004 } })
  story.at(4.201)
  second?.request('ACK')
  story.at(4.202)
  a.answer(200, 'OK', 'INVITE', { sdp: { address: pbxHost.address, port: 10_020 } })
  story.at(4.23)
  a.request('ACK')
  for (const [index, leg] of [first, third].entries()) {
    story.at(4.204 + index / 1000)
    leg?.request('CANCEL', { headers: ['Reason: SIP;cause=200;text="Call completed elsewhere"'] })
    story.at(4.24 + index / 1000)
    leg?.answer(200, 'OK', 'CANCEL')
    story.at(4.245 + index / 1000)
    leg?.answer(487, 'Request Terminated', 'INVITE')
    story.at(4.246 + index / 1000)
    leg?.request('ACK')
  }
  story.at(92)
  a.request('BYE', { cseq: 2 })
  story.at(92.001)
  a.answer(200, 'OK', 'BYE', { cseq: 2 })
  story.at(92.002)
  second?.request('BYE', { cseq: 2 })
  story.at(92.03)
  second?.answer(200, 'OK', 'BYE', { cseq: 2 })
  return inOrder(story)
}

/** A phone that never says ACK: the 200 is sent eleven times, then the PBX gives up, and its BYE gets no answer. */
export function storyOfNoAck(callId = 'no-ack@phone'): SeenText[] {
  const story = new SipStory(pbxHost, storyStart)
  const a = story.leg(callId, party('1001', nat, 5062), pbxAs('1002'))
  story.at(0)
  a.request('INVITE', { sdp: audio('10.0.0.5', 4000) })
  story.at(0.001)
  a.answer(100, 'Trying', 'INVITE')
  story.at(2)
  a.answer(200, 'OK', 'INVITE', { sdp: audio('10.9.9.9', 10_000), times: 11 })
  story.at(34)
  a.request('BYE', { byCallee: true, times: 11 })
  return inOrder(story)
}

function inOrder(story: SipStory): SeenText[] {
  return story.seen.toSorted((a, b) => a.atMicros - b.atMicros)
}
