import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { compareFile, findCaptures } from '../conformance/conformance.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { probeTcpPort } from '../probe-port.ts'

const calls = 10
/** SIPp's own scenario: INVITE, 180, 200, ACK, BYE, 200. */
const messages = calls * 6

function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sip-capture-conformance-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function start(t: Test, cwd: string, command: string, ...args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: 'pipe' })
}

/** A caller over TCP that nobody answers ends at once. */
async function whenListening(address: string, port: number): Promise<void> {
  while ((await probeTcpPort(address, port)).free) await setTimeout(50)
}

/** Calls between two SIPps on loopback, as dumpcap writes them. */
async function captureCalls(t: Test, folder: string, address: string, transport: string): Promise<void> {
  const port = await findFreePort(address)
  const file = join(folder, `${transport}-${address.includes(':') ? 'v6' : 'v4'}.pcapng`)
  // It ends by itself after as many packets as there are messages; TCP brings more, so then the last may be missing.
  const count = transport === 'u1' ? messages : messages + calls
  const dumpcap = start(
    t,
    folder,
    'dumpcap',
    '-q',
    '-i',
    'lo',
    '-f',
    `port ${port}`,
    '-c',
    String(count),
    '-w',
    file,
  )
  const ended = once(dumpcap, 'close')
  let said = ''
  for await (const text of dumpcap.stderr ?? []) {
    said += String(text)
    if (said.includes('File:')) break
  }
  const local = address.includes(':') ? `[${address}]` : address
  start(t, folder, 'sipp', '-sn', 'uas', '-i', local, '-p', String(port), '-t', transport, '-nostdin')
  if (transport === 't1') await whenListening(address, port)
  const remote = `${local}:${port}`
  const rate = ['-m', String(calls * 3), '-r', '20', '-d', '20']
  start(t, folder, 'sipp', '-sn', 'uac', remote, '-i', local, '-t', transport, '-nostdin', ...rate)
  await ended
}

t.test('calls of SIPp over UDP, TCP, IPv4 and IPv6, and what editcap makes of the files', async (t) => {
  const folder = temporaryFolder(t)
  for (const [address, transport] of [
    ['127.0.0.1', 'u1'],
    ['::1', 'u1'],
    ['127.0.0.1', 't1'],
    ['::1', 't1'],
  ] as const) {
    await captureCalls(t, folder, address, transport)
  }
  for (const file of await findCaptures(folder)) {
    const result = await compareFile(folder, file)
    t.match(result, { unexplained: [] }, file)
    t.ok(result.ours >= messages / 2, `${file}: ${result.ours} messages`)
    if (file.startsWith('u1')) t.match(result, { isEqual: true, ours: messages, tshark: messages }, file)
  }

  const changed = temporaryFolder(t)
  const at = (name: string): string => join(changed, name)
  const udp = join(folder, 'u1-v4.pcapng')
  const tcp = join(folder, 't1-v6.pcapng')
  run('editcap', '-F', 'nsecpcap', udp, at('nano.pcap'))
  run('editcap', '-s', '200', udp, at('snapped.pcapng'))
  run('editcap', tcp, at('holes.pcapng'), '9', '17', '18', '30')
  run('editcap', '-r', tcp, at('mid-stream.pcapng'), '12-60')
  // The second half of the file before the first.
  run('editcap', '-r', udp, at('first.pcapng'), '1-30')
  run('editcap', '-r', udp, at('second.pcapng'), '31-60')
  run('mergecap', '-a', '-w', at('shuffled.pcapng'), at('second.pcapng'), at('first.pcapng'))
  const whole = readFileSync(udp)
  writeFileSync(at('cut-off.pcapng'), whole.subarray(0, Math.floor(whole.length * 0.6)))
  for (const file of await findCaptures(changed)) {
    const result = await compareFile(changed, file)
    t.match(result, { unexplained: [] }, file)
    t.ok(result.ours >= 10, `${file}: ${result.ours} messages`)
    if (file === 'cut-off.pcapng') t.match(result.problems.join(' '), /ours: cut off after packet \d+/)
  }
})
