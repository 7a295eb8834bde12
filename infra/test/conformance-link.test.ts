import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import t, { type Test } from 'tap'
import { compareFile, findCaptures } from '../conformance/conformance.ts'

const exchanges = 12
/** MESSAGE and its 200, both in three fragments. */
const fragmentsOfExchange = 6
const port = '5060'
const linkMtu = 1500
const callerAddress = { 4: '192.0.2.1', 6: '2001:db8::1' } as const
const calleeAddress = { 4: '192.0.2.10', 6: '2001:db8::10' } as const

const body = `Content-Type: text/plain\n      Content-Length: [len]\n\n      ${'A body that no frame of the link holds. '.repeat(90)}`
// Nothing is lost on this link, and a repeat by a caller that waited for a busy machine would be one message more.
const callerScenario = scenario(`
  <send retrans="60000"><![CDATA[

      MESSAGE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      Max-Forwards: 70
      From: <sip:caller@[local_ip]:[local_port]>;tag=[pid]-[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>
      Call-ID: [call_id]
      CSeq: 1 MESSAGE
      ${body}
  ]]></send>
  <recv response="200"></recv>`)
const calleeScenario = scenario(`
  <recv request="MESSAGE"></recv>
  <send><![CDATA[

      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]-[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      ${body}
  ]]></send>`)

function scenario(steps: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="big">${steps}\n</scenario>\n`
}

function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sip-capture-link-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const run = (command: string, ...args: readonly string[]): void => {
  execFileSync(command, args, { stdio: 'pipe' })
}

interface Link {
  readonly caller: string
  readonly callee: string
}

/** Two hosts, each a network namespace, and an Ethernet between them. */
function createLink(t: Test): Link {
  const link = { caller: `sc-${process.pid}-caller`, callee: `sc-${process.pid}-callee` }
  for (const space of [link.caller, link.callee]) {
    run('ip', 'netns', 'add', space)
    t.teardown(() => run('ip', 'netns', 'del', space))
  }
  run(
    'ip',
    '-n',
    link.caller,
    'link',
    'add',
    'eth0',
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    link.callee,
  )
  for (const [space, address] of [
    [link.caller, callerAddress],
    [link.callee, calleeAddress],
  ] as const) {
    run('ip', '-n', space, 'addr', 'add', `${address[4]}/24`, 'dev', 'eth0')
    run('ip', '-n', space, 'addr', 'add', `${address[6]}/64`, 'dev', 'eth0', 'nodad')
    run('ip', '-n', space, 'link', 'set', 'eth0', 'mtu', String(linkMtu), 'up')
  }
  return link
}

function startIn(t: Test, space: string, cwd: string, ...command: readonly string[]): ChildProcess {
  const child = spawn('ip', ['netns', 'exec', space, ...command], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

/** Exchanges of SIPp over the link, as dumpcap at the callee writes them; it ends by itself after so many packets. */
async function captureExchanges(t: Test, link: Link, version: 4 | 6, file: string): Promise<void> {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'caller.xml'), callerScenario)
  writeFileSync(join(folder, 'callee.xml'), calleeScenario)
  const filter = version === 4 ? 'ip proto 17' : 'ip6 proto 44 or ip6 proto 17'
  const count = String(exchanges * fragmentsOfExchange)
  const dumpcap = startIn(
    t,
    link.callee,
    folder,
    'dumpcap',
    '-q',
    '-i',
    'eth0',
    '-f',
    filter,
    '-c',
    count,
    '-w',
    file,
  )
  const captured = once(dumpcap, 'close')
  let said = ''
  for await (const text of dumpcap.stderr ?? []) {
    said += String(text)
    if (said.includes('File:')) break
  }
  const of = (address: string): string => (version === 4 ? address : `[${address}]`)
  const [caller, callee] = [of(callerAddress[version]), of(calleeAddress[version])]
  const sipp = ['sipp', '-nostdin', '-p', port, '-max_retrans', '3']
  const called = startIn(t, link.callee, folder, ...sipp, '-i', callee, '-sf', 'callee.xml')
  while (!hasUdpSocket(called)) await setTimeout(20)
  const limits = ['-m', String(exchanges), '-r', '20']
  const calling = startIn(
    t,
    link.caller,
    folder,
    ...sipp,
    '-i',
    caller,
    '-sf',
    'caller.xml',
    ...limits,
    `${callee}:${port}`,
  )
  const [code] = await once(calling, 'close')
  t.equal(code, 0, 'every MESSAGE has its 200')
  await captured
}

/** Whether somebody receives on the SIP port in the network namespace of that process. */
function hasUdpSocket({ pid }: ChildProcess): boolean {
  const wanted = `:${Number(port).toString(16).toUpperCase().padStart(4, '0')}`
  return ['udp', 'udp6'].some((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .some((line) => line.trim().split(/\s+/)[1]?.endsWith(wanted) === true),
  )
}

function readPackets(file: string): CapturedPacket[] {
  const reader = createCaptureReader()
  return reader.push(readFileSync(file))
}

function writePackets(file: string, packets: readonly CapturedPacket[]): void {
  const writer = createPcapngWriter({ application: 'test' })
  writeFileSync(file, Buffer.concat([writer.header, ...packets.map((packet) => writer.packet(packet))]))
}

t.test('messages in fragments over an Ethernet, and what happens to such files', async (t) => {
  const link = createLink(t)
  const folder = temporaryFolder(t)
  for (const version of [4, 6] as const) {
    const file = `v${version}.pcapng`
    await captureExchanges(t, link, version, join(folder, file))
    t.ok(
      readPackets(join(folder, file)).every(({ bytes }) => bytes.length <= linkMtu + 14),
      'no frame above the MTU',
    )
    const result = await compareFile(folder, file)
    t.match(result, { isEqual: true, ours: exchanges * 2, unexplained: [] }, file)
  }

  const changed = temporaryFolder(t)
  for (const version of [4, 6] as const) {
    const source = join(folder, `v${version}.pcapng`)
    const at = (name: string): string => join(changed, `v${version}-${name}.pcapng`)
    const packets = readPackets(source)
    writePackets(at('backwards'), packets.toReversed())
    // Each exchange's pieces in another order, the two messages mixed.
    writePackets(
      at('mixed'),
      packets.map((_, index) => packets[index - (index % 6) + [4, 0, 3, 5, 2, 1][index % 6]!]!),
    )
    writePackets(
      at('lost'),
      packets.filter((_, index) => index % 7 !== 3),
    )
    writePackets(
      at('twice'),
      packets.flatMap((packet) => [packet, { ...packet, atMicros: packet.atMicros + 20 }]),
    )
    run('editcap', '-s', '700', source, at('snapped'))
    run('editcap', '-t', '-31536000.5', source, at('earlier'))
    run(
      'editcap',
      '-F',
      'pcap',
      '-C',
      '14',
      '-L',
      '-T',
      'rawip',
      source,
      at('raw').replace('.pcapng', '.pcap'),
    )
  }
  run('mergecap', '-w', join(changed, 'both.pcapng'), join(folder, 'v4.pcapng'), join(folder, 'v6.pcapng'))
  for (const file of await findCaptures(changed)) {
    const result = await compareFile(changed, file)
    t.match(result, { unexplained: [] }, file)
    const isWhole = /mixed|backwards|earlier|raw/.test(file)
    if (isWhole) t.match(result, { isEqual: true, ours: exchanges * 2 }, file)
    if (file.includes('twice')) t.match(result, { ours: exchanges * 2 }, file)
    if (file === 'both.pcapng') t.match(result, { isEqual: true, ours: exchanges * 4 })
    // The beginnings that were captured are not dropped.
    if (/lost|snapped/.test(file)) t.ok(result.ours > exchanges, `${file}: ${result.ours} messages`)
  }
})
