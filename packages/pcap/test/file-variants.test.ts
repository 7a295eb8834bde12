import { readFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapWriter } from '@sip-capture/pcap/pcap.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { run, tsharkBytes, writeCapture } from './oracle.ts'
import { bytesOf, bytesOfHex, join, october2025, packetOf, sipRequest, wrap } from './samples.ts'

const ends = { src: { address: '192.0.2.1', port: 5060 }, dst: { address: '192.0.2.2', port: 5060 } }
const packets = Array.from({ length: 7 }, (_, at) =>
  packetOf(
    wrap(
      linkTypes.ethernet,
      buildUdpFrame({ ...ends, payload: sipRequest('OPTIONS', `variant-${at}`, 'x'.repeat(at)) }),
    ),
    { linkType: linkTypes.ethernet, atMicros: october2025 + at * 1_000_001 },
  ),
)
const pcapng = write(createPcapngWriter({ application: 'test' }))
const pcap = write(createPcapWriter({ linkType: linkTypes.ethernet }))

function write(writer: { header: Uint8Array; packet: (packet: CapturedPacket) => Uint8Array }): Uint8Array {
  return join(writer.header, ...packets.map((packet) => writer.packet(packet)))
}

function readIn(
  bytes: Uint8Array,
  chunkBytes: number,
): { packets: CapturedPacket[]; problem: string | null } {
  const reader = createCaptureReader()
  const found: CapturedPacket[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    // Copies: what a packet shows must not change with the buffer it was read into.
    for (const packet of reader.push(bytes.slice(at, at + chunkBytes))) {
      found.push({ ...packet, bytes: packet.bytes.slice() })
    }
  }
  reader.end()
  return { packets: found, problem: reader.problem }
}

const essence = ({ linkType, atMicros, bytes, originalLength }: CapturedPacket) =>
  `${linkType} ${atMicros} ${originalLength} ${Buffer.from(bytes).toString('hex')}`

/** Whole, by disk blocks and byte by byte. */
function hasAll(t: Test, bytes: Uint8Array, name: string, chunkSizes = [bytes.length, 512, 1]): void {
  for (const chunkBytes of chunkSizes) {
    const read = readIn(bytes, chunkBytes)
    t.equal(read.problem, null, `${name}, ${chunkBytes} bytes at once`)
    t.same(read.packets.map(essence), packets.map(essence), `${name}, ${chunkBytes} bytes at once`)
  }
}

t.test('the pcap forms of old and patched libpcaps, as editcap writes them', async (t) => {
  const source = writeCapture(t, 'source.pcapng', [pcapng])
  for (const form of ['pcap', 'nsecpcap', 'modpcap', 'nokiapcap', 'rh6_1pcap', 'suse6_3pcap']) {
    const file = joinPath(source, '..', `${form}.pcap`)
    run('editcap', '-F', form, source, file)
    const bytes = readFileSync(file)
    // A patched form is told by the second packet's header, for which a live reader does not wait.
    hasAll(t, bytes, form, [bytes.length, 512])
  }
})

t.test("Ixia's form: nanoseconds, the size of all packets behind the file header", async (t) => {
  const body = pcap.subarray(24)
  const size = Uint8Array.of(body.length & 255, body.length >>> 8, 0, 0)
  for (const magic of ['ac01001c', 'ab01001c']) {
    const bytes = join(bytesOfHex(magic), pcap.subarray(4, 24), size, body)
    hasAll(t, bytes, magic)
    const file = writeCapture(t, 'ixia.pcap', [bytes])
    t.same(
      tsharkBytes(file),
      packets.map((packet) => Buffer.from(packet.bytes).toString('hex')),
    )
  }
})

t.test('blocks whose length leaves the padding out, as the first pcapng writers had it', async (t) => {
  const bytes = pcapng.slice()
  let unpadded = 0
  for (let at = 0; at < bytes.length;) {
    const view = new DataView(bytes.buffer, at)
    const length = view.getUint32(4, true)
    const padding = view.getUint32(0, true) === 6 ? -view.getUint32(20, true) & 3 : 0
    // Options stand behind the padding, so only a block without them can be told short.
    const isPlain = 28 + view.getUint32(20, true) + padding + 4 === length
    if (padding > 0 && isPlain) {
      view.setUint32(4, length - padding, true)
      view.setUint32(length - 4, length - padding, true)
      unpadded += 1
    }
    at += length
  }
  t.ok(unpadded > 0, `${unpadded} blocks changed`)
  hasAll(t, bytes, 'unpadded')
})

t.test('gzip: either format inside, several members, cut off, damaged', async (t) => {
  for (const [name, bytes] of [
    ['pcap', pcap],
    ['pcapng', pcapng],
  ] as const) {
    hasAll(t, gzipSync(bytes), name)
    hasAll(t, join(gzipSync(bytes.subarray(0, 500)), gzipSync(bytes.subarray(500))), `${name}, two members`)
    const cut = readIn(gzipSync(bytes).subarray(0, -60), 100)
    t.match(cut.problem, /^cut off after packet \d+/, name)
    t.ok(cut.packets.length > 0 && cut.packets.length < packets.length, `${cut.packets.length} kept`)
  }
  const damaged = gzipSync(pcap)
  damaged.fill(0xff, 60, 120)
  t.type(readIn(damaged, 1000).problem, 'string')
  t.match(readIn(gzipSync(bytesOf('no capture')), 100), { packets: [], problem: /^neither a pcap nor a/ })
  t.match(readIn(gzipSync(gzipSync(pcap)), 100), { packets: [], problem: /^neither a pcap nor a/ })
})

t.test('gzip made to fill the memory is given up', async (t) => {
  // Of one packet with zeros, for ever.
  const packet = packetOf(new Uint8Array(200_000), { linkType: linkTypes.ethernet })
  const writer = createPcapWriter({ linkType: linkTypes.ethernet })
  const repeated = writer.packet(packet)
  const bomb = gzipSync(join(writer.header, ...Array.from({ length: 600 }, () => repeated)), { level: 9 })
  t.match(readIn(bomb, bomb.length).problem, /swells 400 times/)
})

t.test('what is no pcap at all is named', async (t) => {
  const source = writeCapture(t, 'source.pcapng', [pcapng])
  for (const [form, wanted] of [
    ['snoop', /^a snoop capture/],
    ['netmon2', /^a Network Monitor capture/],
    ['netmon1', /^a Network Monitor capture/],
    ['ngwsniffer_1_1', /^a NetXRay or Sniffer capture/],
    ['ngsniffer', /^a Sniffer capture/],
  ] as const) {
    const file = joinPath(source, '..', form)
    run('editcap', '-F', form, source, file)
    t.match(readIn(readFileSync(file), 1000), { packets: [], problem: wanted }, form)
  }
})

t.test('a pcap file without packets, or with a part of one, says so', async (t) => {
  t.match(readIn(pcap.subarray(0, 24), 10), { packets: [], problem: null })
  t.match(readIn(pcap.subarray(0, 80), 10), { packets: [], problem: /^cut off after packet 0: 56 bytes/ })
  t.match(readIn(pcap.subarray(0, 10), 10), { packets: [], problem: /^cut off after packet 0/ })
})
