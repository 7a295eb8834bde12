import t from 'tap'
import { buildTcpFrame, buildUdpFrame, maxUdpPayloadBytes } from '@sip-capture/pcap/build.ts'
import { decodeFrame } from '@sip-capture/pcap/decode.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { tshark, tsharkChecksumErrors, writeCapture } from './oracle.ts'
import { bytesOf, packetOf, sipRequest, textOf } from './samples.ts'

const ends = [
  [
    { address: '192.0.2.1', port: 5060 },
    { address: '198.51.100.7', port: 5080 },
  ],
  [
    { address: '2001:db8::1', port: 5060 },
    { address: '2001:db8:0:1::7', port: 5080 },
  ],
] as const

t.test('frames built for messages without frames have no wrong length or checksum, by tshark', async (t) => {
  const writer = createPcapngWriter({ application: 'test' })
  const parts = [writer.header]
  const bodies = ['', 'x', 'xy', 'ü'.repeat(700), 'z'.repeat(9_000), 'z'.repeat(60_000)]
  let count = 0
  for (const [src, dst] of ends) {
    for (const linkType of [linkTypes.raw, linkTypes.ethernet]) {
      for (const body of bodies) {
        const payload = sipRequest('MESSAGE', `size-${body.length}`, body)
        const udp = buildUdpFrame({ linkType, src, dst, payload, ipId: count })
        const tcp = buildTcpFrame({
          linkType,
          src: { ...src, port: 30_000 + count },
          dst,
          payload,
          sequence: 4_000_000_000,
        })
        for (const bytes of [udp, tcp]) parts.push(writer.packet(packetOf(bytes, { linkType })))
        count += 2
      }
    }
  }
  const file = writeCapture(t, 'built.pcapng', parts)
  t.same(tsharkChecksumErrors(file), [])
  // The same filter does find a wrong one, else the line above proves nothing.
  const [src, dst] = ends[0]
  const wrong = buildUdpFrame({ src, dst, payload: sipRequest('OPTIONS', 'wrong') })
  wrong[26] = (wrong[26] ?? 0) ^ 1
  wrong[10] = (wrong[10] ?? 0) ^ 1
  const bad = createPcapngWriter({ application: 'test' })
  t.equal(
    tsharkChecksumErrors(writeCapture(t, 'bad.pcapng', [bad.header, bad.packet(packetOf(wrong))])).length,
    1,
  )

  const rows = tshark(
    file,
    ['sip.Method', 'ip.src', 'ipv6.src', 'ip.dst', 'ipv6.dst', 'udp.dstport'],
    'sip && udp',
  )
  t.equal(rows.length, count / 2)
  t.same(rows[0], ['MESSAGE', '192.0.2.1', '', '198.51.100.7', '', '5080'])
  t.same(rows.at(-1), ['MESSAGE', '', '2001:db8::1', '', '2001:db8:0:1::7', '5080'])
})

t.test('a checksum that comes out as zero is sent as all ones', async (t) => {
  const [src, dst] = ends[0]
  // One of all source ports gives a sum of zero.
  const checksums = new Set<number>()
  for (let port = 0; port < 65_536; port += 1) {
    const frame = buildUdpFrame({ src: { ...src, port }, dst, payload: bytesOf('ab') })
    checksums.add((frame[26] ?? 0) * 256 + (frame[27] ?? 0))
  }
  t.notOk(checksums.has(0))
  t.ok(checksums.has(0xffff))
})

t.test('the largest datagram fits and one byte more throws', async (t) => {
  for (const [version, [src, dst]] of [
    [4, ends[0]],
    [6, ends[1]],
  ] as const) {
    const payload = new Uint8Array(maxUdpPayloadBytes[version]).fill(0x61)
    const decoded = decodeFrame(linkTypes.raw, buildUdpFrame({ src, dst, payload }))
    t.match(decoded, { problem: null, src: src.address, dst: dst.address, srcPort: 5060, dstPort: 5080 })
    if (decoded.problem === null) t.same(decoded.payload, payload)
    t.throws(() => buildUdpFrame({ src, dst, payload: new Uint8Array(payload.length + 1) }), RangeError)
  }
})

t.test('an address that is unknown or of the other family still gives a frame', async (t) => {
  const payload = sipRequest('OPTIONS', 'odd')
  for (const [src, dst, wanted] of [
    ['', '192.0.2.1', ['0.0.0.0', '192.0.2.1']],
    ['pbx.example', '', ['0.0.0.0', '0.0.0.0']],
    ['192.0.2.1', '2001:db8::1', ['::ffff:192.0.2.1', '2001:db8::1']],
    ['', '2001:db8::1', ['::', '2001:db8::1']],
    ['[fe80::1%eth0]', 'fe80::2', ['fe80::1', 'fe80::2']],
    ['1.2.3', '1.2.3.256', ['0.0.0.0', '0.0.0.0']],
    ['1::2::3', ':', ['0.0.0.0', '0.0.0.0']],
  ] as const) {
    const frame = buildUdpFrame({ src: { address: src, port: 0 }, dst: { address: dst, port: 1 }, payload })
    const decoded = decodeFrame(linkTypes.raw, frame)
    if (decoded.problem !== null) throw new Error(decoded.problem)
    t.same([decoded.src, decoded.dst], wanted)
    t.equal(textOf(decoded.payload), textOf(payload))
  }
})
