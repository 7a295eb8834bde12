import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '@sip-capture/testing/free-port.ts'

/** Scenarios written for this project, in `infra/sipp`. */
export type SippScenario =
  | 'answered'
  | 'answered-each'
  | 'attended-transfer'
  | 'blind-transfer'
  | 'busy'
  | 'busy-each'
  | 'no-answer'
  | 'not-found'
  | 'unavailable'
  | 'options'
  | 'register'
  | 'register-wrong-password'
  | 'trunk'

export interface SippOptions {
  /** One of ours by name, or the path of an XML file. */
  readonly scenario: SippScenario | `${string}.xml`
  /** Where to send to. The trunk waits to be called and needs none. */
  readonly remote?: { readonly address: string; readonly port: number }
  /** The address to send from or to listen on; Asterisk tells endpoints apart by it. */
  readonly address: string
  /** A free one when left out. */
  readonly port?: number
  /** The dialled number, or the user that registers. */
  readonly number?: string
  readonly caller?: { readonly number: string; readonly name: string }
  readonly password?: string
  /** Calls in all; endless when left out for the trunk, else 1. */
  readonly calls?: number
  readonly callsPerSecond?: number
  /** How long an answered call talks, and how long a call that nobody answers rings. */
  readonly holdMs?: number
  readonly transport?: 'udp' | 'tcp'
  readonly timeoutSeconds?: number
  /** Id of a process: SIPp runs in its network namespace. */
  readonly namespaceOf?: number
  /** Further arguments of sipp, after ours. */
  readonly more?: readonly string[]
}

export interface SippMessage {
  /** By SIPp's clock, which is that of this machine. */
  readonly atMicros: number
  readonly direction: 'sent' | 'received'
  readonly text: string
}

export interface SippResult {
  /** SIPp's own message counters, retransmissions and unexpected messages included. */
  readonly sent: number
  readonly received: number
  readonly callsOk: number
  readonly callsFailed: number
  /** Every message in the order SIPp logged it, byte for byte (as latin1 text: one character a byte). */
  readonly messages: readonly SippMessage[]
  /** What SIPp found wrong, as it said it. */
  readonly errors: string
}

export interface SippRun {
  readonly address: string
  readonly port: number
  readonly pid: number
  readonly finished: Promise<SippResult>
  /** Lets open calls end, then ends SIPp, by force after that time; the result is that of `finished`. */
  stop(withinMs?: number): Promise<SippResult>
}

const scenarioFolder = fileURLToPath(new URL('../sipp/', import.meta.url))
/** What SIPp counts is lost when it is ended by force. */
const stopWithinMs = 30_000

/** Runs SIPp to its end. It ends by itself: by its number of calls or, at the latest, by its timeout. */
export async function runSipp(options: SippOptions): Promise<SippResult> {
  return (await startSipp({ calls: 1, ...options })).finished
}

/** Starts SIPp and returns when its SIP port is open, so that a call to it cannot come too early. */
export async function startSipp(options: SippOptions): Promise<SippRun> {
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-sipp-'))
  const port = options.port ?? (await findFreePort(options.address))
  const { namespaceOf } = options
  const inside = namespaceOf === undefined ? [] : ['nsenter', '--net', '--target', `${namespaceOf}`]
  const args = await sippArguments(options, folder, port)
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...inside, 'sipp', ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4000)
  })
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      complaint += error.message
      resolve()
    })
    child.once('close', () => {
      resolve()
    })
  })
  const finished = exited.then(async () => {
    try {
      return await readResult(folder, complaint)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
  await waitUntilBound(child, { ...options, port })
  return {
    address: options.address,
    port,
    pid: child.pid ?? -1,
    finished,
    async stop(withinMs = stopWithinMs) {
      const timer = setTimeout(() => child.kill('SIGKILL'), withinMs)
      child.kill('SIGUSR1')
      const result = await finished
      clearTimeout(timer)
      return result
    },
  }
}

async function sippArguments(options: SippOptions, folder: string, port: number): Promise<string[]> {
  const scenario = options.scenario.endsWith('.xml')
    ? options.scenario
    : join(scenarioFolder, `${options.scenario}.xml`)
  const caller = options.caller ?? { number: '1001', name: 'Alice Example' }
  const args = [
    '-sf',
    scenario,
    '-i',
    options.address,
    '-p',
    `${port}`,
    '-nostdin',
    '-t',
    options.transport === 'tcp' ? 't1' : 'u1',
  ]
  // Its Call-ID goes into a URI, where an @ would have to be escaped, which SIPp cannot.
  if (options.scenario === 'attended-transfer') args.push('-cid_str', '%u-%p-%s')
  args.push(
    '-cp',
    `${await findFreePort()}`,
    '-mp',
    `${await findFreePort(options.namespaceOf === undefined ? options.address : undefined)}`,
  )
  args.push('-key', 'caller', caller.number, '-key', 'caller_name', caller.name)
  args.push('-trace_counts', '-trace_stat', '-stf', join(folder, 'stat.csv'), '-fd', '1')
  args.push(
    '-trace_msg',
    '-message_file',
    join(folder, 'messages.log'),
    '-trace_err',
    '-error_file',
    join(folder, 'errors.log'),
  )
  args.push('-timeout', `${options.timeoutSeconds ?? (options.calls === undefined ? 86_400 : 120)}`)
  if (options.calls !== undefined) args.push('-m', `${options.calls}`)
  if (options.callsPerSecond !== undefined) args.push('-r', `${options.callsPerSecond}`)
  if (options.number !== undefined) args.push('-s', options.number, '-au', options.number)
  if (options.password !== undefined) args.push('-ap', options.password)
  args.push('-d', `${options.holdMs ?? 500}`)
  args.push(...(options.more ?? []))
  if (options.remote !== undefined) args.push(`${options.remote.address}:${options.remote.port}`)
  return args
}

async function waitUntilBound(
  child: ChildProcess,
  where: Pick<SippOptions, 'address' | 'transport' | 'namespaceOf'> & { readonly port: number },
): Promise<void> {
  const deadline = Date.now() + 60_000
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    if (await isBound(where)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Looks into the kernel's table: a bind of our own, to try, could take the port from SIPp. */
async function isBound({
  address,
  port,
  transport = 'udp',
  namespaceOf,
}: Parameters<typeof waitUntilBound>[1]): Promise<boolean> {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  const wanted = `${bytes.toReversed().join('')}:${port.toString(16).padStart(4, '0')}`.toUpperCase()
  const table = await readFile(`/proc/${namespaceOf ?? 'self'}/net/${transport}`, 'utf8')
  return table.split('\n').some((line) => line.trim().split(/\s+/)[1] === wanted)
}

async function readResult(folder: string, complaint: string): Promise<SippResult> {
  const names = await readdir(folder)
  const read = async (name: string | undefined, encoding: BufferEncoding = 'utf8'): Promise<string> =>
    name === undefined || !names.includes(name) ? '' : readFile(join(folder, name), encoding)
  const stat = readLastRow(await read('stat.csv'))
  // The counts file is named after scenario and pid.
  const counts = readLastRow(await read(names.find((name) => name.endsWith('_counts.csv'))))
  const { sent, received } = countMessages(counts)
  const messages = parseMessageLog(await read('messages.log', 'latin1'))
  return {
    sent,
    received,
    callsOk: stat.get('SuccessfulCall(C)') ?? 0,
    callsFailed: stat.get('FailedCall(C)') ?? 0,
    messages,
    errors: (await read('errors.log')) + complaint.replace(/^Resolving remote host .*\n?/gm, ''),
  }
}

/** SIPp's CSV: a row of names, then a row each dump with running totals; only the last one matters. */
function readLastRow(csv: string): Map<string, number> {
  const lines = csv.split('\n').filter((line) => line.trim() !== '')
  const names = lines[0]?.split(';') ?? []
  const values = (lines.length > 1 ? lines.at(-1) : undefined)?.split(';') ?? []
  return new Map(names.map((name, index) => [name, Number(values[index] ?? '0') || 0]))
}

/** Columns are `<step>_<what>_<Sent|Recv|Retrans|Timeout|Unexp>`; a retransmission goes the way of its step. */
function countMessages(counts: Map<string, number>): { sent: number; received: number } {
  let sent = 0
  let received = 0
  let isSending = false
  for (const [name, value] of counts) {
    const kind = name.slice(name.lastIndexOf('_') + 1)
    if (kind === 'Sent' || kind === 'Recv') isSending = kind === 'Sent'
    if (kind === 'Sent' || (kind === 'Retrans' && isSending)) sent += value
    else if (kind === 'Recv' || kind === 'Unexp' || kind === 'Retrans') received += value
  }
  return { sent, received }
}

/** `<dashes> 2026-01-31 12:34:56.123456\nUDP message sent (512 bytes):\n\n<512 bytes>\n`, in local time; the length, not a
 *  separator, ends a message. */
export function parseMessageLog(log: string): SippMessage[] {
  const head =
    /^-{10,} (\S+) (\S+)\.(\d{6})\n(?:UDP|TCP|TLS|SCTP) message (sent|received) [([](\d+)[^\n]*\n\n/gm
  const messages: SippMessage[] = []
  for (let match = head.exec(log); match !== null; match = head.exec(log)) {
    const [, day, time, micros, direction, size] = match
    const end = head.lastIndex + Number(size)
    messages.push({
      atMicros: Date.parse(`${day}T${time}`) * 1_000 + Number(micros),
      direction: direction === 'sent' ? 'sent' : 'received',
      text: log.slice(head.lastIndex, end),
    })
    head.lastIndex = end
  }
  return messages
}
