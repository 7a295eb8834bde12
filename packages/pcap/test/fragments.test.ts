import t from 'tap'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { decodeFrame } from '@sip-capture/pcap/decode.ts'
import { SipExtractor } from '@sip-capture/pcap/extract.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { defaultFragmentLimits, FragmentReassembler } from '@sip-capture/pcap/reassembly/fragments.ts'
import { tshark, writeCapture } from './oracle.ts'
import {
  createRandom,
  fragmentIpv4,
  fragmentIpv6,
  october2025,
  packetOf,
  sipRequest,
  textOf,
} from './samples.ts'

const isSipPort = (port: number): boolean => port === 5060 || port === 5080
const big = sipRequest(
  'INVITE',
  'big',
  `v=0\r\n${'a=candidate:1 1 UDP 1 192.0.2.1 1 typ host\r\n'.repeat(80)}`,
)
const ipv4 = buildUdpFrame({
  src: { address: '192.0.2.1', port: 5060 },
  dst: { address: '192.0.2.10', port: 5060 },
  payload: big,
})
const ipv6 = buildUdpFrame({
  src: { address: '2001:db8::1', port: 5060 },
  dst: { address: '2001:db8::2', port: 5060 },
  payload: big,
})

function toPackets(frames: readonly Uint8Array[], startMicros = october2025): CapturedPacket[] {
  return frames.map((bytes, index) => packetOf(bytes, { atMicros: startMicros + index * 10 }))
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = createRandom(seed)
  const rest = [...items]
  const mixed: T[] = []
  while (rest.length > 0) mixed.push(...rest.splice(random(rest.length), 1))
  return mixed
}

t.test(
  'a big INVITE in fragments is one message with all its frames, in any order, as tshark says (C11)',
  async (t) => {
    for (const [version, pieces] of [
      [4, fragmentIpv4(ipv4, 1480)],
      [6, fragmentIpv6(ipv6, 1448)],
      [4, fragmentIpv4(ipv4, 64)],
    ] as const) {
      for (let seed = 0; seed < 8; seed += 1) {
        const packets = toPackets(seed === 0 ? pieces : shuffled(pieces, seed))
        const found = new SipExtractor({ isSipPort }).push(packets)
        t.equal(found.length, 1)
        t.equal(textOf(found[0]?.payload ?? new Uint8Array(0)), textOf(big))
        t.same(found[0]?.notes, ['reassembled'])
        t.equal(
          found[0]?.atMicros,
          packets.at(-1)?.atMicros,
          'it carries the time of the frame that completed it',
        )
        const frames = found[0]?.frames.map(({ bytes }) => Buffer.from(bytes).toString('hex')) ?? []
        t.same(
          frames,
          packets.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
          `IPv${version}: every frame is kept`,
        )
        if (seed > 1) continue
        const writer = createPcapngWriter({ application: 'test' })
        const file = writeCapture(t, 'fragments.pcapng', [
          writer.header,
          ...packets.map((one) => writer.packet(one)),
        ])
        t.same(tshark(file, ['sip.Call-ID', 'frame.number']), [['big', String(packets.length)]])
      }
    }
  },
)

t.test('fragments of several messages at once do not mix', async (t) => {
  const frames = Array.from({ length: 30 }, (_, id) => {
    const payload = sipRequest('INVITE', `call-${id}`, String(id % 10).repeat(4000))
    const [src, dst] = [
      { address: '192.0.2.1', port: 5060 },
      { address: '192.0.2.10', port: 5060 },
    ]
    return fragmentIpv4(buildUdpFrame({ src, dst, payload }), 1480, id + 1)
  }).flat()
  const found = new SipExtractor({ isSipPort }).push(toPackets(shuffled(frames, 3)))
  const bodies = found.map(({ payload }) => /Call-ID: call-(\d+)[^]*\r\n\r\n(.*)$/.exec(textOf(payload)))
  t.equal(bodies.length, 30)
  for (const match of bodies) t.equal(match?.[2], String(Number(match?.[1]) % 10).repeat(4000))
})

t.test(
  'a message whose middle fragment is missing is told as incomplete after the waiting time',
  async (t) => {
    const pieces = fragmentIpv4(ipv4, 1480)
    pieces.splice(1, 1)
    const extractor = new SipExtractor({ isSipPort })
    t.same(extractor.push(toPackets(pieces)), [])
    t.same(extractor.expire(october2025 + defaultFragmentLimits.maxAgeMicros - 1), [])
    const found = extractor.expire(october2025 + defaultFragmentLimits.maxAgeMicros + 1_000_000)
    t.equal(found.length, 1)
    t.same(found[0]?.notes, ['incomplete'])
    t.equal(found[0]?.frames.length, pieces.length)
    t.equal(textOf(found[0]?.payload ?? new Uint8Array(0)), textOf(big.subarray(0, 1472)), 'up to the hole')
    t.match(extractor.counters, { fragmentsIncomplete: 1, fragmentsReassembled: 0 })
    t.same(extractor.expire(october2025 + 1e9), [], 'only once')
  },
)

t.test('without its first fragment a message is counted: nobody can know its ports', async (t) => {
  const extractor = new SipExtractor({ isSipPort })
  t.same(extractor.push(toPackets(fragmentIpv4(ipv4, 1480).slice(1))), [])
  t.same(extractor.expire(), [])
  t.match(extractor.counters, { fragments: 2, fragmentsIncomplete: 1 })
})

t.test('overlapping fragments: the first to arrive is kept and the message says so', async (t) => {
  const [first, second, third] = fragmentIpv4(ipv4, 1480)
  if (!first || !second || !third) throw new Error('too few pieces')
  const forged = second.slice()
  forged.fill(0x21, 20)
  const contradicting = new SipExtractor({ isSipPort, dropCopies: false }).push(
    toPackets([first, second, forged, third]),
  )
  t.equal(textOf(contradicting[0]?.payload ?? new Uint8Array(0)), textOf(big))
  t.same(contradicting[0]?.notes, ['reassembled', 'overlapping-fragments'])
  const repeated = new SipExtractor({ isSipPort, dropCopies: false }).push(
    toPackets([first, second, second, third]),
  )
  t.same(repeated[0]?.notes, ['reassembled'], 'the same piece again is no contradiction')
})

t.test('a flood of fragments stays within its bounds and gives up the oldest', async (t) => {
  const reassembler = new FragmentReassembler()
  const piece = fragmentIpv4(ipv4, 1480)[0] ?? new Uint8Array(0)
  for (let id = 0; id < 30_000; id += 1) {
    const frame = piece.slice()
    frame[4] = id >>> 8
    frame[5] = id
    frame[15] = id >>> 16
    const decoded = decodeFrame(linkTypes.raw, frame)
    if (decoded.problem === null) reassembler.push(decoded, packetOf(frame))
    reassembler.takeGivenUp()
  }
  t.ok(reassembler.sizeBytes <= defaultFragmentLimits.maxBytes)
  t.ok(reassembler.counters.incomplete >= 30_000 - defaultFragmentLimits.maxDatagrams)
  const pieces = fragmentIpv4(ipv4, 1480, 60_000)
  const whole = pieces.map((frame) => {
    const decoded = decodeFrame(linkTypes.raw, frame)
    return decoded.problem === null ? reassembler.push(decoded, packetOf(frame)) : null
  })
  t.equal(whole.at(-1)?.isComplete, true, 'and a sound message still comes through')
})

t.test('one message in more pieces than are kept is given up, not grown without end', async (t) => {
  const extractor = new SipExtractor({ isSipPort })
  const found = extractor.push(toPackets(fragmentIpv4(ipv4, 8)))
  t.ok(found.every(({ notes }) => notes.includes('incomplete')))
  t.match(extractor.counters, { fragmentsReassembled: 0 })
})

t.test('pieces no host would send are refused and counted', async (t) => {
  const reassembler = new FragmentReassembler()
  const template = fragmentIpv4(ipv4, 1480)[1] ?? new Uint8Array(0)
  const beyond = template.slice()
  beyond[6] = 0x1f
  beyond[7] = 0xff
  const odd = template.slice(0, 20 + 13)
  odd[2] = 0
  odd[3] = 33
  for (const frame of [beyond, odd]) {
    const decoded = decodeFrame(linkTypes.raw, frame)
    if (decoded.problem !== null) throw new Error(decoded.problem)
    t.equal(reassembler.push(decoded, packetOf(frame)), null)
  }
  t.match(reassembler.counters, { rejected: 2 })
  t.equal(reassembler.sizeBytes, 0)
})
