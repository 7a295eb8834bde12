import { bigEndian, littleEndian, u32be, u32le, type ByteOrder } from './byte-order.ts'
import { noReport, type CapturedPacket, type CaptureReader, type CaptureReport } from './captured-packet.ts'
import { ChunkQueue } from './chunk-queue.ts'
import { microsecondScale, toPacketTime, type TimeScale } from './pcapng-time.ts'

/** Block and option numbers, draft-ietf-opsawg-pcapng. */
export const blockTypes = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  packetObsolete: 2,
  simplePacket: 3,
  interfaceStatistics: 5,
  enhancedPacket: 6,
} as const
export const byteOrderMagic = 0x1a2b3c4d

const optionApplication = 4
const optionInterfaceName = 2
const optionTimeResolution = 9
const optionTimeOffset = 14
const optionInterfaceDrops = 5
const optionSystemDrops = 7
/** Far above any frame; a longer block can only be damage or an attack. */
const maxBlockBytes = 16 * 1024 * 1024
const maxInterfaces = 4096
const maxNameBytes = 256
const smallestBlockBytes = 12

interface CaptureInterface {
  readonly linkType: number
  readonly snapLength: number
  readonly name: string
  readonly scale: TimeScale
  drops: number
}

const lenientUtf8 = new TextDecoder('utf-8')

/** Reads a pcapng stream: sections of both byte orders, several interfaces, enhanced, simple and obsolete packets. */
export function createPcapngReader(): CaptureReader {
  const queue = new ChunkQueue()
  let order: ByteOrder | null = null
  let interfaces: CaptureInterface[] = []
  let problem: string | null = null
  let packets = 0
  let report: CaptureReport = noReport

  const fail = (text: string): void => {
    problem = text
    queue.clear()
  }

  const interfaceOf = (id: number): CaptureInterface | null => {
    const found = interfaces[id]
    if (!found) fail(`damaged after packet ${packets}: a packet of interface ${id}, which is not described`)
    return found ?? null
  }

  /** `at`: where the captured bytes begin; `stamp`: where its time is, or -1. */
  const readPacket = (
    bytes: Uint8Array,
    source: CaptureInterface,
    stamp: number,
    at: number,
    captured: number,
    original: number,
    bodyEnd: number,
  ): CapturedPacket | null => {
    const { u32 } = order ?? littleEndian
    if (at + captured > bodyEnd) {
      fail(`damaged after packet ${packets}: a packet of ${captured} bytes in a shorter block`)
      return null
    }
    const time =
      stamp < 0
        ? { atMicros: 0, nanos: 0 }
        : toPacketTime(u32(bytes, stamp), u32(bytes, stamp + 4), source.scale)
    packets += 1
    return {
      linkType: source.linkType,
      atMicros: time.atMicros,
      nanos: time.nanos,
      bytes: bytes.subarray(at, at + captured),
      originalLength: Math.max(original, captured),
      interfaceName: source.name,
    }
  }

  /** The block of `length` bytes at `from`. */
  const readBlock = (
    bytes: Uint8Array,
    from: number,
    type: number,
    length: number,
  ): CapturedPacket | null => {
    const { u16, u32 } = order ?? littleEndian
    const bodyEnd = from + length - 4
    switch (type) {
      case blockTypes.enhancedPacket:
      case blockTypes.packetObsolete: {
        if (length < 32) break
        const isEnhanced = type === blockTypes.enhancedPacket
        const source = interfaceOf(isEnhanced ? u32(bytes, from + 8) : u16(bytes, from + 8))
        const captured = u32(bytes, from + 20)
        const original = u32(bytes, from + 24)
        return source && readPacket(bytes, source, from + 12, from + 28, captured, original, bodyEnd)
      }
      case blockTypes.simplePacket: {
        if (length < 16) break
        const source = interfaceOf(0)
        if (!source) return null
        const original = u32(bytes, from + 8)
        const limit = source.snapLength === 0 ? original : Math.min(original, source.snapLength)
        const at = from + 12
        // A simple packet has no stamp of its own.
        return readPacket(bytes, source, -1, at, Math.min(limit, bodyEnd - at), original, bodyEnd)
      }
      case blockTypes.interfaceDescription: {
        if (length < 20) break
        if (interfaces.length >= maxInterfaces) fail(`more than ${maxInterfaces} interfaces in a section`)
        else interfaces.push(readInterface(bytes.subarray(from, bodyEnd), u16, u32))
        return null
      }
      case blockTypes.interfaceStatistics: {
        const source = interfaces[u32(bytes, from + 8)]
        if (!source || length < 24) return null
        const told = readDrops(bytes.subarray(from, bodyEnd), u16, u32)
        // Each block tells the total since the start of its section.
        const more = Math.max(0, told - source.drops)
        source.drops += more
        const { atMicros } = toPacketTime(u32(bytes, from + 12), u32(bytes, from + 16), source.scale)
        report = { ...report, drops: report.drops + more, atMicros }
        return null
      }
      case blockTypes.sectionHeader:
        report = { ...report, application: readApplication(bytes.subarray(from, bodyEnd), u16) }
        return null
      default:
        return null
    }
    fail(`damaged after packet ${packets}: a block of type ${type} with ${length} bytes`)
    return null
  }

  return {
    push(chunk) {
      const found: CapturedPacket[] = []
      if (problem !== null) return found
      queue.push(chunk)
      for (;;) {
        let bytes = queue.peek(smallestBlockBytes)
        if (!bytes) return found
        let from = queue.start
        // The section header's type reads the same in both byte orders; its third word tells which one follows.
        if (u32be(bytes, from) === blockTypes.sectionHeader) {
          order =
            u32be(bytes, from + 8) === byteOrderMagic
              ? bigEndian
              : u32le(bytes, from + 8) === byteOrderMagic
                ? littleEndian
                : null
          interfaces = []
        }
        if (!order) {
          fail(
            packets === 0
              ? 'not a pcapng file: it does not start with a section header'
              : 'damaged section header',
          )
          return found
        }
        const told = order.u32(bytes, from + 4)
        if (told < smallestBlockBytes || told > maxBlockBytes) {
          fail(`damaged after packet ${packets}: a block of ${told} bytes`)
          return found
        }
        // Early writers left the padding to 4 bytes out of the length.
        const length = (told + 3) & ~3
        bytes = queue.peek(length)
        if (!bytes) return found
        from = queue.start
        if (order.u32(bytes, from + length - 4) !== told) {
          fail(`damaged after packet ${packets}: the two lengths of a block differ`)
          return found
        }
        const packet = readBlock(bytes, from, order.u32(bytes, from), length)
        if (packet) found.push(packet)
        if (problem !== null) return found
        queue.skip(length)
      }
    },
    end() {
      if (problem !== null) return
      if (queue.length > 0)
        fail(`cut off after packet ${packets}: ${queue.length} bytes of an incomplete block`)
      else if (!order) fail('an empty file')
    },
    get problem() {
      return problem
    },
    get offset() {
      return queue.taken
    },
    get report() {
      return report
    },
  }
}

/** `block`: without the length at its end. */
function readInterface(block: Uint8Array, u16: ByteOrder['u16'], u32: ByteOrder['u32']): CaptureInterface {
  let name = ''
  let resolution = microsecondScale.resolution
  let offsetSeconds = 0
  eachOption(block, 16, u16, (code, at, length) => {
    if (code === optionInterfaceName)
      name = lenientUtf8.decode(block.subarray(at, at + Math.min(length, maxNameBytes)))
    if (code === optionTimeResolution && length >= 1) resolution = block[at] ?? resolution
    if (code === optionTimeOffset && length >= 8)
      offsetSeconds = Number(BigInt.asIntN(64, u64(block, at, u32)))
  })
  return {
    linkType: u16(block, 8),
    snapLength: u32(block, 12),
    name: name.slice(0, maxNameBytes),
    scale: { resolution, offsetSeconds },
    drops: 0,
  }
}

/** A packet is lost in one place only: in the network card or in the system. dumpcap tells the system's under the card's number. */
function readDrops(block: Uint8Array, u16: ByteOrder['u16'], u32: ByteOrder['u32']): number {
  let drops = 0
  eachOption(block, 20, u16, (code, at, length) => {
    if ((code === optionInterfaceDrops || code === optionSystemDrops) && length >= 8) {
      drops += Number(u64(block, at, u32))
    }
  })
  return drops
}

function readApplication(block: Uint8Array, u16: ByteOrder['u16']): string {
  let application = ''
  eachOption(block, 24, u16, (code, at, length) => {
    if (code === optionApplication)
      application = lenientUtf8.decode(block.subarray(at, at + Math.min(length, maxNameBytes)))
  })
  return application
}

function u64(bytes: Uint8Array, at: number, u32: ByteOrder['u32']): bigint {
  // Both halves are in the section's order; for big-endian the high half comes first.
  const [high, low] =
    u32 === bigEndian.u32 ? [u32(bytes, at), u32(bytes, at + 4)] : [u32(bytes, at + 4), u32(bytes, at)]
  return (BigInt(high) << 32n) | BigInt(low)
}

function eachOption(
  bytes: Uint8Array,
  from: number,
  u16: ByteOrder['u16'],
  visit: (code: number, at: number, length: number) => void,
): void {
  const end = bytes.length
  let at = from
  while (at + 4 <= end) {
    const code = u16(bytes, at)
    const length = u16(bytes, at + 2)
    if (code === 0 || at + 4 + length > end) return
    visit(code, at + 4, length)
    at += 4 + ((length + 3) & ~3)
  }
}
