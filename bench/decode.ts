import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { Pipeline } from '@sip-capture/capture-sidecar/pipeline.ts'
import { parseMessage } from '@sip-capture/sip/message.ts'
import { median } from './figures.ts'
import type { RunRow } from './row.ts'
import { pcapHeader, TrafficLoop, writeCaptureFile } from './traffic-loop.ts'

const execute = promisify(execFile)
/** What a pipe hands over at once. */
const chunkBytes = 64 * 1024
const startMicros = 1_795_305_600_000_000

/** By processor time, all threads: what one core does when nothing else wants it. */
export const run: RunRow = async ({ pick, folder, say }) => {
  const messages = pick(40_000, 300_000, 1_000_000)
  const runs = pick(3, 5, 5)
  const loop = new TrafficLoop(Math.min(messages, 130_000))
  const decoded: number[] = []
  const parsed: number[] = []
  const walls: number[] = []
  // The first run is for the compiler.
  for (let n = 0; n <= runs; n++) {
    const bytes = Buffer.concat([pcapHeader, loop.take(messages, startMicros + n * 1e9, 100)])
    const once = decode(bytes, messages, false)
    const whole = decode(bytes, messages, true)
    if (n === 0) continue
    decoded.push(messages / once.cpuSeconds)
    parsed.push(messages / whole.cpuSeconds)
    walls.push(messages / whole.wallSeconds)
    say(`${Math.round(parsed.at(-1) ?? 0)} messages a CPU second`)
  }
  const peer = await tsharkEk(folder, pick(8_000, 50_000, 200_000), pick(1, 3, 3))
  return [
    {
      name: 'decode: frames → SIP-parsed messages, one core',
      value: median(parsed),
      unit: 'messages/s',
      atLeast: 300_000,
    },
    {
      name: 'decode: the same without SIP fields (what the sidecar does)',
      value: median(decoded),
      unit: 'messages/s',
    },
    { name: 'decode: the same by the clock', value: median(walls), unit: 'messages/s' },
    { name: 'decode: tshark -T ek', value: peer, unit: 'messages/s' },
    {
      name: 'decode: × tshark -T ek, both by processor time',
      value: median(parsed) / peer,
      unit: '×',
      atLeast: 50,
    },
  ]
}

function decode(
  bytes: Buffer,
  messages: number,
  withFields: boolean,
): { cpuSeconds: number; wallSeconds: number } {
  let seen = 0
  let fields = 0
  const publish = (record: SipRecord): void => {
    seen += 1
    if (!withFields) return
    const result = parseMessage(record.payload)
    if (!result.ok) return
    const { method, status, callId, from, to, cseq } = result.message
    if (method !== '' && callId !== '' && from.uri !== '' && to.uri !== '' && cseq && status !== 0)
      fields += 1
  }
  const pipeline = new Pipeline({
    node: 'bench',
    isSipPort: (port) => port === 5060,
    ownAddresses: () => ({ exact: new Set(), addresses: new Set(['192.0.2.10']) }),
    isLive: true,
    publish,
  })
  const before = process.cpuUsage()
  const startedAt = performance.now()
  for (let at = 0; at < bytes.length; at += chunkBytes) pipeline.push(bytes.subarray(at, at + chunkBytes))
  const wallSeconds = (performance.now() - startedAt) / 1_000
  const { user, system } = process.cpuUsage(before)
  if (seen !== messages || (withFields && fields !== messages))
    throw new Error(`${seen} of ${messages} messages were found, ${fields} with all their fields`)
  return { cpuSeconds: (user + system) / 1e6, wallSeconds }
}

/** Messages a second of its processor time. */
async function tsharkEk(folder: string, messages: number, runs: number): Promise<number> {
  const file = join(folder, 'peer.pcap')
  await writeCaptureFile(file, { messages, startMicros, stepMicros: 100 })
  const rates: number[] = []
  for (let n = 0; n < runs; n++) {
    const { stderr } = await execute('bash', [
      '-c',
      'TIMEFORMAT="%U %S"; time tshark -r "$0" -n -d udp.port==5060,sip -T ek >/dev/null 2>&1',
      file,
    ])
    const [user = 0, system = 0] = stderr.trim().split(' ').map(Number)
    rates.push(messages / (user + system))
  }
  return median(rates)
}
