import { readFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import t from 'tap'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { ByteBuffer } from '@sip-capture/pcap/byte-buffer.ts'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapWriter } from '@sip-capture/pcap/pcap.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { run, temporaryFolder, writeCapture } from './oracle.ts'
import { createRandom, october2025, packetOf, sipRequest, wrap } from './samples.ts'

function readAll(bytes: Uint8Array): { packets: CapturedPacket[]; problem: string | null } {
  const reader = createCaptureReader()
  const packets = reader.push(bytes)
  reader.end()
  return { packets, problem: reader.problem }
}

const essence = ({ linkType, atMicros, nanos, bytes, originalLength, interfaceName }: CapturedPacket) =>
  `${linkType} ${interfaceName} ${atMicros}.${nanos} ${originalLength} ${Buffer.from(bytes).toString('hex')}`

function written(packets: readonly CapturedPacket[]): Uint8Array {
  const writer = createPcapngWriter({ application: 'test' })
  return Buffer.concat([writer.header, ...packets.map((packet, at) => writer.packet(packet, `no. ${at}`))])
}

function mixedPackets(count: number): CapturedPacket[] {
  const random = createRandom(count)
  const types = [linkTypes.ethernet, linkTypes.linuxSll2, linkTypes.raw, linkTypes.null]
  return Array.from({ length: count }, (_, index) => {
    const linkType = types[random(types.length)] ?? linkTypes.raw
    const [one, other] = random(2) === 0 ? ['192.0.2.1', '192.0.2.2'] : ['2001:db8::1', '2001:db8::2']
    const ip = buildUdpFrame({
      src: { address: one, port: 5060 },
      dst: { address: other, port: 5060 },
      payload: sipRequest('INVITE', `r-${index}`, 'x'.repeat(random(2000))),
    })
    const whole = wrap(linkType, ip)
    const bytes = random(4) === 0 ? whole.subarray(0, 60) : whole
    const atMicros = october2025 + index * 1_000_003
    const interfaceName = random(2) === 0 ? '' : `eth${random(3)}`
    return packetOf(bytes, {
      linkType,
      atMicros,
      nanos: random(1000),
      originalLength: whole.length,
      interfaceName,
    })
  })
}

t.test(
  'what a program says of itself and of its losses is written and read; losses are never subtracted',
  async (t) => {
    const writer = createPcapngWriter({ application: 'a program 1.2.3' })
    const out = new ByteBuffer()
    out.append(writer.header)
    const ids = ['eth0', 'eth1'].map((interfaceName) =>
      writer.describe(out, { interfaceName, linkType: linkTypes.ethernet }),
    )
    t.same(ids, [0, 1])
    t.equal(writer.describe(out, { interfaceName: 'eth1', linkType: linkTypes.ethernet }), 1, 'it is known')
    const reader = createCaptureReader()
    const told = (interfaceId: number, dropped: number, droppedByCard: number, atMicros: number) => {
      writer.statistics(out, { interfaceId, atMicros, received: 100, dropped, droppedByCard })
      reader.push(out.view().slice())
      out.clear()
      return reader.report
    }
    t.same(told(0, 3, 0, october2025), { application: 'a program 1.2.3', drops: 3, atMicros: october2025 })
    t.equal(told(1, 10, 2, october2025).drops, 3 + 12, 'each interface by itself, card and kernel together')
    t.equal(told(0, 5, 0, october2025 + 1).drops, 5 + 12, 'totals, not sums')
    t.equal(told(0, 0, 0, october2025 + 2).drops, 5 + 12)
    t.equal(told(0, 2 ** 40, 0, october2025 + 3).drops, 2 ** 40 + 12)
    t.equal(reader.report.atMicros, october2025 + 3)
    reader.end()
    t.equal(reader.problem, null)
  },
)

t.test('statistics are ones that Wireshark knows', async (t) => {
  const writer = createPcapngWriter({ application: 'x' })
  const out = new ByteBuffer()
  out.append(writer.header)
  const interfaceId = writer.describe(out, { interfaceName: 'eth0', linkType: linkTypes.ethernet })
  writer.statistics(out, { interfaceId, atMicros: october2025, received: 9, dropped: 7, droppedByCard: 1 })
  const file = writeCapture(t, 'statistics.pcapng', [out.view()])
  t.match(run('capinfos', '-I', file), /Name = eth0[^]*Number of stat entries = 1/)
})

t.test('what is read, written and read again has the same bytes and stamps', async (t) => {
  const packets = mixedPackets(200)
  const once = readAll(written(packets))
  t.equal(once.problem, null)
  t.same(once.packets.map(essence), packets.map(essence))
  const twice = readAll(written(once.packets))
  t.same(twice.packets.map(essence), packets.map(essence))
})

t.test(
  'so do the files that editcap and mergecap make of ours: every format, cut, shuffled, joined',
  async (t) => {
    const folder = temporaryFolder(t)
    const packets = mixedPackets(60).filter(({ linkType }) => linkType === linkTypes.raw)
    const source = writeCapture(t, 'source.pcapng', [written(packets)])
    const at = (name: string): string => joinPath(folder, name)
    run('editcap', '-F', 'nsecpcap', source, at('nano.pcap'))
    run('editcap', '-F', 'pcap', source, at('micro.pcap'))
    run('editcap', '-F', 'modpcap', source, at('modified.pcap'))
    run('editcap', '-s', '100', source, at('snapped.pcapng'))
    run('editcap', '-F', 'nsecpcap', '-t', '-86400.123456789', source, at('moved.pcap'))
    run('reordercap', at('nano.pcap'), at('ordered.pcapng'))
    run('mergecap', '-w', at('merged.pcapng'), source, at('moved.pcap'))
    for (const name of ['nano', 'micro', 'modified', 'moved']) {
      const { packets: read, problem } = readAll(readFileSync(at(`${name}.pcap`)))
      t.equal(problem, null, name)
      t.equal(read.length, packets.length, name)
      const pcap = createPcapWriter({ linkType: linkTypes.raw })
      const again = readAll(Buffer.concat([pcap.header, ...read.map((packet) => pcap.packet(packet))]))
      t.same(again.packets.map(essence), read.map(essence), name)
    }
    for (const name of ['snapped', 'ordered', 'merged']) {
      const { packets: read, problem } = readAll(readFileSync(at(`${name}.pcapng`)))
      t.equal(problem, null, name)
      t.same(readAll(written(read)).packets.map(essence), read.map(essence), name)
    }
    const nano = readAll(readFileSync(at('nano.pcap'))).packets
    t.same(
      nano.map(({ atMicros, nanos }) => [atMicros, nanos]),
      packets.map(({ atMicros, nanos }) => [atMicros, nanos]),
    )
    // And back: Debian's tools accept what we write.
    const file = writeCapture(t, 'back.pcapng', [written(nano)])
    t.match(run('capinfos', '-c', '-M', file), new RegExp(`Number of packets: +${packets.length}\\n`))
  },
)
