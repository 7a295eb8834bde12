import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import t, { type Test } from 'tap'
import { accountFor, type Leftovers } from '../conformance/account.ts'
import { compareFile, findCaptures } from '../conformance/conformance.ts'
import type { OwnMessage } from '../conformance/own-messages.ts'
import { roundTrip } from '../conformance/round-trip.ts'
import { startLineRefusal } from '../conformance/tshark-start-line.ts'
import type { TsharkMessage } from '../conformance/tshark-messages.ts'
import { repositoryFolder } from '../repository.ts'

const run = promisify(execFile)
const src = { address: '192.0.2.1', port: 5060 }
const dst = { address: '192.0.2.10', port: 5060 }
const atMicros = 1_759_479_342_123_456

function request(callId: string): Uint8Array {
  return Buffer.from(
    `OPTIONS sip:a@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${callId}\r\n` +
      `Call-ID: ${callId}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`,
  )
}

async function folderWith(
  t: Test,
  payloads: readonly (readonly [Uint8Array, ipId: number])[],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-conformance-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const writer = createPcapngWriter({ application: 'test' })
  const parts = payloads.map(([payload, ipId], index) => {
    const bytes = buildUdpFrame({ src, dst, payload, ipId })
    const stamp = { atMicros: atMicros + index, nanos: 0, originalLength: bytes.length, interfaceName: '' }
    return writer.packet({ linkType: linkTypes.raw, bytes, ...stamp })
  })
  await writeFile(join(folder, 'a.pcapng'), Buffer.concat([writer.header, ...parts]))
  return folder
}

const own = (payload: string, parts: Partial<OwnMessage> = {}): OwnMessage => ({
  payload,
  isSip: true,
  transport: 'UDP',
  ports: [5060, 5060],
  notes: [],
  index: 0,
  isBehindLineEnds: false,
  isBehindRest: false,
  ...parts,
})
const seen = (payload: string, layers = ['frame', 'ip', 'udp', 'sip']): TsharkMessage => ({
  payload,
  frameNumber: 7,
  layers,
  outer: null,
})
const left = (parts: Partial<Leftovers>): Leftovers => ({
  onlyOwn: [],
  onlyTshark: [],
  toldExtra: new Map(),
  insideTold: new Set(),
  copies: new Map(),
  ownHas: new Set(),
  notSip: [],
  givenUp: new Set(),
  unreadable: null,
  ...parts,
})

t.test('a file of plain messages is equal, byte for byte', async (t) => {
  const folder = await folderWith(t, [
    [request('one'), 1],
    [request('two'), 2],
  ])
  t.same(await findCaptures(folder), ['a.pcapng'])
  t.match(await compareFile(folder, 'a.pcapng'), {
    tshark: 2,
    ours: 2,
    same: 2,
    isEqual: true,
    unexplained: [],
  })
})

t.test('copies and a second message in a datagram are accounted for, with figures', async (t) => {
  const both = Buffer.concat([request('one'), request('two')])
  const folder = await folderWith(t, [
    [request('zero'), 1],
    [request('zero'), 1],
    [both, 3],
  ])
  // A copy on raw IP has the same IP id within 50 ms.
  const result = await compareFile(folder, 'a.pcapng')
  t.match(result, { tshark: 3, ours: 3, isEqual: false, unexplained: [] })
  t.match([...result.reasons].map(([reason, count]) => `${count} ${reason}`).toSorted(), [
    /^1 only ours: a further message in one datagram/,
    /^1 only tshark: copies of one packet/,
  ])
})

t.test('a message that only one side has stays unexplained and is shown', async (t) => {
  const lost = accountFor(left({ onlyTshark: [seen('BYE sip:a SIP/2.0')] }))
  t.same(lost.unexplained, ['only tshark, frame 7: 17 bytes, "BYE sip:a SIP/2.0"'])
  const invented = accountFor(
    left({ onlyOwn: [own('BYE sip:a SIP/2.0\u001b\r\n'), own('BYE sip:b SIP/2.0')] }),
  )
  t.match(invented.unexplained, [/^only ours, UDP 5060 > 5060: 17 bytes, "BYE sip:b SIP\/2.0"$/])
})

t.test('reasons hold only for the message they are about', async (t) => {
  const cut = accountFor(
    left({ onlyTshark: [seen('ACK x SIP/2.0'), seen('gone')], onlyOwn: [own('ACK x SIP/2.0 tail')] }),
  )
  t.match([...cut.reasons], [[/^other bytes: a datagram longer than its Content-Length/, 1]])
  t.match(cut.unexplained, [/^only tshark, frame 7: 4 bytes, "gone"/])
  const copied = accountFor(
    left({ onlyTshark: [seen('A'), seen('A'), seen('B')], copies: new Map([['A', 1]]) }),
  )
  t.match([...copied.reasons], [[/^only tshark: copies of one packet/, 1]])
  t.equal(copied.unexplained.length, 2)
  const told = accountFor(
    left({
      onlyOwn: [own('BYE sip:a SIP/2.0'), own('BYE sip:a SIP/2.0')],
      toldExtra: new Map([['BYE sip:a SIP/2.0', 1]]),
    }),
  )
  t.match([...told.reasons], [[/^only ours: tshark agrees once told/, 1]])
  t.equal(told.unexplained.length, 1)
})

t.test('layers that ours does not open are named, and what stands inside another message', async (t) => {
  const account = accountFor(
    left({
      onlyTshark: [
        seen('A', ['frame', 'ip', 'icmp', 'ip', 'udp', 'sip']),
        seen('B', ['frame', 'eth', 'ip', 'tcp', 'tls', 'sip']),
        { ...seen('C'), outer: 'BCD' },
        seen('D', ['frame', 'eth', 'ip', 'tcp', 'sip', 'tls']),
      ],
    }),
  )
  t.match([...account.reasons.keys()], [/ICMP/, /^only tshark: unsupported: inside tls/, /inside the body/])
  t.match(account.unexplained, [/"D"/])
  const foreign = accountFor(left({ onlyTshark: [seen('A')], unreadable: 'a snoop capture' }))
  t.match([...foreign.reasons.keys()], [/unsupported: the file is a snoop capture/])
})

t.test('why tshark takes a line for no start line', async (t) => {
  for (const [line, wanted] of [
    ['INVITE sip:a SIP/2.0\r\n', null],
    ['SIP/2.0 200 OK\r\n', null],
    ['SIP/2.0 200 \r\nVia: x\r\n', null],
    ['SIP/2.0 .00 Trying\r\n', /three digits/],
    ['SIP/2.0 40  Timeout\r\n', /three digits/],
    ['sip/2.0 200 OK\r\nVia: x y\r\n', /no URI/],
    ['REGISTER a.example.com SIP/2.0\r\nTo: <sip:a>\r\n', /no URI/],
    ['INVITE sip:a\0b SIP/2.0\r\n', /NUL/],
    ['INVITE sip:a SIP/3.0\r\n', /third word/],
    ['INVITE sip:a SIP/2.0 \r\n', /third word/],
    ['INVITE sip:a  SIP/2.0\r\n', /third word/],
    ['INVITE\r\n', /three words/],
  ] as const) {
    const packet = await folderWith(t, [[Buffer.from(`${line}Via: SIP/2.0/UDP a\r\nCall-ID: x\r\n\r\n`), 1]])
    const { tshark } = await compareFile(packet, 'a.pcapng')
    t.equal(tshark, wanted === null ? 1 : 0, `tshark: ${JSON.stringify(line)}`)
    const refusal = startLineRefusal(line)
    if (wanted === null) t.equal(refusal, null, line)
    else t.match(refusal, wanted, line)
  }
})

t.test('what is read is written, and read again the same', async (t) => {
  const folder = await folderWith(t, [
    [request('one'), 1],
    [request('two'), 2],
  ])
  t.same(await roundTrip(join(folder, 'a.pcapng')), { packets: 2, problem: null, faults: [] })
  await writeFile(join(folder, 'cut.pcapng'), (await readFile(join(folder, 'a.pcapng'))).subarray(0, -20))
  t.match(await roundTrip(join(folder, 'cut.pcapng')), { packets: 1, problem: /^cut off/, faults: [] })
})

t.test(
  'the command prints a row a file and ends with 0; without a folder it says how to call it',
  async (t) => {
    const folder = await folderWith(t, [[request('one'), 1]])
    const command = ['--import', 'tsx', 'infra/commands/conformance.ts']
    const { stdout } = await run(process.execPath, [...command, folder], { cwd: repositoryFolder })
    t.match(stdout, /^file +tshark +ours +same +equal +why they differ\na\.pcapng +1 +1 +1 +yes\n/)
    t.match(
      stdout,
      /1 files, 1 messages by tshark, 1 by ours, 1 with the same bytes: 1 equal, 0 accounted for, 0 unexplained/,
    )
    const trip = await run(process.execPath, [...command, '--round-trip', folder], { cwd: repositoryFolder })
    t.match(trip.stdout, /a\.pcapng +1 +yes\n\n1 files, 1 packets: 0 files not as they were/)
    await t.rejects(run(process.execPath, command, { cwd: repositoryFolder }), { code: 64, stderr: /usage/ })
  },
)

t.test('what tshark loses in a connection is accounted for, and only there', async (t) => {
  const bye = own('BYE sip:a@b SIP/2.0\r\n\r\n', { transport: 'TCP', ports: [40_000, 5060] })

  t.equal(accountFor(left({ onlyOwn: [bye] })).unexplained.length, 1)
  t.same(accountFor(left({ onlyOwn: [{ ...bye, isBehindRest: true }] })).unexplained, [])
  t.same(accountFor(left({ onlyOwn: [bye], givenUp: new Set(['40000 > 5060']) })).unexplained, [])
  t.equal(accountFor(left({ onlyOwn: [bye], givenUp: new Set(['5060 > 40000']) })).unexplained.length, 1)
})

t.test('the end of a message of ours with keep-alives behind it is a part of that message', async (t) => {
  const message = own('FOO sip:a@b SIP/2.0\r\nTo: <sip:c@d>\r\n\r\n', { isBehindLineEnds: true })
  const end = seen('To: <sip:c@d>\r\n\r\n\r\n\r\n')
  t.same(accountFor(left({ onlyOwn: [message], onlyTshark: [end] })).unexplained, [])
  const other = seen('To: <sip:e@f>\r\n\r\n\r\n\r\n')
  t.equal(accountFor(left({ onlyOwn: [message], onlyTshark: [other] })).unexplained.length, 1)
})
