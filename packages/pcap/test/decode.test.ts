import t from 'tap'
import { ipv6Text, parseAddress } from '@sip-capture/pcap/address.ts'
import { buildTcpFrame, buildUdpFrame } from '@sip-capture/pcap/build.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { decodeFrame, ipPacketStart } from '@sip-capture/pcap/decode.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { tshark, writeCapture } from './oracle.ts'
import { createRandom, join, packetOf, sipRequest, tagged, textOf, wrap } from './samples.ts'

const message = sipRequest('INVITE', 'decoded', 'v=0\r\n')
const ipv4 = buildUdpFrame({
  src: { address: '192.0.2.1', port: 5060 },
  dst: { address: '192.0.2.10', port: 5080 },
  payload: message,
})
const ipv6 = buildUdpFrame({
  src: { address: '2001:db8::1', port: 5060 },
  dst: { address: 'fe80::a', port: 5080 },
  payload: message,
})

/** 20 bytes of IPv4 around a packet. */
function ipv4Around(protocol: number, payload: Uint8Array): Uint8Array {
  const header = ipv4.slice(0, 20)
  header[2] = (20 + payload.length) >>> 8
  header[3] = 20 + payload.length
  header[9] = protocol
  return join(header, payload)
}

function ipv6Chain(...headers: readonly (readonly [protocol: number, bytes: string])[]): Uint8Array {
  const extension = headers.map(([, hex]) => new Uint8Array(Buffer.from(hex, 'hex')))
  const packet = join(ipv6.slice(0, 40), ...extension, ipv6.slice(40))
  packet[6] = headers[0]?.[0] ?? 17
  const length = packet.length - 40
  packet[4] = length >>> 8
  packet[5] = length
  return packet
}

/** Length, sequence numbers, two bytes of offset, PPP with address and control. */
const l2tpBytes = 20 + ipv4.length
const l2tpHeader = hex(
  `4a02 ${l2tpBytes.toString(16).padStart(4, '0')} 0001 0002 00000000 0002 0000 ff03 0021`,
)

/** Frames that hold the message, by what is around it. */
const frames: Record<string, [linkType: number, bytes: Uint8Array]> = {
  'raw IPv4': [linkTypes.raw, ipv4],
  'raw IPv6': [linkTypes.raw, ipv6],
  'link type IPV4': [linkTypes.ipv4, ipv4],
  'link type IPV6': [linkTypes.ipv6, ipv6],
  VLAN: [linkTypes.ethernet, tagged(ipv4, [0x8100, 7])],
  QinQ: [linkTypes.ethernet, tagged(ipv6, [0x88a8, 7], [0x8100, 8])],
  'old QinQ': [linkTypes.ethernet, tagged(ipv4, [0x8100, 7], [0x8100, 8])],
  'Ethernet padding': [linkTypes.ethernet, join(wrap(linkTypes.ethernet, ipv4), new Uint8Array(9))],
  'IP in IP': [linkTypes.raw, ipv4Around(4, ipv4)],
  'IPv6 in IPv4': [linkTypes.raw, ipv4Around(41, ipv6)],
  GRE: [linkTypes.raw, ipv4Around(47, join(Uint8Array.of(0, 0, 8, 0), ipv4))],
  'GRE with key': [linkTypes.raw, ipv4Around(47, join(Uint8Array.of(0x20, 0, 0x86, 0xdd, 0, 0, 0, 5), ipv6))],
  'GRE with Ethernet': [
    linkTypes.raw,
    ipv4Around(47, join(Uint8Array.of(0, 0, 0x65, 0x58), wrap(linkTypes.ethernet, ipv4))),
  ],
  PPPoE: [linkTypes.ethernet, pppoe(ipv4)],
  '802.3 with SNAP': [linkTypes.ethernet, snap(ipv4)],
  'MPLS, two labels': [linkTypes.ethernet, ethernet(0x8847, hex('00001040 00002140'), ipv4)],
  'VLAN, MPLS': [linkTypes.ethernet, ethernet(0x8100, hex('0007 8847 00001140'), ipv4)],
  'VLAN, PPPoE, IPv6': [linkTypes.ethernet, ethernet(0x8100, hex('0007'), pppoe(ipv6).subarray(12))],
  ERSPAN: [
    linkTypes.raw,
    ipv4Around(47, join(hex('100088be 00000001 1000000000000000'), wrap(linkTypes.ethernet, ipv4))),
  ],
  PPTP: [linkTypes.raw, ipv4Around(47, join(hex('3001880b'), hex('0000 0001 00000001 ff03 0021'), ipv4))],
  'GTP-U': [linkTypes.raw, overUdp(2152, gtp('30ff'), ipv4)],
  'GTP-U with sequence and extension header': [
    linkTypes.raw,
    overUdp(2152, gtp('36ff', '00010085 01001000'), ipv6),
  ],
  'L2TP with all fields': [linkTypes.raw, overUdp(1701, l2tpHeader, ipv4)],
  'L2TP, short': [linkTypes.raw, overUdp(1701, hex('0002 0001 0002 0057'), ipv6)],
  EtherIP: [linkTypes.raw, ipv4Around(97, join(hex('3000'), wrap(linkTypes.ethernet, ipv6)))],
  'backbone tag (802.1ah)': [
    linkTypes.ethernet,
    ethernet(0x88e7, hex('00000001'), new Uint8Array(12), hex('0800'), ipv4),
  ],
  'E-tag (802.1BR)': [linkTypes.ethernet, ethernet(0x893f, hex('000000010000 86dd'), ipv6)],
  'VN-tag': [linkTypes.ethernet, ethernet(0x8926, hex('00010000 0800'), ipv4)],
  'Cisco metadata': [linkTypes.ethernet, ethernet(0x8909, hex('0101 0001 0007 0800'), ipv4)],
  HSR: [linkTypes.ethernet, ethernet(0x892f, hex('1000 0001 0800'), ipv4)],
  'Apple, exported before PKTAP had a number': [linkTypes.packetTapUser, wrap(linkTypes.packetTap, ipv4)],
  VXLAN: [linkTypes.raw, overUdp(4789, hex('08000000 00002a00'), wrap(linkTypes.ethernet, ipv4))],
  Geneve: [linkTypes.raw, overUdp(6081, hex('00006558 00002a00'), wrap(linkTypes.ethernet, ipv6))],
  'MPLS over UDP': [linkTypes.raw, overUdp(6635, hex('00001140'), ipv4)],
  TZSP: [linkTypes.raw, overUdp(37_008, hex('01000001 01'), wrap(linkTypes.ethernet, ipv4))],
  Teredo: [linkTypes.raw, overUdp(3544, hex(''), ipv6)],
  'GTP-U inside VXLAN inside GRE': [
    linkTypes.raw,
    ipv4Around(
      47,
      join(
        hex('00000800'),
        overUdp(4789, hex('08000000 00002a00'), wrap(linkTypes.ethernet, overUdp(2152, gtp('30ff'), ipv4))),
      ),
    ),
  ],
  'IPv6 hop-by-hop, routing, destination options': [
    linkTypes.raw,
    ipv6Chain([0, '2b00010400000000'], [43, '3c00000000000000'], [60, '1100010400000000']),
  ],
  'IPv6 authentication header': [
    linkTypes.raw,
    ipv6Chain([51, '110400000000000100000001000000000000000000000000']),
  ],
  'a fragment header on a whole packet': [linkTypes.raw, ipv6Chain([44, '1100000000000001'])],
}
for (const [name, linkType] of Object.entries(linkTypes)) {
  if (
    [linkTypes.ipv4, linkTypes.ipv6, linkTypes.upperPdu, linkTypes.mpls].some((other) => other === linkType)
  )
    continue
  frames[`${name} with IPv4`] = [linkType, wrap(linkType, ipv4)]
  frames[`${name} with IPv6`] = [linkType, wrap(linkType, ipv6)]
}

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

function ethernet(etherType: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return join(new Uint8Array(12), Uint8Array.of(etherType >>> 8, etherType), ...parts)
}

function snap(ip: Uint8Array): Uint8Array {
  return ethernet(ip.length + 8, hex('aaaa03 000000 0800'), ip)
}

/** GTPv1-U, its optional part, its length left to whoever cares: ours does not, tshark does not either. */
function gtp(start: string, optional = ''): Uint8Array {
  const length = ipv4.length + hex(optional).length
  return join(hex(start), Uint8Array.of(length >>> 8, length), hex('00000001'), hex(optional))
}

function overUdp(port: number, header: Uint8Array, inner: Uint8Array): Uint8Array {
  const end = { address: '198.51.100.1', port }
  return buildUdpFrame({ src: end, dst: { ...end, address: '198.51.100.2' }, payload: join(header, inner) })
}

function pppoe(ip: Uint8Array): Uint8Array {
  const header = new Uint8Array(22)
  header.set([0x88, 0x64, 0x11, 0, 0, 1, (ip.length + 2) >>> 8, (ip.length + 2) & 255, 0, 0x21], 12)
  return join(header, ip)
}

t.test('a message is found in every frame that tshark finds it in, with the same addresses', async (t) => {
  const writer = createPcapngWriter({ application: 'test' })
  const packets: CapturedPacket[] = Object.values(frames).map(([linkType, bytes]) =>
    packetOf(bytes, { linkType }),
  )
  const file = writeCapture(t, 'frames.pcapng', [
    writer.header,
    ...packets.map((packet) => writer.packet(packet)),
  ])
  const rows = tshark(file, ['frame.number', 'sip.Call-ID', 'ip.src', 'ipv6.src'])
  for (const [index, [name, [linkType, bytes]]] of Object.entries(frames).entries()) {
    const decoded = decodeFrame(linkType, bytes)
    if (decoded.problem !== null) {
      t.fail(`${name}: ${decoded.problem}`)
      continue
    }
    t.equal(textOf(decoded.payload), textOf(message), name)
    t.match(decoded, { srcPort: 5060, dstPort: 5080, protocol: 17, fragment: null, isTruncated: false }, name)
    const row = rows.find(([number]) => number === String(index + 1))
    t.equal(row?.[1], 'decoded', `${name}: tshark sees it too`)
    const innermost = `${row?.[2] ?? ''}|${row?.[3] ?? ''}`.split('|').filter((text) => text !== '')
    t.ok(innermost.includes(decoded.src), name)
  }
})

const pseudowire = ethernet(0x8847, hex('00011140 00000000'), hex('020000000001 020000000002 86dd'), ipv6)

t.test('MPLS where tshark 4.0 does not look: as the link type, and around Ethernet', async (t) => {
  for (const [linkType, bytes] of [
    [linkTypes.mpls, wrap(linkTypes.mpls, ipv4)],
    [linkTypes.mpls, wrap(linkTypes.mpls, ipv6)],
    [linkTypes.ethernet, pseudowire],
  ] as const) {
    const decoded = decodeFrame(linkType, bytes)
    t.equal(decoded.problem === null && textOf(decoded.payload), textOf(message))
  }
})

t.test('addresses are written as RFC 5952 has them', async (t) => {
  for (const [given, wanted] of [
    ['2001:0DB8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['fe80:0:0:0:1:0:0:0', 'fe80::1:0:0:0'],
  ] as const) {
    const bytes = parseAddress(given)
    t.equal(bytes && ipv6Text(bytes, 0), wanted)
  }
  for (const wrong of [
    '',
    'x',
    '1.2.3',
    '1.2.3.4.5',
    '1:2',
    '::1::',
    '12345::',
    '1:2:3:4:5:6:7:8:9',
    '::1.2.3',
  ]) {
    t.equal(parseAddress(wrong), null, wrong)
  }
})

t.test('what is not SIP transport is told apart from what is broken', async (t) => {
  const arp = new Uint8Array(42)
  arp[12] = 8
  arp[13] = 6
  t.match(decodeFrame(linkTypes.ethernet, arp), { problem: 'not IP', kind: 'other' })
  t.match(decodeFrame(linkTypes.raw, ipv4Around(1, new Uint8Array(8))), { kind: 'other' })
  t.match(decodeFrame(linkTypes.raw, ipv4Around(50, new Uint8Array(8))), { kind: 'other' }, 'ESP')
  let nested = ipv4
  for (let depth = 0; depth < 8; depth += 1) nested = ipv4Around(4, nested)
  t.match(decodeFrame(linkTypes.raw, nested), { kind: 'other' }, 'too many tunnels')
  for (const [linkType, bytes] of [
    [linkTypes.raw, new Uint8Array(0)],
    [linkTypes.ethernet, new Uint8Array(5)],
    [9999, ipv4],
    [linkTypes.raw, ipv4.slice(0, 15)],
    [linkTypes.raw, ipv4.slice(0, 24)],
    [linkTypes.raw, ipv6.slice(0, 30)],
    [linkTypes.raw, Uint8Array.of(0x41, ...ipv4.slice(1))],
    [linkTypes.raw, ipv6Chain([0, '00ff000000000000'])],
  ] as const) {
    t.match(decodeFrame(linkType, bytes), { kind: 'malformed' })
  }
})

t.test('a frame cut by the snap length is marked as truncated', async (t) => {
  const decoded = decodeFrame(linkTypes.raw, ipv4.subarray(0, 100))
  t.match(decoded, { problem: null, isTruncated: true })
})

t.test('TCP: the payload starts behind the options', async (t) => {
  const parts = { src: { address: '192.0.2.1', port: 40_000 }, dst: { address: '192.0.2.10', port: 5060 } }
  const plain = buildTcpFrame({ ...parts, payload: message, sequence: 4_294_967_295 })
  const decoded = decodeFrame(linkTypes.raw, plain)
  t.match(decoded, {
    problem: null,
    protocol: 6,
    srcPort: 40_000,
    tcp: { sequence: 4_294_967_295, isSyn: false },
  })
  const withOptions = join(plain.slice(0, 40), new Uint8Array(12), message)
  withOptions[32] = 0x80
  withOptions[2] = withOptions.length >>> 8
  withOptions[3] = withOptions.length & 255
  const behind = decodeFrame(linkTypes.raw, withOptions)
  t.equal(behind.problem === null && textOf(behind.payload), textOf(message))
})

t.test('the start of the IP packet is known for every link type', async (t) => {
  for (const [name, [linkType, bytes]] of Object.entries(frames)) {
    const at = ipPacketStart(linkType, bytes)
    t.ok([4, 6].includes((bytes[at] ?? 0) >>> 4), name)
  }
  t.equal(ipPacketStart(linkTypes.ethernet, new Uint8Array(60)), -1)
})

t.test('random damage never throws and never reads past the frame', async (t) => {
  const random = createRandom(7)
  let rounds = 0
  for (const [linkType, sound] of Object.values(frames)) {
    for (let round = 0; round < 300; round += 1) {
      const broken = sound.slice(0, 1 + random(sound.length))
      for (let hits = 0; hits < 3; hits += 1) broken[random(Math.min(80, broken.length))] = random(256)
      const decoded = decodeFrame(linkType, broken)
      const isInside =
        decoded.problem !== null ||
        decoded.payload.byteOffset + decoded.payload.length <= broken.byteOffset + broken.length
      if (!isInside) t.fail('a payload beyond its frame')
      rounds += 1
    }
  }
  t.equal(rounds, 300 * Object.keys(frames).length)
})
