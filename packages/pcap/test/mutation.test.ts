import t from 'tap'
import { buildTcpFrame, buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { SipExtractor } from '@sip-capture/pcap/extract.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapWriter } from '@sip-capture/pcap/pcap.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { parseSdp } from '@sip-capture/sip/sdp.ts'
import { parseMessage } from '@sip-capture/sip/message.ts'
import {
  bytesOf,
  createRandom,
  fragmentIpv4,
  fragmentIpv6,
  join,
  october2025,
  packetOf,
  sipRequest,
  sipResponse,
  wrap,
} from './samples.ts'

/** `MUTATIONS=100000 pnpm tap --include=test/mutation.test.ts` for the long run. */
const rounds = Number(process.env['MUTATIONS'] ?? 5000)
const seed = 20_251_003
const maxHeapGrowthBytes = 256 * 1024 * 1024

const sdp =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const ends = { src: { address: '192.0.2.1', port: 5060 }, dst: { address: '192.0.2.2', port: 5060 } }
const ends6 = { src: { address: '2001:db8::1', port: 5060 }, dst: { address: '2001:db8::2', port: 5060 } }

/** Small captures of every kind that the extractor knows. */
function seedCaptures(): Uint8Array[] {
  const invite = sipRequest('INVITE', 'mutated', sdp)
  const big = sipRequest('INVITE', 'big', 'x'.repeat(3000))
  const stream = join(invite, bytesOf('\r\n\r\n'), sipResponse('200 OK', 'mutated'), big)
  const upgrade = bytesOf('GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n')
  const webSocket = join(upgrade, Uint8Array.of(0x81, 126, invite.length >>> 8, invite.length & 255), invite)
  const tcp = (bytes: Uint8Array, size: number): Uint8Array[] =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      buildTcpFrame({
        ...ends,
        payload: bytes.subarray(index * size, (index + 1) * size),
        sequence: 1 + index * size,
      }),
    )
  const gtp = join(Uint8Array.of(0x30, 0xff, 0, 0, 0, 0, 0, 1), buildUdpFrame({ ...ends, payload: invite }))
  const sctp = buildUdpFrame({
    ...ends,
    payload: join(new Uint8Array(4), Uint8Array.of(0, 3, 2, 0), new Uint8Array(12), invite),
  })
  sctp[9] = 132
  const sets: Uint8Array[][] = [
    [buildUdpFrame({ ...ends, payload: invite }), buildUdpFrame({ ...ends6, payload: join(invite, invite) })],
    fragmentIpv4(buildUdpFrame({ ...ends, payload: big }), 1480),
    fragmentIpv6(buildUdpFrame({ ...ends6, payload: big }), 1232),
    tcp(stream, 300),
    tcp(webSocket, 200),
    [
      buildUdpFrame({ src: { ...ends.src, port: 2152 }, dst: { ...ends.dst, port: 2152 }, payload: gtp }),
      sctp,
    ],
  ]
  return sets.flatMap((frames) => [
    capture(frames, linkTypes.raw, true),
    capture(frames, linkTypes.ethernet, false),
    capture(frames, linkTypes.linuxSll2, true),
  ])
}

function capture(frames: readonly Uint8Array[], linkType: number, isPcapng: boolean): Uint8Array {
  const packets: CapturedPacket[] = frames.map((ip, index) =>
    packetOf(wrap(linkType, ip), { linkType, atMicros: october2025 + index * 100 }),
  )
  const writer = isPcapng ? createPcapngWriter({ application: 'test' }) : createPcapWriter({ linkType })
  return join(writer.header, ...packets.map((packet) => writer.packet(packet)))
}

function mutate(seeds: readonly Uint8Array[], random: (below: number) => number): Uint8Array {
  const pick = (): Uint8Array => seeds[random(seeds.length)] ?? new Uint8Array()
  let bytes: Uint8Array = pick().slice()
  if (random(3) === 0) bytes = join(bytes.subarray(0, random(bytes.length)), pick())
  if (random(3) === 0) bytes = bytes.subarray(0, random(bytes.length))
  for (let flips = random(12); flips > 0 && bytes.length > 0; flips -= 1) {
    const at = random(bytes.length)
    bytes[at] = random(2) === 0 ? random(256) : (bytes[at] ?? 0) ^ (1 << random(8))
  }
  return bytes
}

t.test(
  'cut, flipped and joined captures never throw from file to message, and memory stays bounded',
  async (t) => {
    const seeds = seedCaptures()
    const random = createRandom(seed)
    // One extractor for all, as in a long capture: what waits from one input meets the next.
    const shared = new SipExtractor({ isSipPort: (port) => port === 5060, openHep: true })
    const heapAtStart = process.memoryUsage().heapUsed
    let messages = 0
    let parsed = 0
    for (let round = 0; round < rounds; round += 1) {
      const bytes = mutate(seeds, random)
      const reader = createCaptureReader()
      const extractor = round % 2 === 0 ? shared : new SipExtractor({ isSipPort: () => true })
      const chunk = 1 + random(bytes.length + 1)
      const found = []
      for (let at = 0; at < bytes.length; at += chunk) {
        found.push(...extractor.push(reader.push(bytes.subarray(at, at + chunk))))
      }
      reader.end()
      if (extractor !== shared) found.push(...extractor.expire())
      for (const { payload } of found) {
        messages += 1
        const result = parseMessage(payload)
        if (!result.ok) continue
        parsed += 1
        const { message } = result
        // Every lazy part once.
        void [
          message.headers,
          message.from,
          message.to,
          message.cseq,
          message.via,
          message.problems,
          message.body,
        ]
        parseSdp(message.body)
      }
    }
    shared.expire()
    const growth = process.memoryUsage().heapUsed - heapAtStart
    t.ok(growth < maxHeapGrowthBytes, `heap grew by ${Math.round(growth / 1_048_576)} MiB`)
    // Most inputs still hold something: the mutations do not only hit the file header.
    t.ok(messages > rounds / 4, `${messages} messages out of ${rounds} inputs`)
    t.ok(parsed > rounds / 8, `${parsed} parsed`)
  },
)
