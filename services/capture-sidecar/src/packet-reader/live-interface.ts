import { u32le } from '@sip-capture/pcap/byte-order.ts'
import type { CaptureInterface } from '../capture-program.ts'
import { CaptureFault, noPermission } from './capture-fault.ts'
import {
  errorBytes,
  precisionNanos,
  programBytes,
  statusPermissionDenied,
  statusPromiscuousDenied,
  type Handle,
  type Libpcap,
} from './libpcap.ts'
import type { PacketMemory } from './packet-memory.ts'

/** As tshark's: more than any frame has. */
const maxPacketBytes = 262_144
/** Of the kernel for each interface: some eighty thousand SIP messages. */
const ringBytes = 64 * 1024 * 1024
/** How long the kernel gathers packets. Half of it, and this process, the sidecar and Redis are busy twice as often: a hundredth of a
 *  core more; twice of it, and what is on the page is too old. */
export const blockMillis = 35
/** Of one call into libpcap: bounds the memory that their bytes take, and how long nothing else is done. */
const maxPacketsFetched = 128
const unknownNetmask = 0xffff_ffff

/** Since the interface was opened. */
export interface PacketCounts {
  readonly received: number
  /** By the kernel, for want of room in its ring. */
  readonly dropped: number
  /** By the network card or its driver. */
  readonly droppedByCard: number
}

/** An interface that libpcap has open, without blocking. */
export interface LiveInterface {
  readonly name: string
  /** LINKTYPE_ value. */
  readonly linkType: number
  readonly isNano: boolean
  /** Readable when packets wait. */
  readonly descriptor: number
  /** Has at most a certain number of packets written to the memory: how many, and whether there may be more. @throws CaptureFault */
  fetch(): { packets: number; isMore: boolean }
  readCounts(): PacketCounts
}

/** @throws CaptureFault */
export function openInterface(
  pcap: Libpcap,
  memory: PacketMemory,
  { name, filter, linkType }: CaptureInterface,
): LiveInterface {
  const error = new Uint8Array(errorBytes)
  const handle = pcap.create(name, error)
  if (handle === null) throw new CaptureFault(`${name}: ${cString(error)}`)
  const ask = (answer: number): void => {
    if (answer < 0) throw new CaptureFault(`${name}: ${pcap.geterr(handle) || pcap.statustostr(answer)}`)
  }
  ask(pcap.set_snaplen(handle, maxPacketBytes))
  ask(pcap.set_promisc(handle, 1))
  ask(pcap.set_timeout(handle, blockMillis))
  ask(pcap.set_buffer_size(handle, ringBytes))
  // Where nanoseconds are refused the stamps stay ones of microseconds.
  pcap.set_tstamp_precision(handle, precisionNanos)
  activate(pcap, handle, name)
  if (linkType !== undefined) ask(pcap.set_datalink(handle, pcap.datalink_name_to_val(linkType)))
  setFilter(pcap, handle, name, filter)
  if (pcap.setnonblock(handle, 1, error) < 0) throw new CaptureFault(`${name}: ${cString(error)}`)
  const descriptor = pcap.get_selectable_fd(handle)
  if (descriptor < 0) throw new CaptureFault(`${name}: it cannot be waited for`)
  const dumper = pcap.dump_fopen(handle, memory.file)
  if (dumper === null) throw new CaptureFault(`${name}: ${pcap.geterr(handle)}`)
  // The file header, for the link type as files number it; its upper bits tell of the frame check sequence.
  const fileLinkType = u32le(memory.take(), 20) & 0xffff
  const counts = new Uint32Array(3)
  let last = [0, 0, 0]
  const totals = [0, 0, 0]

  return {
    name,
    linkType: fileLinkType,
    isNano: pcap.get_tstamp_precision(handle) === precisionNanos,
    descriptor,
    fetch() {
      const packets = pcap.dispatch(handle, maxPacketsFetched, pcap.dump, dumper)
      ask(packets)
      return { packets, isMore: packets === maxPacketsFetched }
    },
    readCounts() {
      ask(pcap.stats(handle, counts))
      // libpcap's own are of 32 bits.
      for (const [index, count] of counts.entries())
        totals[index] = (totals[index] ?? 0) + ((count - (last[index] ?? 0)) >>> 0)
      last = [...counts]
      const [received = 0, dropped = 0, droppedByCard = 0] = totals
      return { received, dropped, droppedByCard }
    },
  }
}

function activate(pcap: Libpcap, handle: Handle, name: string): void {
  const status = pcap.activate(handle)
  if (status >= 0) return
  const said = pcap.geterr(handle)
  const meaning = pcap.statustostr(status)
  const message = `${name}: ${said === '' || said === meaning ? meaning : `${meaning}: ${said}`}`
  if (status === statusPermissionDenied || status === statusPromiscuousDenied) throw noPermission(message)
  throw new CaptureFault(message)
}

function setFilter(pcap: Libpcap, handle: Handle, name: string, filter: string): void {
  const program = new Uint8Array(programBytes)
  const isRefused =
    pcap.compile(handle, program, filter, 1, unknownNetmask) < 0 || pcap.setfilter(handle, program) < 0
  if (isRefused)
    throw new CaptureFault(`${name}: the capture filter ${JSON.stringify(filter)}: ${pcap.geterr(handle)}`)
  pcap.freecode(program)
}

function cString(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString()
}
