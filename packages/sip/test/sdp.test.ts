import t from 'tap'
import { parseSdp } from '../src/sdp.ts'
import { toBytes } from './conversation.ts'

t.test('reads session, media, codecs, directions', async (t) => {
  const sdp = parseSdp(
    toBytes(
      [
        'v=0',
        'o=alice 53655765 2 IN IP4 192.0.2.10',
        's=call',
        'c=IN IP4 192.0.2.10',
        't=0 0',
        'a=sendonly',
        'm=audio 4000 RTP/AVP 8 0 97 101',
        'a=rtpmap:97 opus/48000/2',
        'a=fmtp:97 useinbandfec=1',
        'a=rtpmap:101 telephone-event/8000',
        'm=video 0 RTP/SAVP 31',
        'c=IN IP6 2001:db8::1',
        'a=inactive',
        'm=image 4002 udptl t38',
        '',
      ].join('\r\n'),
    ),
  )
  t.same(sdp.origin, { user: 'alice', sessionId: '53655765', version: '2', address: '192.0.2.10' })
  t.equal(sdp.name, 'call')
  t.equal(sdp.direction, 'sendonly')
  t.same(
    sdp.media[0]?.codecs.map(({ name, clockRate }) => `${name}/${clockRate}`),
    ['PCMA/8000', 'PCMU/8000', 'opus/48000', 'telephone-event/8000'],
  )
  t.equal(sdp.media[0]?.codecs[2]?.parameters, 'useinbandfec=1')
  t.match(sdp.media[0], {
    kind: 'audio',
    port: 4000,
    protocol: 'RTP/AVP',
    address: '192.0.2.10',
    direction: 'sendonly',
  })
  t.match(sdp.media[1], { port: 0, address: '2001:db8::1', direction: 'inactive' })
  t.match(sdp.media[2]?.codecs[0], { format: 't38', name: 't38', clockRate: null })
  t.same(sdp.problems, [])
})

t.test('tolerates LF, junk and emptiness, and says so', async (t) => {
  t.equal(
    parseSdp(toBytes('v=0\no=- 1 1 IN IP4 h\nc=IN IP4 h\nm=audio 5 RTP/AVP 0\n')).media[0]?.codecs[0]?.name,
    'PCMU',
  )
  t.same(parseSdp(new Uint8Array()).problems, ['v= is missing', 'o= is missing'])
  t.same(parseSdp(toBytes('v=0\r\no=x\r\nm=audio 5 RTP/AVP\r\nnot sdp\r\n')).problems, [
    'a line that is not letter=value',
    'c= is missing',
  ])
  t.match(parseSdp(toBytes('v=0\r\nm=\r\nm=audio notaport RTP/AVP 0\r\n')).media, [{ kind: '' }, { port: 0 }])
  const many = parseSdp(toBytes(`v=0\r\n${'m=audio 1 RTP/AVP 0\r\n'.repeat(100)}`))
  t.equal(many.media.length, 64)
  t.ok(many.problems.includes('more than 64 media lines'))
  t.equal(parseSdp(new Uint8Array([0xff, 0x00, 0x0a, 0xfe])).media.length, 0)
})
