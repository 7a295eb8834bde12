import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { childrenOf } from '@sip-capture/testing/process-state.ts'
import { createHarness, createSender, sendSizes, sipRequest, until, type Sender } from './harness.ts'
import { createNetwork } from './network.ts'

const loader = ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
const main = fileURLToPath(new URL('../src/packet-reader/main.ts', import.meta.url))
const mebibyte = 1024 * 1024

/** The packet reader by itself. */
function startReader(
  t: Test,
  words: readonly string[],
  nodeArguments: readonly string[] = [],
  prefix: readonly string[] = [],
) {
  const [command = '', ...args] = [...prefix, process.execPath, ...nodeArguments, ...loader, main, ...words]
  const child = spawn(command, args, {
    env: { ...process.env, NODE_OPTIONS: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const reader = createCaptureReader()
  const packets: CapturedPacket[] = []
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => packets.push(...reader.push(chunk)))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const closed = once(child, 'close')
  return {
    child,
    reader,
    packets,
    /** Its interfaces are open. */
    isOpen: () => until(() => reader.report.atMicros !== null, 'its first statistics'),
    async ended() {
      await closed
      return { code: child.exitCode, said }
    },
  }
}

const payloadOf = ({ bytes }: CapturedPacket, headerBytes: number): Buffer =>
  Buffer.from(bytes.subarray(headerBytes))

/** Datagrams of 60 kB that the sidecar only counts, as STUN. The kernel has each one twice on loopback, as sent and as received. */
async function flood(
  sender: Sender,
  port: number,
  options: { bytes: number; isPaced: boolean },
): Promise<number> {
  const payload = Buffer.alloc(60_000)
  payload.writeUInt32BE(0x2112a442, 4)
  const count = Math.ceil(options.bytes / payload.length)
  for (let sent = 0; sent < count; sent += 1) {
    await sender.send(payload, port)
    // As fast as a network, not as memory.
    if (options.isPaced && sent % 20 === 0) await pause(10)
  }
  return count
}

const residentBytes = (pid: number, field: 'RssAnon' | 'VmRSS'): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) *
  1024

for (const [name, linkType, headerBytes] of [
  ['lo', 1, 14],
  ['any', 276, 20],
] as const)
  t.test(
    `on ${name} each packet is written as it was on the wire, with the length and time it had`,
    async (t) => {
      const port = await findFreePort()
      const running = startReader(t, [name, name === 'any' ? 'LINUX_SLL2' : '', `udp port ${port}`])
      await running.isOpen()
      const before = Date.now() * 1000
      const { sent } = await sendSizes(t, port)
      await until(() => running.packets.length === 3, 'three packets')
      running.child.kill('SIGINT')
      t.match(await running.ended(), { code: 0, said: '' })
      running.reader.end()
      t.equal(running.reader.problem, null)
      const [small, big, small6] = running.packets
      if (!small || !big || !small6) throw new Error('no packets')
      const [ipv4, ipv6] = [20 + 8, 40 + 8]
      t.same(payloadOf(small, headerBytes + ipv4), sent[0])
      t.same(payloadOf(big, headerBytes + ipv4), sent[1])
      t.same(payloadOf(small6, headerBytes + ipv6), sent[2])
      for (const packet of running.packets) {
        t.match(packet, { linkType, interfaceName: name, originalLength: packet.bytes.length })
        t.ok(packet.atMicros >= before - 1000 && packet.atMicros <= Date.now() * 1000 + 1000)
      }
      t.ok(
        running.packets.some(({ nanos }) => nanos > 0),
        'nanoseconds',
      )
      t.match(running.reader.report, { application: /^libpcap version \d/, drops: 0 })
    },
  )

t.test(
  'what nobody reads waits, and is all there later; beyond its bound the kernel drops and it is told',
  async (t) => {
    const port = await findFreePort()
    const running = startReader(t, ['lo', '', `udp port ${port}`])
    const sender = await createSender(t)
    await running.isOpen()
    running.child.stdout.pause()
    // More than the kernel's ring holds.
    const kept = await flood(sender, port, { bytes: 60 * mebibyte, isPaced: true })
    running.child.stdout.resume()
    await until(() => running.packets.length >= kept, 'all that was sent')
    t.equal(running.reader.report.drops, 0)
    running.packets.length = 0

    running.child.stdout.pause()
    const sent = await flood(sender, port, { bytes: 240 * mebibyte, isPaced: false })
    t.ok(residentBytes(running.child.pid ?? 0, 'RssAnon') < 300 * mebibyte, 'its memory is bounded')
    running.child.stdout.resume()
    await until(() => running.reader.report.drops > 0, 'the loss, while it runs')
    running.child.kill('SIGTERM')
    t.match(await running.ended(), { code: 0, said: '' })
    t.ok(running.packets.length < sent)
    t.ok(running.packets.length + running.reader.report.drops >= sent, 'each is there or told as lost')
  },
)

t.test('it ends when nobody reads any more', async (t) => {
  const running = startReader(t, ['lo', '', 'udp port 9'])
  await running.isOpen()
  running.child.stdout.destroy()
  t.match(await running.ended(), { code: 0, said: '' })
})

t.test('what it cannot do it says in one line, by its exit code if that is lasting', async (t) => {
  const cases: [string[], string[], { code: number; said: RegExp }][] = [
    [['nosuch0', '', 'udp'], [], { code: 1, said: /^nosuch0: .*no such device.*\n$/i }],
    [['lo', '', 'udp prt 5'], [], { code: 1, said: /^lo: the capture filter "udp prt 5": .*\n$/ }],
    [['lo', 'LINUX_SLL2', 'udp'], [], { code: 1, said: /^lo: .*one of the DLTs.*\n$/ }],
    [['lo', '', 'udp'], ['--no-addons'], { code: 69, said: /^.+\n$/ }],
  ]
  for (const [words, nodeArguments, expected] of cases) {
    const running = startReader(t, words, nodeArguments)
    t.match(await running.ended(), expected, words.join(' '))
  }
})

t.test('what the kernel dropped is told while the capture runs, once, with a gap', async (t) => {
  const harness = await createHarness(t)
  const close = await harness.start()
  await harness.statusWhere(({ state }) => state === 'up', 'it captures')
  const [pid] = childrenOf(process.pid, 'packet-reader')
  if (pid === undefined) throw new Error('no packet reader')
  process.kill(pid, 'SIGSTOP')
  const sender = await createSender(t)
  await flood(sender, harness.port, { bytes: 100 * mebibyte, isPaced: false })
  process.kill(pid, 'SIGCONT')
  const told = await harness.statusWhere(({ counters }) => (counters['kernelDropped'] ?? 0) > 0, 'the loss')
  const dropped = told.counters['kernelDropped']
  t.match(told, { state: 'up', counters: { restarts: 0 } })
  t.match(told.gaps, [
    { reason: `libpcap: the kernel dropped ${dropped} packets that the packet reader did not fetch in time` },
  ])
  await sender.send(sipRequest('after'), harness.port)
  await until(async () => (await harness.records()).length === 1, 'what came after')
  await close()
  const last = await harness.status()
  t.equal(last?.counters['kernelDropped'], dropped, 'not told again at the end')
  t.equal(last?.gaps.length, 1)
})

t.test('one of several interfaces that disappears ends it, and is named', async (t) => {
  const network = createNetwork(t, { withBridge: false })
  network.ip('link', 'add', 'extra0', 'type', 'bridge')
  network.ip('link', 'set', 'extra0', 'up')
  const words = ['eth0', '', 'udp', 'extra0', '', 'udp']
  const running = startReader(t, words, [], network.prefix)
  await running.isOpen()
  network.ip('link', 'del', 'extra0')
  t.match(await running.ended(), { code: 1, said: /^extra0: .*disappeared.*\n$/ })
})

t.test('a link that goes down and comes up again is captured on all the while', async (t) => {
  const network = createNetwork(t, { withBridge: false })
  const running = startReader(t, ['eth0', '', 'udp port 5060'], [], network.prefix)
  await running.isOpen()
  network.ip('link', 'set', 'eth0', 'down')
  const { atMicros } = running.reader.report
  await until(() => running.reader.report.atMicros !== atMicros, 'another count')
  network.ip('link', 'set', 'eth0', 'up')
  const addresses = ['addr', 'replace', '192.0.2.10/24', 'dev', 'eth0'] as const
  network.ip(...addresses)
  await until(() => {
    network.send(4, 5060, [sipRequest('up-again')])
    return running.packets.length > 0
  }, 'a packet')
  running.child.kill('SIGINT')
  t.match(await running.ended(), { code: 0 })
})

t.test('without the right to capture tshark does it in its place, and it is said why', async (t) => {
  // tshark starts the dumpcap that lies beside it.
  const folder = t.testdir()
  for (const program of ['tshark', 'dumpcap'])
    copyFileSync(execFileSync('which', [program], { encoding: 'utf8' }).trim(), join(folder, program))
  execFileSync('setcap', ['cap_net_raw+ep', join(folder, 'dumpcap')])
  const harness = await createHarness(t)
  const withoutRights = ['setpriv', '--securebits=+noroot', '--inh-caps=-all']
  harness.startProcess(withoutRights, { PATH: `${folder}:${process.env['PATH']}` })
  const up = await harness.statusWhere(({ state }) => state === 'up', 'it captures')
  t.match(up, {
    subject: /^tshark \d+\.\d+\.\d+ on lo$/,
    detail: /^capturing on lo with tshark, as the packet reader cannot be used: lo: .*permission/i,
    counters: { restarts: 0 },
    gaps: [],
  })
  const sender = await createSender(t)
  await sender.send(sipRequest('seen'), harness.port)
  await until(async () => (await harness.records()).length === 1, 'a record')
})

t.test('where nothing may capture both are named', async (t) => {
  const harness = await createHarness(t)
  harness.startProcess(['setpriv', '--securebits=+noroot', '--inh-caps=-all', '--bounding-set=-all'])
  const failed = await harness.statusWhere(({ state }) => state === 'failed', 'it fails')
  t.match(
    failed.detail,
    /^tshark may not capture on lo \(TSHARK_INTERFACE\): give dumpcap CAP_NET_RAW: .*; the packet reader cannot be used either: lo: .*permission.*CAP_NET_RAW/,
  )
})
