import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { parseTime } from '@sip-capture/contract/time.ts'
import { runSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { callIdOf, startSystem, until, type System } from '../system.ts'

t.setTimeout(1_800_000)

const run = promisify(execFile)

interface SipPacket {
  readonly atMicros: number
  readonly bytes: string
  readonly src: string
  readonly dst: string
}

/** What tshark, the oracle, finds in a file: SIP messages with their payload bytes and stamps. */
async function readWithTshark(
  file: string,
  sipPort: number,
): Promise<{ packets: SipPacket[]; badChecksums: string }> {
  const base = ['-n', '-r', file, '-d', `udp.port==${sipPort},sip`]
  const fields = ['frame.time_epoch', 'udp.payload', 'ip.src', 'udp.srcport', 'ip.dst', 'udp.dstport']
  const { stdout } = await run(
    'tshark',
    [...base, '-Y', 'sip', '-T', 'fields', ...fields.flatMap((name) => ['-e', name])],
    { maxBuffer: 64 * 1024 * 1024 },
  )
  const { stdout: badChecksums } = await run('tshark', [
    ...base,
    '-o',
    'ip.check_checksum:TRUE',
    '-o',
    'udp.check_checksum:TRUE',
    '-Y',
    'ip.checksum.status != "Good" || udp.checksum.status != "Good" || _ws.malformed',
  ])
  const packets = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [epoch = '', payload = '', src, sport, dst, dport] = line.split('\t')
      const [seconds = '', fraction = ''] = epoch.split('.')
      return {
        atMicros: Number(seconds) * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0')),
        bytes: payload.replaceAll(':', ''),
        src: `${src}:${sport}`,
        dst: `${dst}:${dport}`,
      }
    })
  return { packets, badChecksums }
}

async function oneCall(system: System, source: string): Promise<string> {
  const trunk = await system.startTrunk()
  const phone = await runSipp({
    scenario: 'answered',
    remote: { address: system.pbx.address, port: system.pbx.sipPort },
    address: system.pbx.phoneAddress,
    number: '2001',
    holdMs: 100,
  })
  const callId = callIdOf(phone)
  const whole = phone.messages.length + (await trunk.stop()).messages.length
  // Until both legs are one call with all its messages, the call and its file may be of two different moments.
  await until(async () => {
    const call = await system.call(callId).catch(() => undefined)
    const seen = call?.messages.filter((message) => message.source === source) ?? []
    return call?.legs.length === 2 && seen.length >= whole
  }, `${whole} messages of both legs`)
  return callId
}

async function exportDialog(t: Test, system: System, callId: string, format: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-pcap-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const response = await system.get(`/api/v1/calls/${encodeURIComponent(callId)}/pcap?format=${format}`)
  t.equal(response.status, 200)
  t.match(response.headers.get('content-disposition'), /^attachment; filename="[\w.-]+"$/)
  const file = join(folder, `dialog.${format}`)
  await writeFile(file, Buffer.from(await response.arrayBuffer()))
  return file
}

for (const source of ['wire', 'ami-hep'] as const)
  t.test(
    `a dialog seen by ${source} opens in tshark: same messages, same bytes, same microseconds`,
    async (t) => {
      const system = await startSystem(t, {
        hep: true,
        wire: source === 'wire',
        // By itself the bridge reads the history too until HEP has shown what it can, and takes what comes first.
        env: { AMI_TAP: 'hep' },
      })
      const callId = await oneCall(system, source)
      const call = await system.call(callId)
      const wanted = call.messages
        .filter((message) => message.source === source)
        .map((message) => ({
          atMicros: parseTime(message.at),
          bytes: Buffer.from(message.rawBase64, 'base64').toString('hex'),
          src: `${message.src.address}:${message.src.port}`,
          dst: `${message.dst.address}:${message.dst.port}`,
        }))
      t.ok(wanted.length >= 7, `${wanted.length} messages`)
      for (const format of ['pcapng', 'pcap']) {
        const file = await exportDialog(t, system, callId, format)
        await run('capinfos', [file])
        const { packets, badChecksums } = await readWithTshark(file, system.pbx.sipPort)
        t.same(packets, wanted, format)
        // What the kernel hands over on loopback has no checksum yet; what we build must have a right one.
        if (source === 'ami-hep') t.equal(badChecksums, '', `${format}: no wrong checksum`)
      }
    },
  )
