import { readFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import t from 'tap'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapWriter } from '@sip-capture/pcap/pcap.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { toPacketTime } from '@sip-capture/pcap/pcapng-time.ts'
import { run, temporaryFolder, tshark, tsharkBytes, writeCapture } from './oracle.ts'
import { createRandom, join, october2025, packetOf, sipRequest, wrap } from './samples.ts'

const phone = { address: '192.0.2.1', port: 5060 }
const pbx = { address: '192.0.2.10', port: 5060 }

function samplePackets(linkType: number, count = 20): CapturedPacket[] {
  return Array.from({ length: count }, (_, index) => {
    const ip = buildUdpFrame({
      src: phone,
      dst: pbx,
      payload: sipRequest('OPTIONS', `call-${index}`, 'x'.repeat(index)),
    })
    const atMicros = october2025 + index * 999_983
    return packetOf(wrap(linkType, ip), { linkType, atMicros, nanos: (index * 37) % 1000 })
  })
}

function readAll(bytes: Uint8Array, chunk = bytes.length) {
  const reader = createCaptureReader()
  const packets: CapturedPacket[] = []
  for (let at = 0; at < bytes.length; at += chunk)
    packets.push(...reader.push(bytes.subarray(at, at + chunk)))
  reader.end()
  return { packets, problem: reader.problem }
}

const essence = ({ linkType, atMicros, nanos, bytes, originalLength }: CapturedPacket) => ({
  linkType,
  atMicros,
  nanos,
  originalLength,
  hex: Buffer.from(bytes).toString('hex'),
})

t.test(
  'a pcapng we write has the bytes, the time of capture and the SIP that went in, by tshark (C1, C2)',
  async (t) => {
    const { ethernet, raw, loop, linuxSll, linuxSll2, ipv4 } = linkTypes
    const packets = [linkTypes.null, ethernet, raw, loop, linuxSll, linuxSll2, ipv4].flatMap((linkType) =>
      samplePackets(linkType, 3),
    )
    const writer = createPcapngWriter({ application: 'test', comment: 'a file' })
    const file = writeCapture(t, 'a.pcapng', [
      writer.header,
      ...packets.map((one, index) => writer.packet(one, `packet ${index}`)),
    ])
    const rows = tshark(file, [
      'frame.time_epoch',
      'frame.comment',
      'sip.Method',
      'sip.Call-ID',
      'ip.src',
      'udp.srcport',
    ])
    t.equal(rows.length, packets.length)
    for (const [index, packet] of packets.entries()) {
      const seconds = Math.floor(packet.atMicros / 1e6)
      const nanos = String((packet.atMicros % 1e6) * 1000 + packet.nanos).padStart(9, '0')
      t.same(rows[index], [
        `${seconds}.${nanos}`,
        `packet ${index}`,
        'OPTIONS',
        `call-${index % 3}`,
        '192.0.2.1',
        '5060',
      ])
    }
    t.same(
      tsharkBytes(file),
      packets.map((packet) => Buffer.from(packet.bytes).toString('hex')),
    )
    t.match(run('capinfos', '-D', file), /a file|File name/)
  },
)

t.test('a classic pcap we write is read by tshark with the same bytes and microseconds', async (t) => {
  for (const microseconds of [false, true]) {
    const packets = samplePackets(linkTypes.ethernet)
    const writer = createPcapWriter({ linkType: linkTypes.ethernet, microseconds })
    const file = writeCapture(t, 'a.pcap', [writer.header, ...packets.map((packet) => writer.packet(packet))])
    const times = tshark(file, ['frame.time_epoch']).map(([time]) => time?.slice(0, 17))
    t.same(
      times,
      packets.map(
        ({ atMicros }) => `${Math.floor(atMicros / 1e6)}.${String(atMicros % 1e6).padStart(6, '0')}`,
      ),
    )
    t.same(
      tsharkBytes(file),
      packets.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
    )
  }
})

t.test('a pcap file refuses a packet of another link type', async (t) => {
  const writer = createPcapWriter({ linkType: linkTypes.ethernet })
  t.throws(() => writer.packet(packetOf(new Uint8Array(20))), /link type/)
})

t.test('every format that editcap writes is read as written, whatever the chunks', async (t) => {
  const packets = samplePackets(linkTypes.ethernet)
  const writer = createPcapngWriter({ application: 'test' })
  const source = writeCapture(t, 'a.pcapng', [
    writer.header,
    ...packets.map((packet) => writer.packet(packet)),
  ])
  const folder = temporaryFolder(t)
  for (const [format, hasNanos] of [
    ['pcapng', true],
    ['nsecpcap', true],
    ['pcap', false],
    ['modpcap', false],
  ] as const) {
    const path = joinPath(folder, format)
    run('editcap', '-F', format, source, path)
    const bytes = new Uint8Array(readFileSync(path))
    const wanted = packets.map((packet) => essence(hasNanos ? packet : { ...packet, nanos: 0 }))
    for (const chunk of [1, 7, 64, 1000, bytes.length]) {
      const { packets: read, problem } = readAll(bytes, chunk)
      t.equal(problem, null)
      t.same(read.map(essence), wanted, `${format} in chunks of ${chunk}`)
    }
  }
})

t.test('big-endian files are read', async (t) => {
  const data = sipRequest('OPTIONS', 'big')
  const seconds = Math.floor(october2025 / 1e6)
  const pcap = Buffer.alloc(40)
  pcap.writeUInt32BE(0xa1b2c3d4, 0)
  pcap.writeUInt32BE(101, 20)
  pcap.writeUInt32BE(seconds, 24)
  pcap.writeUInt32BE(123_456, 28)
  pcap.writeUInt32BE(data.length, 32)
  pcap.writeUInt32BE(data.length + 5, 36)
  const classic = readAll(join(pcap, data))
  t.same(classic.packets.map(essence), [essence(packetOf(data, { originalLength: data.length + 5 }))])

  const { packets, problem } = readAll(join(...bigEndianPcapng(data)))
  t.equal(problem, null)
  t.same(
    packets.map(({ interfaceName, linkType, bytes }) => ({ interfaceName, linkType, size: bytes.length })),
    [
      { interfaceName: 'eth7', linkType: 101, size: data.length },
      { interfaceName: 'eth7', linkType: 101, size: data.length },
    ],
  )
  // if_tsresol 2^-10 and if_tsoffset -100 s.
  t.equal(packets[0]?.atMicros, (seconds - 100) * 1e6 + 500_000)
  t.equal(packets[1]?.atMicros, 0, 'a simple packet has no time')
})

function bigEndianBlock(type: number, body: Uint8Array): Uint8Array {
  const padded = Math.ceil(body.length / 4) * 4
  const block = Buffer.alloc(12 + padded)
  block.writeUInt32BE(type, 0)
  block.writeUInt32BE(block.length, 4)
  block.set(body, 8)
  block.writeUInt32BE(block.length, block.length - 4)
  return block
}

function bigEndianPcapng(data: Uint8Array): Uint8Array[] {
  const section = Buffer.from('1a2b3c4d00010000ffffffffffffffff', 'hex')
  const options = ['0002000465746837', '000900018a000000', '000e0008ffffffffffffff9c', '00000000'].join('')
  const description = Buffer.from(`0065000000040000${options}`, 'hex')
  const stamp = BigInt(Math.floor(october2025 / 1e6)) * 1024n + 512n
  const packet = Buffer.alloc(20)
  packet.writeBigUInt64BE(stamp, 4)
  packet.writeUInt32BE(data.length, 12)
  packet.writeUInt32BE(data.length, 16)
  const simple = Buffer.alloc(4)
  simple.writeUInt32BE(data.length)
  const unknown = Buffer.from('something of another program')
  return [
    bigEndianBlock(0x0a0d0d0a, section),
    bigEndianBlock(1, description),
    bigEndianBlock(0x40000bad, unknown),
    bigEndianBlock(6, join(packet, data)),
    bigEndianBlock(3, join(simple, data)),
  ]
}

t.test('sections one after another each have their own interfaces', async (t) => {
  const ours = createPcapngWriter({ application: 'test' })
  const [first] = samplePackets(linkTypes.ethernet, 1)
  const second = packetOf(new Uint8Array(20).fill(0x45))
  if (!first) throw new Error('no packet')
  const again = createPcapngWriter({ application: 'test' })
  const bytes = join(
    ours.header,
    ours.packet(first),
    again.header,
    again.packet(second),
    ...bigEndianPcapng(Uint8Array.of(1)),
  )
  const { packets, problem } = readAll(bytes, 11)
  t.equal(problem, null)
  t.same(
    packets.map(({ linkType }) => linkType),
    [linkTypes.ethernet, linkTypes.raw, linkTypes.raw, linkTypes.raw],
  )
})

t.test('a file cut off anywhere gives the packets before the cut and a problem', async (t) => {
  const packets = samplePackets(linkTypes.ethernet, 3)
  const ng = createPcapngWriter({ application: 'test' })
  const classic = createPcapWriter({ linkType: linkTypes.ethernet })
  for (const writer of [ng, classic]) {
    const parts = [writer.header, ...packets.map((packet) => writer.packet(packet))]
    const whole = join(...parts)
    const lastStart = whole.length - (parts.at(-1)?.length ?? 0)
    for (let cut = lastStart + 1; cut < whole.length; cut += 13) {
      const result = readAll(whole.subarray(0, cut), 50)
      t.equal(result.packets.length, 2)
      t.match(result.problem, /cut off after packet 2/)
    }
  }
})

t.test('damage in a file stops with a problem, never with an error or endless memory', async (t) => {
  t.match(readAll(bytesLike('GET / HTTP/1.1')).problem, /neither a pcap nor a pcapng/)
  t.match(readAll(new Uint8Array(0)).problem, /empty/)
  t.match(readAll(new Uint8Array(2)).problem, /neither/)
  const ng = createPcapngWriter({ application: 'test' })
  const packets = samplePackets(linkTypes.ethernet, 2)
  const blocks = packets.map((packet) => ng.packet(packet))
  const huge = join(ng.header, ...blocks, Uint8Array.of(6, 0, 0, 0, 0xfc, 0xff, 0xff, 0x7f, 0, 0, 0, 0))
  const found = readAll(huge)
  t.equal(found.packets.length, 2)
  t.match(found.problem, /a block of 2147483644 bytes/)
  const classic = createPcapWriter({ linkType: 1 })
  const tooLong = join(classic.header, new Uint8Array(8), Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0))
  t.match(readAll(tooLong).problem, /a packet of 2147483647 bytes/)
  const noInterface = join(ng.header, blocks[1] ?? new Uint8Array(0))
  t.match(readAll(noInterface).problem, /not described/)

  // Any of these throwing fails the test.
  const random = createRandom(1)
  let rounds = 0
  for (const sound of [join(ng.header, ...blocks), readFileLike(packets)]) {
    for (let round = 0; round < 400; round += 1) {
      const broken = sound.slice()
      for (let hits = 0; hits < 4; hits += 1) broken[random(broken.length)] = random(256)
      readAll(broken, 1 + random(300))
      rounds += 1
    }
  }
  t.equal(rounds, 800)
})

function readFileLike(packets: readonly CapturedPacket[]): Uint8Array {
  const writer = createPcapWriter({ linkType: linkTypes.ethernet })
  return join(writer.header, ...packets.map((packet) => writer.packet(packet)))
}

function bytesLike(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

t.test('times are exact in nanoseconds, and those beyond 2200 are clamped', async (t) => {
  const scale = { resolution: 9, offsetSeconds: 0 }
  for (const nanos of [
    0n,
    1n,
    999n,
    1000n,
    1_759_479_342_123_456_789n,
    4_294_967_295_999_999_999n,
    7_258_118_399_999_999_999n,
  ]) {
    const time = toPacketTime(Number(nanos >> 32n), Number(nanos & 0xffff_ffffn), scale)
    t.equal(BigInt(time.atMicros) * 1000n + BigInt(time.nanos), nanos)
    const writer = createPcapngWriter({ application: 'test' })
    const written = readAll(join(writer.header, writer.packet(packetOf(Uint8Array.of(1), time))))
    t.match(written.packets[0], time)
  }
  t.same(toPacketTime(0xffff_ffff, 0xffff_ffff, scale), { atMicros: 7_258_118_400_000_000, nanos: 0 })
  t.same(toPacketTime(0, 5, { resolution: 6, offsetSeconds: -10 }), { atMicros: 0, nanos: 0 })
})
