import { readFileSync } from 'node:fs'
import { parseMessage } from '@sip-capture/sip/message.ts'
import t, { type Test } from 'tap'
import { buildTcpFrame, buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { decodeFrame } from '@sip-capture/pcap/decode.ts'
import { SipExtractor } from '@sip-capture/pcap/extract.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createMasker, type Masker } from '@sip-capture/pcap/mask.ts'
import { sipHash } from '@sip-capture/pcap/mask/keyed-hash.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { calls, originals, pbx, phone } from './masked-calls.ts'
import { tshark, tsharkChecksumErrors, writeCapture } from './oracle.ts'
import {
  bytesOf,
  createRandom,
  fragmentIpv4,
  join,
  october2025,
  packetOf,
  sipRequest,
  tagged,
  textOf,
  wrap,
} from './samples.ts'

const secret = Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 1)

/** Every spelling in which a text might slip through. */
function spellings(text: string): string[] {
  const bytes = Buffer.from(text)
  const hex = bytes.toString('hex')
  const escaped = hex.replace(/../g, '%$&')
  const base64 = bytes.toString('base64').replaceAll('=', '').slice(0, -1)
  return [text, bytes.toString('latin1'), hex, escaped, encodeURIComponent(text), base64].map((spelling) =>
    spelling.toLowerCase(),
  )
}

function leaksIn(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes).toString('latin1').toLowerCase()
  return originals.filter((original) => spellings(original).some((spelling) => text.includes(spelling)))
}

function writeCalls(t: Test, name: string, mask: Masker | null): string {
  const writer = createPcapngWriter({ application: 'test' })
  const parts = [writer.header]
  for (const [index, { from, payload }] of calls.entries()) {
    const ends = from === 'phone' ? { src: phone, dst: pbx } : { src: pbx, dst: phone }
    const frame = buildUdpFrame({ ...ends, payload, linkType: linkTypes.ethernet, ipId: index })
    frame.set([0x00, 0x15, 0x65, 0x1a, 0x2b, 0x3c], 6)
    const bytes = mask ? mask.maskFrame(linkTypes.ethernet, frame) : frame
    if (!bytes) throw new Error('a whole datagram was not masked')
    const atMicros = october2025 + index * 1000
    parts.push(writer.packet(packetOf(bytes, { linkType: linkTypes.ethernet, atMicros })))
  }
  return writeCapture(t, name, parts)
}

/** Each value by the number of the row in which it came first: what is equal to what. */
function pattern(values: readonly string[]): number[] {
  return values.map((value) => values.indexOf(value))
}

t.test('nothing of the people in a file of calls is in the masked file', async (t) => {
  // What is searched for is there before, else finding nothing proves nothing. A name is written with escapes, a MAC
  // address in one spelling of two.
  const found = leaksIn(readFileSync(writeCalls(t, 'original.pcapng', null)))
  t.same(
    originals.filter((text) => !found.includes(text)),
    ['Bob "the" Builder'],
  )
  const masked = readFileSync(writeCalls(t, 'masked.pcapng', createMasker({ secret })))
  t.same(leaksIn(masked), [])
  t.notMatch(masked.toString('latin1'), /response\s*=|cnonce\s*=|nonce\s*=|"[0-9a-f]{32}"/i)
  t.notOk(masked.includes(Buffer.from([0x00, 0x15, 0x65, 0x1a])), 'MAC address')
  t.notOk(masked.includes(Buffer.from([10, 20, 30, 41])), 'address in the packet header')
  t.notOk(masked.includes(Buffer.from([198, 51, 100, 77])), 'address in the packet header')
})

t.test('tshark shows the same ladder in the masked file and nothing malformed', async (t) => {
  const before = writeCalls(t, 'original.pcapng', null)
  const after = writeCalls(t, 'masked.pcapng', createMasker({ secret }))
  const same = [
    'sip.Method',
    'sip.Status-Code',
    'sip.CSeq',
    'sip.Via.transport',
    'frame.time_epoch',
    'sdp.media',
  ]
  t.equal(tshark(before, same).length, calls.length)
  t.same(tshark(after, same), tshark(before, same))
  const fields =
    'sip.Call-ID sip.Via.branch sip.from.tag sip.to.tag ip.src ip.dst udp.srcport sip.from.user sip.to.user sip.to.host ' +
    'sip.contact.user sdp.connection_info.address'
  const names = fields.split(' ')
  const [one, other] = [tshark(before, names), tshark(after, names)]
  for (const [column, field] of names.entries()) {
    const wanted = pattern(one.map((row) => row[column] ?? ''))
    t.ok(
      one.some((row) => row[column]),
      `${field} is there`,
    )
    t.same(pattern(other.map((row) => row[column] ?? '')), wanted, field)
  }
  t.same(tsharkChecksumErrors(after), [])
  t.same(tshark(after, ['frame.number'], '_ws.malformed', []).length, 0)
  t.match(tshark(after, ['sip.User-Agent'], 'sip.CSeq.seq == 101 && sip.Method == "INVITE"'), [
    [/^Yealink SIP-T46S 66\.84\.0\.15 masked-/],
  ])
})

t.test('every masked message has the right Content-Length and no new problem', async (t) => {
  const masker = createMasker({ secret })
  for (const { payload } of calls) {
    const before = parseMessage(payload)
    const after = parseMessage(masker.maskMessage(payload))
    if (!before.ok || !after.ok) throw new Error('not SIP')
    t.same(after.message.problems, before.message.problems, before.message.startLine)
    t.equal(after.message.header('content-length'), String(after.message.body.length))
    t.same(
      after.message.headers.map((header) => header.name),
      before.message.headers.map((header) => header.name),
    )
  }
})

t.test(
  'a number has one pseudonym in every header, with and without +, escapes and separators',
  async (t) => {
    const masker = createMasker({ secret })
    const masked = textOf(
      masker.maskMessage(
        bytesOf(
          'INVITE tel:+49-30-901820455 SIP/2.0\r\nFrom: "4930901820455" <sip:4930901820455@a.example>;tag=1\r\n' +
            'To: sip:%2b4930901820455@a.example\r\nContact: <sip:+4930901820455;npdi@b.example>\r\nCall-ID: x\r\n' +
            'P-Asserted-Identity: <sip:1001@a.example>, <sip:*21*+4930901820455%23@a.example>\r\nCSeq: 1 INVITE\r\n\r\n',
        ),
      ),
    )
    const number = /tel:\+(\d+)/.exec(masked)?.[1] ?? ''
    t.match(number, /^000\d{10}$/, 'the length stays')
    t.match(masked, `From: "${number}" <sip:${number}@host-`)
    t.match(masked, `To: sip:+${number}@host-`)
    t.match(masked, `<sip:+${number};npdi@host-`)
    t.match(masked, `+${number}%23@host-`)
    t.match(masked, /<sip:[0-9a-f]{4}@/, 'a short one keeps its length too')
  },
)

t.test('pseudonyms are stable in a masker, differ between secrets and are never shared', async (t) => {
  const masker = createMasker({ secret })
  const other = createMasker({ secret: Uint8Array.from(secret, (byte) => byte ^ 255) })
  t.equal(masker.maskAddress('192.0.2.7'), masker.maskAddress('192.0.2.7'))
  t.not(masker.maskAddress('192.0.2.7'), other.maskAddress('192.0.2.7'))
  t.equal(masker.maskAddress('2001:DB8::0:1'), masker.maskAddress('2001:db8::1'))
  t.match(masker.maskAddress('2001:db8::1'), /^fd[0-9a-f]{0,2}:/)
  t.match(masker.maskAddress('::ffff:192.0.2.7'), `::ffff:${masker.maskAddress('192.0.2.7')}`)
  t.match(masker.maskAddress('10.1.1.1'), /^240\./, 'a private address can be told from')
  t.match(masker.maskAddress('192.0.2.7'), /^24[1-9]\.|^25[0-4]\./, 'a public one')
  t.equal(masker.maskAddress('0.0.0.0'), '0.0.0.0')
  t.equal(masker.maskAddress(''), '')

  const addresses = new Set<string>()
  for (let index = 0; index < 20_000; index += 1) {
    addresses.add(masker.maskAddress(`10.0.${index >>> 8}.${index & 255}`))
  }
  t.equal(addresses.size, 20_000)
  t.equal(masker.sharedAddresses, 0)

  const users = new Set<string>()
  const count = 1000
  for (let index = 0; index < count; index += 1) {
    const extension = String(index).padStart(3, '0')
    users.add(/<sip:(.*?)@/.exec(textOf(masker.maskMessage(fromUser(extension))))?.[1] ?? '')
  }
  t.equal(users.size, count, 'every extension of three digits has a pseudonym of its own')
  t.same(
    [...users].filter((user) => !/^[0-9a-f]{3}$/.test(user) || /^\d+$/.test(user)),
    [],
    'of its length, and none that is an extension itself',
  )
  t.throws(() => createMasker({ secret: new Uint8Array(15) }), RangeError)
})

const keptLinkTypes = [
  linkTypes.ethernet,
  linkTypes.linuxSll,
  linkTypes.linuxSll2,
  linkTypes.null,
  linkTypes.loop,
  linkTypes.raw,
]

const fromUser = (user: string): Uint8Array =>
  bytesOf(`OPTIONS sip:x SIP/2.0\r\nFrom: <sip:${user}@a.example>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n`)

t.test(
  'frames of every link type and family keep their type, tags and tunnels go, and all is right by tshark',
  async (t) => {
    const masker = createMasker({ secret })
    const writer = createPcapngWriter({ application: 'test' })
    const parts = [writer.header]
    let count = 0
    for (const [src, dst] of [
      [phone, pbx],
      [
        { address: '2001:db8:77::5', port: 5060 },
        { address: '2001:db8:77::6', port: 5080 },
      ],
    ] as const) {
      const ip = buildUdpFrame({ src, dst, payload: sipRequest('OPTIONS', 'alice@10.20.30.41') })
      const frames: [number, Uint8Array][] = keptLinkTypes.map((type) => [type, wrap(type, ip)])
      frames.push([linkTypes.ethernet, tagged(ip, [0x88a8, 4094], [0x8100, 77])])
      for (const [linkType, frame] of frames) {
        const masked = masker.maskFrame(linkType, frame)
        if (!masked) throw new Error(`link type ${linkType} was not masked`)
        const decoded = decodeFrame(linkType, masked)
        if (decoded.problem !== null) throw new Error(decoded.problem)
        t.equal(decoded.src, masker.maskAddress(src.address))
        t.equal(decoded.dstPort, dst.port)
        t.same(leaksIn(masked), [])
        parts.push(writer.packet(packetOf(masked, { linkType })))
        count += 1
      }
    }
    const file = writeCapture(t, 'links.pcapng', parts)
    t.equal(tshark(file, ['sip.Method']).length, count)
    t.same(tsharkChecksumErrors(file), [])
  },
)

t.test('what is not a whole datagram gives null, and fresh frames hold the whole message', async (t) => {
  const masker = createMasker({ secret })
  const payload = sipRequest('MESSAGE', 'long', 'geheimes Treffen '.repeat(200))
  const whole = buildUdpFrame({ src: phone, dst: pbx, payload })
  for (const piece of fragmentIpv4(whole, 1480)) t.equal(masker.maskFrame(linkTypes.raw, piece), null)
  const segment = buildTcpFrame({ src: phone, dst: pbx, payload, sequence: 1 })
  t.equal(masker.maskFrame(linkTypes.raw, segment), null)
  t.equal(masker.maskFrame(linkTypes.ethernet, new Uint8Array(60)), null, 'not IP')
  t.equal(masker.maskFrame(147, whole), null, 'an unknown link type')
  t.equal(masker.maskFrame(linkTypes.raw, new Uint8Array(0)), null)

  const writer = createPcapngWriter({ application: 'test' })
  const parts = [writer.header]
  const huge = sipRequest('MESSAGE', 'huge', 'z'.repeat(100_000))
  const built = [
    ...masker.buildMaskedFrames({ src: phone, dst: pbx, payload }),
    ...masker.buildMaskedFrames({ src: { ...phone, port: 4001 }, dst: pbx, payload, transport: 'TCP' }),
    ...masker.buildMaskedFrames({ src: { ...phone, port: 4002 }, dst: pbx, payload: huge }),
  ]
  t.equal(built.length, 4)
  for (const frame of built) parts.push(writer.packet(packetOf(frame)))
  const file = writeCapture(t, 'fresh.pcapng', parts)
  const shown = tshark(file, ['sip.Method', 'sip.Content-Length'], 'sip && !(tcp.port == 4002)')
  t.same(shown, [
    ['MESSAGE', '3400'],
    ['MESSAGE', '3400'],
  ])
  t.same(
    tsharkChecksumErrors(file).filter(([number]) => Number(number) <= 2),
    [],
  )
  // tshark does not put so long a message together, captured or built.
  const extractor = new SipExtractor({ isSipPort: (port) => port === 5060 })
  const found = extractor.push(built.slice(2).map((frame) => packetOf(frame)))
  t.same(
    found.map((message) => message.payload.length > 100_000 && message.notes),
    [['reassembled']],
  )
  t.same(leaksIn(join(...parts)), [])
})

t.test('the keyed hash gives what its authors published', async (t) => {
  const key = Uint8Array.from({ length: 16 }, (_, index) => index)
  t.same(sipHash(key, new Uint8Array(0)), { high: 0x726fdb47, low: 0xdd0e0e31 })
  t.same(
    sipHash(
      key,
      Uint8Array.from({ length: 15 }, (_, index) => index),
    ),
    {
      high: 0xa129ca61,
      low: 0x49be45e5,
    },
  )
})

t.test('two messages in a datagram stay two, keep-alives stay, other payloads become filler', async (t) => {
  const masker = createMasker({ secret })
  const payloadOf = (payload: Uint8Array): string => {
    const masked = masker.maskFrame(linkTypes.raw, buildUdpFrame({ src: phone, dst: pbx, payload }))
    const decoded = masked && decodeFrame(linkTypes.raw, masked)
    return decoded?.problem === null ? textOf(decoded.payload) : ''
  }
  const two = payloadOf(join(sipRequest('OPTIONS', 'one', 'hello'), sipRequest('BYE', 'two')))
  t.match(two, /^OPTIONS [^]*\r\n\r\nxxxxxBYE sip:[^]*\r\n\r\n$/)
  t.equal(payloadOf(bytesOf('\r\n\r\n')), '\r\n\r\n')
  t.equal(payloadOf(bytesOf('call alice')), 'x'.repeat(10))
})

t.test('hostile and broken messages are masked without a throw and let nothing through', async (t) => {
  const masker = createMasker({ secret })
  const number = '4930901820455'
  const head = 'INVITE sip:a@b SIP/2.0\r\n'
  for (const text of [
    `${head}From: "unclosed ${number} <sip:${number}@10.20.30.41`,
    `${head}To: <sip:${number}@10.20.30.41\r\n ;tag=${number}`,
    `${head}no colon ${number}\r\n`,
    `${head}${number}: ${number}\r\n`,
    `${head}CSeq: ${number} INVITE\r\nCSeq: 1 ${number}\r\nMax-Forwards: ${number}\r\nExpires: ${number}\r\n`,
    `${head}Via: ${number} / 10.20.30.41 ; ${number}=1;branch=${number};received=alice;rport=${number}\r\n`,
    `${head}Authorization: Basic YWxpY2U6${number}\r\nProxy-Authorization: ${number}\r\nAuthorization: Digest ${number}=1,nc=${number}\r\n`,
    `${head}Contact: <sips:%34%39%33%30%39%30%31%38%32%30%34%35%35:alice@10.20.30.41?From=alice&${number}=${number}>;q=${number};${number}\r\n`,
    `${head}Content-Type: multipart/mixed;boundary=${number}\r\n\r\n--${number}\r\n\r\n${number}\r\n--${number}--`,
    `${head}Content-Type: text/${number};charset=${number}\r\n\r\n${number}`,
    `${head}Content-Encoding: gzip\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=${number}`,
    `${head}c: application/sdp\r\n\r\nv=${number}\nm=${number}\nm=audio ${number} RTP/AVP ${number}\na=${number}\na=x:${number}\na=fmtp:1 4930-901-820455\nb=AS:${number}\nt=${number} 0\n${number}`,
    `${head}Reason: ${number};text="${number}"\r\nWarning: 399 10.20.30.41 "call\\" alice"\r\nAllow: ${number}\r\nDate: ${number}\r\nRetry-After: ${number}\r\n`,
    `${number} sip:${number}@10.20.30.41 SIP/2.0\r\n\r\n`,
    `SIP/2.0 ${number} ${number}\r\n\r\n`,
    `SIP/2.0 200 call ${number} of alice\r\n\r\n`,
    `INVITE <tel:${number}> SIP/2.0\r\n\r\n`,
    `INVITE sip:${number} @ 10.20.30.41 SIP/9.9\r\n\r\n`,
    `${head}User-Agent: phone-${number} <sip:alice@10.20.30.41> 00:15:65:1a:2b:3c\r\n`,
    `${head}Call-Info: <http://10.20.30.41/${number}>;purpose=${number}\r\nAlert-Info: <data:${number}>\r\n`,
  ]) {
    const masked = masker.maskMessage(bytesOf(text))
    t.same(leaksIn(masked), [], text)
    const length = /content-length: (\d+)/i.exec(textOf(masked))?.[1]
    if (length !== undefined) t.equal(Number(length), parseBody(masked))
  }
})

function parseBody(bytes: Uint8Array): number {
  const parsed = parseMessage(bytes)
  return parsed.ok ? parsed.message.body.length : -1
}

t.test(
  'mutated messages never make it throw and never let a number, address or digest through',
  async (t) => {
    const random = createRandom(20_251_003)
    const masker = createMasker({ secret })
    const frames = calls.map(({ payload }) => payload)
    const wanted = [
      '4930901820455',
      '49301234567',
      '12025550143',
      '10.20.30.41',
      '198.51.100.77',
      'musterfirma',
      '6629fae49393a05397450978507c4ef1',
    ]
    const problems: string[] = []
    for (let round = 0; round < 4000; round += 1) {
      const input = mutate(frames, random)
      let output: string
      try {
        output = Buffer.from(masker.maskMessage(input)).toString('latin1').toLowerCase()
      } catch (error) {
        problems.push(`round ${round} threw ${String(error)}`)
        continue
      }
      for (const text of wanted)
        if (output.includes(text))
          problems.push(
            `round ${round} let ${text} through: ${output.slice(Math.max(0, output.indexOf(text) - 40), output.indexOf(text) + 30)}`,
          )
    }
    t.same(problems.slice(0, 10), [])
  },
)

/** One to four of: a flipped byte, a cut, a doubled piece, a piece of another message put in. */
function mutate(messages: readonly Uint8Array[], random: (below: number) => number): Uint8Array {
  let bytes: Uint8Array = (messages[random(messages.length)] ?? new Uint8Array(0)).slice()
  const count = 1 + random(4)
  for (let step = 0; step < count && bytes.length > 0; step += 1) {
    const at = random(bytes.length)
    const end = Math.min(bytes.length, at + random(80))
    switch (random(4)) {
      case 0:
        bytes[at] = random(256)
        break
      case 1:
        bytes = join(bytes.subarray(0, at), bytes.subarray(end))
        break
      case 2:
        bytes = join(bytes.subarray(0, end), bytes.subarray(at))
        break
      default: {
        const other = messages[random(messages.length)] ?? bytes
        const from = random(other.length)
        bytes = join(bytes.subarray(0, at), other.subarray(from, from + random(120)), bytes.subarray(at))
      }
    }
  }
  return bytes
}
