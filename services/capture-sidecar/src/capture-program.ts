import { basename } from 'node:path'
import { ConfigError } from '@sip-capture/service/config.ts'
import type { SidecarConfig } from './config.ts'

/** One interface and how to open it. Without `linkType` the program chooses. */
export interface CaptureInterface {
  readonly name: string
  readonly filter: string
  readonly linkType?: string
}

/** What captures: tshark, or tcpdump where what came last matters more than a burst. */
export interface CaptureProgram {
  readonly command: string
  readonly name: 'tshark' | 'tcpdump'
  /** What fetches the packets of the kernel and needs the right to. */
  readonly reader: 'dumpcap' | 'tcpdump'
  /** The longest that it keeps a packet: what it held at its death is lost. */
  readonly handOverMicros: number
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
  if (basename(command) !== 'tcpdump')
    return {
      command,
      name: 'tshark',
      reader: 'dumpcap',
      handOverMicros: 300_000,
      argumentsFor: tsharkArguments,
    }
  if (interfaces.length > 1)
    throw new ConfigError(
      'TSHARK_INTERFACE: tcpdump (TSHARK_COMMAND) captures on one interface: name one, or any',
    )
  return { command, name: 'tcpdump', reader: 'tcpdump', handOverMicros: 0, argumentsFor: tcpdumpArguments }
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
