import { execFile } from 'node:child_process'
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { createPcapWriter } from '@sip-capture/pcap/pcap.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'

export interface RoundTrip {
  readonly packets: number
  /** Why the file could not be read, or not to its end. */
  readonly problem: string | null
  /** What did not come back as it was, or what Debian's tools say against a file that ours wrote. */
  readonly faults: readonly string[]
}

interface Form {
  readonly name: 'pcapng' | 'pcap'
  readonly header: Uint8Array
  packet(packet: CapturedPacket): Uint8Array
}

const run = promisify(execFile)
const chunkBytes = 256 * 1024

/** Reads a capture, writes it as pcapng and (of one link type) as pcap, and reads those: the same packets and stamps. */
export async function roundTrip(file: string): Promise<RoundTrip> {
  const first = await readAll(file)
  const { packets, problem } = first
  if (packets === 0) return { packets, problem, faults: [] }
  const forms: Form[] = [{ name: 'pcapng', ...createPcapngWriter({ application: 'conformance' }) }]
  const [linkType] = first.linkTypes
  if (first.linkTypes.size === 1 && linkType !== undefined) {
    forms.push({ name: 'pcap', ...createPcapWriter({ linkType }) })
  }
  const faults: string[] = []
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-round-trip-'))
  try {
    for (const form of forms) {
      const written = join(folder, `written.${form.name}`)
      await write(file, written, form)
      const again = await readAll(written)
      // A pcap file has no names of interfaces.
      const isSame = form.name === 'pcap' ? first.packetHash === again.packetHash : first.hash === again.hash
      if (again.problem !== null) faults.push(`${form.name}: ${again.problem}`)
      else if (!isSame) faults.push(`${form.name}: ${again.packets} packets came back, and not as they were`)
      faults.push(...(await faultsByTools(written, packets)).map((fault) => `${form.name}: ${fault}`))
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return { packets, problem, faults }
}

interface Contents {
  readonly packets: number
  readonly linkTypes: ReadonlySet<number>
  readonly problem: string | null
  /** Of link type, stamp, lengths and bytes of each packet. */
  readonly packetHash: string
  /** The same with the names of the interfaces. */
  readonly hash: string
}

async function readAll(file: string): Promise<Contents> {
  const linkTypes = new Set<number>()
  const packetHash = createHash('sha256')
  const hash = createHash('sha256')
  let packets = 0
  const problem = await eachPacket(file, (packet) => {
    packets += 1
    linkTypes.add(packet.linkType)
    addPacket(packetHash, packet, '')
    addPacket(hash, packet, packet.interfaceName)
    return Promise.resolve()
  })
  return { packets, linkTypes, problem, packetHash: packetHash.digest('hex'), hash: hash.digest('hex') }
}

function addPacket(hash: Hash, packet: CapturedPacket, name: string): void {
  const { linkType, atMicros, nanos, bytes, originalLength } = packet
  hash.update(`${linkType} ${atMicros} ${nanos} ${originalLength} ${bytes.length} ${name} `).update(bytes)
}

async function write(from: string, to: string, form: Form): Promise<void> {
  const output: FileHandle = await open(to, 'w')
  try {
    await output.write(form.header)
    await eachPacket(from, async (packet) => {
      await output.write(form.packet(packet))
    })
  } finally {
    await output.close()
  }
}

/** Gives what the reader said against the file. */
async function eachPacket(
  file: string,
  visit: (packet: CapturedPacket) => Promise<void>,
): Promise<string | null> {
  const reader = createCaptureReader()
  for await (const chunk of createReadStream(file, { highWaterMark: chunkBytes })) {
    if (!(chunk instanceof Uint8Array)) continue
    for (const packet of reader.push(chunk)) await visit(packet)
    if (reader.problem !== null) break
  }
  reader.end()
  return reader.problem
}

async function faultsByTools(file: string, packets: number): Promise<string[]> {
  const faults: string[] = []
  const ask = async (command: string, ...args: readonly string[]): Promise<string> => {
    try {
      return (await run(command, args)).stdout
    } catch (error) {
      faults.push(`${command} refuses the file: ${String(error).slice(0, 300)}`)
      return ''
    }
  }
  const counted = /Number of packets = (\d+)|\t(\d+)$/m.exec(
    await ask('capinfos', '-T', '-r', '-M', '-c', file),
  )
  const count = counted?.[1] ?? counted?.[2]
  if (count !== undefined && Number(count) !== packets) faults.push(`capinfos counts ${count} of ${packets}`)
  await ask('editcap', file, '/dev/null')
  await ask('tshark', '-n', '-r', file, '-c', '1000', '-q')
  return faults
}
