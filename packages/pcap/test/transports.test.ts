import t, { type Test } from 'tap'
import { buildTcpFrame, buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { putU16be, putU32be } from '@sip-capture/pcap/byte-order.ts'
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
  textOf,
} from './samples.ts'

const phone = { address: '192.0.2.1', port: 40_000 }
const pbx = { address: '192.0.2.10', port: 8088 }

function extract(
  packets: readonly CapturedPacket[],
  options: { openHep?: boolean } = {},
): ExtractedMessage[] {
  const extractor = new SipExtractor({ isSipPort: () => false, ...options })
  return [...extractor.push(packets), ...extractor.expire()]
}

const inOrder = (frames: readonly Uint8Array[]): CapturedPacket[] =>
  frames.map((bytes, index) => packetOf(bytes, { atMicros: october2025 + index * 1000 }))

function callIdsByTshark(t: Test, packets: readonly CapturedPacket[]): string[] {
  const writer = createPcapngWriter({ application: 'test' })
  const file = writeCapture(t, 'a.pcapng', [writer.header, ...packets.map((one) => writer.packet(one))])
  return tshark(file, ['sip.Call-ID']).flatMap(([ids]) => (ids ?? '').split('|'))
}

const callIds = (messages: readonly ExtractedMessage[]) =>
  messages.map(({ payload }) => /Call-ID: (.*)\r/.exec(textOf(payload))?.[1])

/** A WebSocket frame (RFC 6455 section 5.2). */
function webSocketFrame(first: number, payload: Uint8Array, mask?: readonly number[]): Uint8Array {
  const length = payload.length
  const masked = mask ? 0x80 : 0
  const head =
    length < 126
      ? Uint8Array.of(first, masked | length)
      : Uint8Array.of(first, masked | 126, length >>> 8, length & 255)
  if (!mask) return join(head, payload)
  return join(
    head,
    Uint8Array.from(mask),
    payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0)),
  )
}

const clientHandshake = bytesOf(
  'GET /ws HTTP/1.1\r\nHost: pbx\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n',
)
const serverHandshake = bytesOf(
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: sip\r\n\r\n',
)
const mask = [0x37, 0xfa, 0x21, 0x3d] as const

/** Cuts a stream into segments of one direction, from the sequence number on. */
function segments(stream: Uint8Array, from: number, size: number, isClient = true): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let at = 0; at < stream.length; at += size) {
    const payload = stream.subarray(at, at + size)
    const [src, dst] = isClient ? [phone, pbx] : [pbx, phone]
    frames.push(buildTcpFrame({ src, dst, payload, sequence: from + at, acknowledgement: 1 }))
  }
  return frames
}

t.test('SIP in WebSocket frames: masked, in pieces, over any segments, as tshark has it', async (t) => {
  const big = sipRequest('INVITE', 'ws-big', 'x'.repeat(400))
  const client = join(
    webSocketFrame(0x81, sipRequest('REGISTER', 'ws-one'), mask),
    webSocketFrame(0x89, bytesOf('ping'), mask),
    webSocketFrame(0x01, big.subarray(0, 100), mask),
    webSocketFrame(0x89, bytesOf('between'), mask),
    webSocketFrame(0x00, big.subarray(100, 300), mask),
    webSocketFrame(0x80, big.subarray(300), mask),
    webSocketFrame(0x82, sipRequest('BYE', 'ws-last'), mask),
  )
  const handshake = [
    ...segments(clientHandshake, 1000, 2000),
    ...segments(serverHandshake, 5000, 2000, false),
    ...segments(
      webSocketFrame(0x81, sipRequest('NOTIFY', 'ws-server')),
      5000 + serverHandshake.length,
      2000,
      false,
    ),
  ]
  for (const size of [2000, 97, 31]) {
    const packets = inOrder([...handshake, ...segments(client, 1000 + clientHandshake.length, size)])
    const found = extract(packets)
    t.same(callIds(found), ['ws-server', 'ws-one', 'ws-big', 'ws-last'], `segments of ${size}`)
    t.same(new Set(found.map(({ transport }) => transport)), new Set(['WS']))
    t.equal(textOf(found[2]?.payload ?? new Uint8Array()), textOf(big))
    // tshark 4.0 shows binary messages as data.
    if (size === 2000) t.same(callIdsByTshark(t, packets), ['ws-server', 'ws-one', 'ws-big'])
  }
})

t.test('a WebSocket that carries something else, and plain HTTP, give no message', async (t) => {
  const upgrade = segments(clientHandshake, 1000, 2000)
  const json = webSocketFrame(0x81, bytesOf('{"method":"INVITE sip:x SIP/2.0"}'), mask)
  const page = bytesOf('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  t.same(extract(inOrder([...upgrade, ...segments(json, 1000 + clientHandshake.length, 2000)])), [])
  t.same(extract(inOrder(segments(page, 1000, 5))), [])
})

t.test(
  'a frame with a wild length or opcode ends without a throw and the next connection is read',
  async (t) => {
    for (const wild of [
      Uint8Array.of(0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255, 1),
      Uint8Array.of(0x8f, 5, 1, 2, 3, 4, 5),
      Uint8Array.of(0x80, 0),
    ]) {
      const packets = inOrder([
        ...segments(clientHandshake, 1000, 2000),
        ...segments(wild, 1000 + clientHandshake.length, 2000),
        buildTcpFrame({
          src: { ...phone, port: 40_001 },
          dst: pbx,
          payload: sipRequest('ACK', 'after'),
          sequence: 9,
        }),
      ])
      t.same(callIds(extract(packets)), ['after'])
    }
  },
)

function dataChunk(flags: number, sequence: number, bytes: Uint8Array): Uint8Array {
  const chunk = new Uint8Array((16 + bytes.length + 3) & ~3)
  chunk.set([0, flags])
  putU16be(chunk, 2, 16 + bytes.length)
  putU32be(chunk, 4, sequence)
  chunk.set(bytes, 16)
  return chunk
}

/** An SCTP packet in IPv4; the checksum is left out, which neither reader minds. */
function sctp(...chunks: readonly Uint8Array[]): Uint8Array {
  const header = new Uint8Array(12)
  putU16be(header, 0, 5060)
  putU16be(header, 2, 5060)
  putU32be(header, 4, 0x1234)
  const body = join(header, ...chunks)
  const ip = buildUdpFrame({ src: phone, dst: pbx, payload: new Uint8Array(body.length - 8) })
  ip[9] = 132
  ip.set(body, 20)
  return ip
}

t.test('SIP over SCTP: several chunks in a packet, a message over chunks, a chunk sent again', async (t) => {
  const big = sipRequest('INVITE', 'sctp-big', 'y'.repeat(300))
  const packets = inOrder([
    sctp(dataChunk(3, 1, sipRequest('OPTIONS', 'sctp-one')), dataChunk(3, 2, sipRequest('BYE', 'sctp-two'))),
    sctp(dataChunk(2, 3, big.subarray(0, 200))),
    sctp(dataChunk(0, 4, big.subarray(200, 400))),
    sctp(dataChunk(1, 5, big.subarray(400))),
    sctp(dataChunk(3, 2, sipRequest('BYE', 'sctp-two'))),
  ])
  const found = extract(packets)
  t.same(callIds(found), ['sctp-one', 'sctp-two', 'sctp-big'])
  t.match(found[2], { transport: 'SCTP', notes: ['reassembled'], frames: { length: 3 } })
  t.equal(textOf(found[2]?.payload ?? new Uint8Array()), textOf(big))
  t.same(new Set(callIdsByTshark(t, packets)), new Set(callIds(found)))
  const shuffled = [packets[0], packets[3], packets[1], packets[2]].flatMap((one) => one ?? [])
  t.same(callIds(extract(shuffled)), ['sctp-one', 'sctp-two', 'sctp-big'])
})

const tag = (type: number, ...value: readonly number[]): Uint8Array =>
  Uint8Array.of(0, type, 0, value.length, ...value)

t.test('a message that Wireshark exported without its packets has its addresses and transport', async (t) => {
  const bytes = join(
    tag(12, ...bytesOf('sip\0')),
    tag(20, 192, 0, 2, 7),
    tag(21, 192, 0, 2, 8),
    tag(24, 0, 0, 0, 2),
    tag(25, 0, 0, 0x13, 0xc5),
    tag(26, 0, 0, 0x9c, 0x40),
    tag(0),
    sipRequest('INVITE', 'exported'),
  )
  const packet = packetOf(bytes, { linkType: linkTypes.upperPdu })
  t.match(extract([packet]), [
    {
      transport: 'TCP',
      src: { address: '192.0.2.7', port: 5061 },
      dst: { address: '192.0.2.8', port: 40_000 },
    },
  ])
  t.same(callIdsByTshark(t, [packet]), ['exported'])
  for (let cut = 0; cut < 40; cut += 1) extract([packetOf(bytes.subarray(0, cut), { linkType: 252 })])
})

const chunk = (type: number, value: Uint8Array): Uint8Array =>
  join(Uint8Array.of(0, 0, 0, type, (value.length + 6) >>> 8, (value.length + 6) & 255), value)

t.test('HEP is opened where asked for, with the addresses inside', async (t) => {
  const body = join(
    chunk(3, Uint8Array.of(203, 0, 113, 1)),
    chunk(4, Uint8Array.of(203, 0, 113, 2)),
    chunk(7, Uint8Array.of(0x13, 0xc4)),
    chunk(8, Uint8Array.of(0x13, 0xd8)),
    chunk(15, sipRequest('INVITE', 'in-hep')),
  )
  const hep = join(bytesOf('HEP3'), Uint8Array.of((body.length + 6) >>> 8, (body.length + 6) & 255), body)
  const version2 = join(
    Uint8Array.of(2, 28, 2, 17, 0x13, 0xc4, 0x13, 0xd8, 203, 0, 113, 1, 203, 0, 113, 2),
    new Uint8Array(12),
    sipRequest('INVITE', 'in-hep'),
  )
  for (const payload of [hep, version2]) {
    const packets = [packetOf(buildUdpFrame({ src: phone, dst: { ...pbx, port: 9060 }, payload }))]
    t.same(extract(packets), [])
    t.match(extract(packets, { openHep: true }), [
      {
        src: { address: '203.0.113.1', port: 5060 },
        dst: { address: '203.0.113.2', port: 5080 },
        notes: ['hep'],
        payload: { length: sipRequest('INVITE', 'in-hep').length },
      },
    ])
  }
})

t.test('TCP segments in any order and sent again give the same messages once', async (t) => {
  const random = createRandom(11)
  const stream = join(
    ...Array.from({ length: 20 }, (_, at) => sipRequest('MESSAGE', `tcp-${at}`, 'b'.repeat(at * 40))),
  )
  for (let round = 0; round < 20; round += 1) {
    const [first, ...rest] = inOrder(segments(stream, 0xffff_ff00, 100 + random(900)))
    if (!first) continue
    const shuffled = [...rest, ...rest.filter(() => random(3) === 0)]
      .map((packet) => ({ packet, order: random(1000) }))
      .sort((one, other) => one.order - other.order)
      .map(({ packet }) => packet)
    const ids = callIds(extract([first, ...shuffled]))
    t.same(
      ids,
      Array.from({ length: 20 }, (_, at) => `tcp-${at}`),
    )
  }
})

t.test('fragments inside a tunnel inside fragments are one message', async (t) => {
  const payload = sipRequest('INVITE', 'nested', 'z'.repeat(3000))
  const outer = fragmentIpv4(buildUdpFrame({ src: phone, dst: pbx, payload }), 1480).flatMap((inner, at) => {
    const tunnel = buildUdpFrame({
      src: { ...phone, port: 2152 },
      dst: { ...pbx, port: 2152 },
      payload: join(Uint8Array.of(0x30, 0xff, inner.length >>> 8, inner.length & 255, 0, 0, 0, 1), inner),
    })
    return fragmentIpv4(tunnel, 800, 500 + at)
  })
  t.same(callIds(extract(inOrder(outer))), ['nested'])
})

t.test('ports used again by a connection whose start was not captured lose no message', async (t) => {
  for (const second of [0x0100_0000, 0x9000_0000, 0xf000_0000]) {
    const packets = inOrder([
      ...segments(sipRequest('OPTIONS', 'before'), 0x8000_0000, 2000),
      ...segments(sipRequest('OPTIONS', 'after'), second, 2000),
    ])
    t.same(callIds(extract(packets)), ['before', 'after'])
  }
})
