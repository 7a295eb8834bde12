import t from 'tap'
import { buildTcpFrame } from '@sip-capture/pcap/build.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { SipExtractor, type ExtractedMessage } from '@sip-capture/pcap/extract.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { tshark, writeCapture } from './oracle.ts'
import {
  bytesOf,
  createRandom,
  join,
  october2025,
  packetOf,
  sipRequest,
  sipResponse,
  textOf,
} from './samples.ts'

const isSipPort = (port: number): boolean => port === 5060
const src = { address: '192.0.2.1', port: 40_000 }
const dst = { address: '192.0.2.10', port: 5060 }
const start = 4_294_967_000

/** Segments from `stream`, cut at the given sizes in turn; the sequence number wraps early on. */
function segments(stream: Uint8Array, sizes: readonly number[], first = start): CapturedPacket[] {
  const packets: CapturedPacket[] = []
  let at = 0
  while (at < stream.length) {
    const size = sizes[packets.length % sizes.length] ?? 1
    const payload = stream.subarray(at, at + size)
    const bytes = buildTcpFrame({ src, dst, payload, sequence: (first + at) % 4_294_967_296 })
    packets.push(packetOf(bytes, { atMicros: october2025 + packets.length * 100 }))
    at += size
  }
  return packets
}

const messages = Array.from({ length: 12 }, (_, index) =>
  sipRequest('MESSAGE', `tcp-${index}`, 'b'.repeat(index * 90)),
)
const stream = join(
  ...messages.flatMap((message, index) => (index % 3 === 0 ? [message, bytesOf('\r\n\r\n')] : [message])),
)
const texts = (found: readonly ExtractedMessage[]) => found.map(({ payload }) => textOf(payload))
const wanted = messages.map(textOf)

t.test(
  'messages are found however the stream is cut into segments, whatever is sent between them',
  async (t) => {
    for (const sizes of [[stream.length], [1400], [37], [900, 3, 200, 1], [5000, 1]]) {
      const found = new SipExtractor({ isSipPort }).push(segments(stream, sizes))
      t.same(texts(found), wanted, `segments of ${sizes.join(', ')}`)
      t.ok(found.every(({ transport, frames }) => transport === 'TCP' && frames.length > 0))
    }
  },
)

t.test('tshark finds the same messages completed by the same frames', async (t) => {
  // Without keep-alives between them, behind which tshark 4.0 stops reading a segment.
  const plain = join(...messages)
  for (const size of [plain.length, 1400, 300]) {
    const packets = segments(plain, [size], 1000)
    const found = new SipExtractor({ isSipPort }).push(packets)
    const ours = found.map(({ payload, atMicros }) => [
      /Call-ID: (.*)\r/.exec(textOf(payload))?.[1],
      atMicros,
    ])
    const writer = createPcapngWriter({ application: 'test' })
    const parts = [writer.header, ...packets.map((packet) => writer.packet(packet))]
    const options = ['-o', 'tcp.desegment_tcp_streams:TRUE']
    const rows = tshark(
      writeCapture(t, 'tcp.pcapng', parts),
      ['sip.Call-ID', 'frame.time_epoch'],
      'sip',
      options,
    )
    const theirs = rows.flatMap(([ids = '', time = '']) =>
      ids.split('|').map((id) => [id, Number(time.replace('.', '').slice(0, 16))]),
    )
    t.same(ours, theirs)
  }
})

t.test('segments out of order, twice, and overlapping give each message once', async (t) => {
  const packets = segments(stream, [500])
  const mixed = packets.flatMap((packet, index) =>
    index % 4 === 1 && index < packets.length - 1
      ? []
      : index % 4 === 2
        ? [packet, packets[index - 1] ?? packet]
        : [packet, packet],
  )
  // Times stay in the order of arrival.
  const arrived = mixed.map((packet, index) => ({ ...packet, atMicros: october2025 + index * 60_000 }))
  const extractor = new SipExtractor({ isSipPort })
  t.same(texts(extractor.push(arrived)), wanted)
  t.ok((extractor.counters['tcpRetransmitted'] ?? 0) > 0)
})

t.test('after a lost segment the whole messages behind it are found, and the cut one is told', async (t) => {
  const packets = segments(stream, [500])
  packets.splice(3, 1)
  const extractor = new SipExtractor({ isSipPort })
  const found = [...extractor.push(packets), ...extractor.expire(october2025 + 1e7)]
  const whole = found.filter(({ notes, isSip }) => isSip && !notes.includes('incomplete'))
  t.ok(whole.length >= wanted.length - 4, `${whole.length} whole`)
  for (const message of texts(whole)) t.ok(wanted.includes(message))
  t.ok(found.some(({ notes }) => notes.includes('incomplete')))
  t.match(extractor.counters, { tcpHoles: 1 })
})

t.test('a capture that begins in the middle of a message finds the next one', async (t) => {
  const found = new SipExtractor({ isSipPort }).push(segments(stream.subarray(200), [1000]))
  t.same(texts(found.filter(({ isSip }) => isSip)), wanted.slice(1))
})

t.test('TLS on a SIP port is counted as encrypted and makes no record', async (t) => {
  const extractor = new SipExtractor({ isSipPort })
  const hello = join(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01), new Uint8Array(500).fill(0xa5))
  t.same(extractor.push(segments(hello, [100])), [])
  t.match(extractor.counters, { tcpEncrypted: 6, notSip: 0 })
})

t.test('a response without Content-Length is one message', async (t) => {
  const bare = bytesOf('SIP/2.0 200 OK\r\nCall-ID: bare\r\n\r\n')
  const found = new SipExtractor({ isSipPort }).push(
    segments(join(bare, sipResponse('200 OK', 'next')), [4000]),
  )
  t.same(texts(found), [textOf(bare), textOf(sipResponse('200 OK', 'next'))])
})

t.test('an endless stream without a message, and many connections, stay bounded', async (t) => {
  const extractor = new SipExtractor({ isSipPort })
  const random = createRandom(9)
  let kept = 0
  for (let round = 0; round < 3000; round += 1) {
    const payload = new Uint8Array(1000).fill(65 + random(20))
    const bytes = buildTcpFrame({
      src: { ...src, port: 1024 + (round % 6000) },
      dst,
      payload,
      sequence: round * 1000,
    })
    kept += extractor.push([packetOf(bytes, { atMicros: october2025 + round })]).length
  }
  const endless = segments(
    join(bytesOf('INVITE sip:a SIP/2.0\r\nX: '), new Uint8Array(900_000).fill(0x61)),
    [1400],
  )
  for (const message of extractor.push(endless)) t.ok(message.payload.length <= 600_000)
  t.ok(kept >= 0)
})

t.test(
  'a connection joined at a request of an unknown method: the request is one, and so is what follows',
  async (t) => {
    const both = [sipRequest('FROBNICATE', 'first'), sipRequest('INVITE', 'second')]
    const packets = segments(join(...both), [10_000])
    const extractor = new SipExtractor({ isSipPort })
    const found = [...extractor.push(packets), ...extractor.expire()]
    t.same(texts(found), both.map(textOf))
    t.ok(found.every(({ isSip }) => isSip))
  },
)

t.test(
  'a connection joined in a body that runs into a start line: the message begins at the method',
  async (t) => {
    const invite = sipRequest('INVITE', 'second')
    const extractor = new SipExtractor({ isSipPort })
    const found = [
      ...extractor.push(segments(join(bytesOf('rest'), invite), [10_000])),
      ...extractor.expire(),
    ]
    t.same(
      found.map(({ payload, isSip }) => [textOf(payload), isSip]),
      [
        ['rest', false],
        [textOf(invite), true],
      ],
    )
  },
)
