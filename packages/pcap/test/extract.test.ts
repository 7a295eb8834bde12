import t from 'tap'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { SipExtractor, type ExtractedMessage } from '@sip-capture/pcap/extract.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { tshark, writeCapture } from './oracle.ts'
import {
  bytesOf,
  createRandom,
  fragmentIpv4,
  join,
  october2025,
  packetOf,
  sipRequest,
  sipResponse,
  textOf,
  wrap,
} from './samples.ts'

const isSipPort = (port: number): boolean => port === 5060
const phone = { address: '192.0.2.1', port: 5060 }
const pbx = { address: '192.0.2.10', port: 5060 }

function datagram(
  payload: Uint8Array,
  parts: { port?: number; ipId?: number; at?: number } = {},
): CapturedPacket {
  const port = parts.port ?? 5060
  const frame = buildUdpFrame({
    src: { ...phone, port },
    dst: { ...pbx, port },
    payload,
    ipId: parts.ipId ?? 0,
  })
  return packetOf(frame, { atMicros: october2025 + (parts.at ?? 0) })
}

const texts = (messages: readonly ExtractedMessage[]) => messages.map(({ payload }) => textOf(payload))
const extract = (...packets: CapturedPacket[]) => new SipExtractor({ isSipPort }).push(packets)

t.test('two messages in one datagram are two, and both have the frame', async (t) => {
  const one = sipRequest('REGISTER', 'one')
  const two = sipRequest('INVITE', 'two', 'v=0\r\n')
  const packet = datagram(join(one, bytesOf('\r\n'), two))
  const found = extract(packet)
  t.same(texts(found), [textOf(one), textOf(two)])
  t.same(
    found.map(({ index, frames }) => [index, frames.length]),
    [
      [0, 1],
      [1, 1],
    ],
  )
  // tshark 4.0 dissects only the first one.
  const writer = createPcapngWriter({ application: 'test' })
  const file = writeCapture(t, 'two.pcapng', [writer.header, writer.packet(packet)])
  t.same(tshark(file, ['sip.Call-ID']), [['one']])
})

t.test('bytes after a body that start no message stay with the message', async (t) => {
  for (const tail of ['garbage', 'INVITE sip:x', '\0\0\0\0', '\r\n\r\n']) {
    const message = join(sipRequest('MESSAGE', 'tail', 'hello'), bytesOf(tail))
    t.same(texts(extract(datagram(message))), [textOf(message)])
  }
})

t.test('a Content-Length that is wrong, double, folded or missing loses no byte', async (t) => {
  for (const header of [
    'Content-Length: 99999999999999999999',
    'Content-Length: -5',
    'Content-Length: 3',
    'Content-Length: 5\r\nContent-Length: 2',
    'Content-Length:\r\n 5',
    'l: 5',
    'L   :5',
    'Content-Lengths: 1',
    'X: y',
  ]) {
    const message = bytesOf(`OPTIONS sip:a SIP/2.0\r\nCall-ID: x\r\n${header}\r\n\r\nhello`)
    t.same(texts(extract(datagram(message))), [textOf(message)], header)
  }
})

t.test(
  'a payload on a SIP port that is not SIP is kept and marked; elsewhere it is other traffic',
  async (t) => {
    const found = extract(datagram(bytesOf('\x80\x12 not SIP at all')))
    t.match(found, [{ isSip: false, notes: ['not-sip'] }])
    const extractor = new SipExtractor({ isSipPort })
    t.same(extractor.push([datagram(bytesOf('not SIP at all'), { port: 9999 })]), [])
    t.match(extractor.counters, { otherTraffic: 1, notSip: 0 })
    t.match(extract(datagram(sipResponse('200 OK', 'x'), { port: 9999 })), [{ isSip: true, notes: [] }])
  },
)

t.test('keep-alives and STUN are counted and make no record', async (t) => {
  const extractor = new SipExtractor({ isSipPort })
  const stun = new Uint8Array(20)
  stun.set([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42])
  const payloads = [
    bytesOf('\r\n\r\n'),
    bytesOf('\r\n'),
    new Uint8Array(4),
    new Uint8Array(0),
    Uint8Array.of(0),
    stun,
  ]
  t.same(extractor.push(payloads.map((payload, at) => datagram(payload, { at: at * 1e6 }))), [])
  t.match(extractor.counters, { keepAlives: 5, stun: 1, notSip: 0 })
})

t.test('start lines of any method and version are SIP, near ones are not', async (t) => {
  for (const [line, isSip] of [
    ['SIP/2.0 200 OK', true],
    ['SIP/7.0 200 OK', true],
    ['sip/2.0 200 OK', true],
    ['OPTIONS  sip:a  SIP/2.0', true],
    ['OPTIONS sip:a SIP/2.0  ', true],
    ["!odd-Method.%*_+`' x:y SIP/2.0", true],
    ['INVITE sip:a', false],
    ['GET / HTTP/1.1', false],
    ['NOTIFY * HTTP/1.1', false],
    ['XSIP/2.0', false],
    ['SIP/', false],
    [`${'M'.repeat(200)} sip:a SIP/2.0`, false],
  ] as const) {
    t.match(extract(datagram(bytesOf(`${line}\r\nCall-ID: 1\r\n\r\n`))), [{ isSip }], line)
  }
})

t.test(
  'copies of a packet are one message that counts them; a retransmission is a message of its own',
  async (t) => {
    const payload = sipRequest('INVITE', 'copied')
    const seen = datagram(payload, { ipId: 7 })
    const copy = datagram(payload, { ipId: 7, at: 30 })
    copy.bytes[8] = 63
    copy.bytes[26] = 0
    const again = datagram(payload, { ipId: 8, at: 500_000 })
    const soon = datagram(payload, { ipId: 9, at: 500_100 })
    const late = datagram(payload, { ipId: 7, at: 700_000 })
    const translated = packetOf(
      buildUdpFrame({ src: { address: '203.0.113.5', port: 5060 }, dst: pbx, payload, ipId: 7 }),
      { atMicros: october2025 + 40 },
    )
    const extractor = new SipExtractor({ isSipPort })
    const found = extractor.push([seen, copy, translated, again, soon, late])
    t.same(
      found.map(({ copies, atMicros }) => [copies, atMicros - october2025]),
      [
        [2, 0],
        [1, 40],
        [1, 500_000],
        [1, 500_100],
        [1, 700_000],
      ],
    )
    t.match(extractor.counters, { duplicates: 1 })
  },
)

t.test('without an IP id only a second place makes a copy', async (t) => {
  const payload = sipRequest('OPTIONS', 'no-id')
  const src = { address: '2001:db8::1', port: 5060 }
  const ip = buildUdpFrame({ src, dst: { address: '2001:db8::2', port: 5060 }, payload })
  const seenOn = (interfaceIndex: number, at: number): CapturedPacket => {
    const bytes = wrap(linkTypes.linuxSll2, ip)
    bytes[7] = interfaceIndex
    return packetOf(bytes, {
      linkType: linkTypes.linuxSll2,
      interfaceName: 'any',
      atMicros: october2025 + at,
    })
  }
  t.match(extract(seenOn(2, 0), seenOn(3, 10)), [{ copies: 2 }])
  t.equal(extract(seenOn(2, 0), seenOn(2, 10)).length, 2)
})

t.test('copies of fragments do not leave half messages behind', async (t) => {
  const payload = sipRequest('INVITE', 'big-copy', 'x'.repeat(4000))
  const pieces = fragmentIpv4(buildUdpFrame({ src: phone, dst: pbx, payload }), 1480)
  const packets = pieces.flatMap((bytes, index) => [
    packetOf(bytes, { atMicros: october2025 + index * 20 }),
    packetOf(bytes.slice(), { atMicros: october2025 + index * 20 + 9 }),
  ])
  const extractor = new SipExtractor({ isSipPort })
  t.match(extractor.push(packets), [{ copies: 2, notes: ['reassembled'] }])
  t.same(extractor.expire(), [])
  t.match(extractor.counters, { duplicates: 3, fragmentsIncomplete: 0 })
})

t.test('a message cut by the snap length is kept and marked', async (t) => {
  const whole = datagram(sipRequest('OPTIONS', 'cut', 'y'.repeat(100)))
  const cut = { ...whole, bytes: whole.bytes.subarray(0, 120) }
  t.match(extract(cut), [{ isSip: true, notes: ['truncated'] }])
})

t.test('random bytes on a SIP port never throw and are never lost', async (t) => {
  const random = createRandom(5)
  const extractor = new SipExtractor({ isSipPort })
  let kept = 0
  for (let round = 0; round < 2000; round += 1) {
    const payload = round % 2 === 0 ? sipRequest('INVITE', `r${round}`, 'v=0') : new Uint8Array(70).fill(1)
    for (let hits = 0; hits < 5; hits += 1) payload[random(payload.length)] = random(256)
    const found = extractor.push([datagram(payload, { ipId: round, at: round })])
    kept += found.length > 0 ? 1 : 0
  }
  t.equal(kept, 2000)
})
