import { basename } from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ConfigError } from '@sip-capture/service/config.ts'
import { autoCommand, type SidecarConfig } from './config.ts'
import { toArguments } from './packet-reader/arguments.ts'

/** One interface and how to open it. Without `linkType` the program chooses. */
export interface CaptureInterface {
  readonly name: string
  readonly filter: string
  readonly linkType?: string
}

/** What captures: our own packet reader, which uses libpcap, or a program that is installed. */
export interface CaptureProgram {
  readonly command: string
  readonly name: 'libpcap' | 'tshark' | 'tcpdump'
  /** What fetches the packets of the kernel and needs the right to. */
  readonly reader: 'the packet reader' | 'dumpcap' | 'tcpdump'
  /** The longest that it keeps a packet: what it held at its death is lost. */
  readonly handOverMicros: number
  /** Where this one cannot be used on this machine. */
  readonly otherwise?: CaptureProgram
  /** Classic pcap or pcapng to its standard output. */
  argumentsFor(interfaces: readonly CaptureInterface[]): string[]
}

/** Of the kernel, in MiB: the default of 2 lost packets at bursts. */
const kernelBufferMebibytes = 64
/** The longest datagram. More would only make the slots of tcpdump's ring larger. */
const maxPacketBytes = '65535'

/** @throws ConfigError for more interfaces than it can capture on. */
export function toCaptureProgram({
  TSHARK_COMMAND: command,
  TSHARK_INTERFACE: interfaces,
}: Pick<SidecarConfig, 'TSHARK_COMMAND' | 'TSHARK_INTERFACE'>): CaptureProgram {
  if (command === autoCommand) return packetReader
  if (basename(command) !== 'tcpdump') return tshark(command)
  if (interfaces.length > 1)
    throw new ConfigError(
      'TSHARK_INTERFACE: tcpdump (TSHARK_COMMAND) captures on one interface: name one, or any',
    )
  return { command, name: 'tcpdump', reader: 'tcpdump', handOverMicros: 0, argumentsFor: tcpdumpArguments }
}

function tshark(command: string): CaptureProgram {
  return {
    command,
    name: 'tshark',
    reader: 'dumpcap',
    handOverMicros: 300_000,
    argumentsFor: tsharkArguments,
  }
}

const packetReader: CaptureProgram = {
  command: process.execPath,
  name: 'libpcap',
  reader: 'the packet reader',
  handOverMicros: 60_000,
  otherwise: tshark('tshark'),
  argumentsFor: (interfaces) => [...readerCommand(), ...toArguments(interfaces)],
}

/** Where this is a bundle, the reader's program lies beside it as one. What it keeps is little and of one size. */
function readerCommand(): string[] {
  const isBundle = import.meta.url.endsWith('.js')
  const program = new URL(isBundle ? 'packet-reader.js' : 'packet-reader/main.ts', import.meta.url)
  return ['--max-semi-space-size=1', ...(isBundle ? [] : loaderArguments()), fileURLToPath(program)]
}

/** What Node cannot run as it is, tsx makes it run; found from here, not from the working directory. */
function loaderArguments(): string[] {
  if ('typescript' in process.features && process.features.typescript) return []
  return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
}

/** With `-w -` no dissection happens and dumpcap writes straight into our pipe: no temporary file. */
function tsharkArguments(interfaces: readonly CaptureInterface[]): string[] {
  const list = interfaces.flatMap(({ name, filter, linkType }) => [
    // An option after an `-i` is for that interface only.
    '-i',
    name,
    '-f',
    filter,
    '-B',
    String(kernelBufferMebibytes),
    ...(linkType === undefined ? [] : ['-y', linkType]),
  ])
  return ['-n', '-q', ...list, '-w', '-']
}

/** Each packet as it comes, where dumpcap's lie in the kernel for up to 250 ms; but the ring has slots of one size then, and
 *  holds a thousand packets where dumpcap's holds some eighty thousand. */
function tcpdumpArguments(interfaces: readonly CaptureInterface[]): string[] {
  return interfaces.flatMap(({ name, filter, linkType }) => [
    '-n',
    '--immediate-mode',
    '--packet-buffered',
    '--time-stamp-precision=nano',
    `--buffer-size=${kernelBufferMebibytes * 1024}`,
    `--snapshot-length=${maxPacketBytes}`,
    ...(linkType === undefined ? [] : [`--linktype=${linkType}`]),
    `--interface=${name}`,
    '-w',
    '-',
    // The filter is one argument, and none that begins like an option.
    '--',
    filter,
  ])
}
