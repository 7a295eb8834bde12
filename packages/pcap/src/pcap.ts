import { ByteBuffer } from './byte-buffer.ts'
import { putU16le, putU32le } from './byte-order.ts'
import { maxPacketMicros, noReport, type CapturedPacket, type CaptureReader } from './captured-packet.ts'
import { ChunkQueue } from './chunk-queue.ts'
import { maxPacketBytes, pcapFormat, withPacketHeader, type PcapFormat } from './pcap-format.ts'

const microMagic = 0xa1b2c3d4
const nanoMagic = 0xa1b23c4d
const fileHeaderBytes = 24
const packetHeaderBytes = 16

/** Reads a classic pcap file, both byte orders, microseconds or nanoseconds, and its modified forms. */
export function createPcapReader(): CaptureReader {
  const queue = new ChunkQueue()
  let format: PcapFormat | null = null
  let linkType = 0
  let problem: string | null = null
  let packets = 0

  const fail = (text: string): void => {
    problem = text
    queue.clear()
  }

  const readFileHeader = (): void => {
    const bytes = queue.peek(fileHeaderBytes)
    if (!bytes) return
    const told = pcapFormat(bytes)
    if (!told) {
      fail('not a pcap file: the first four bytes are not its magic number')
      return
    }
    format = withPacketHeader(told, queue.peek(queue.length) ?? bytes)
    if (!format) return
    // The upper bits of the word tell the frame check sequence's length, not the link type.
    linkType = format.order.u32(bytes, 20) & 0xffff
    queue.skip(format.fileHeaderBytes)
  }

  return {
    push(chunk) {
      const found: CapturedPacket[] = []
      if (problem !== null) return found
      queue.push(chunk)
      if (!format) readFileHeader()
      if (!format) return found
      const { order, isNano, headerBytes } = format
      for (;;) {
        let bytes = queue.peek(headerBytes)
        if (!bytes) return found
        const size = order.u32(bytes, queue.start + 8)
        if (size > maxPacketBytes) {
          fail(`damaged after packet ${packets}: a packet of ${size} bytes`)
          return found
        }
        bytes = queue.peek(headerBytes + size)
        if (!bytes) return found
        const at = queue.start
        const fraction = order.u32(bytes, at + 4)
        const micros = order.u32(bytes, at) * 1_000_000 + (isNano ? Math.floor(fraction / 1000) : fraction)
        found.push({
          linkType,
          atMicros: Math.min(micros, maxPacketMicros),
          nanos: isNano ? fraction % 1000 : 0,
          bytes: bytes.subarray(at + headerBytes, at + headerBytes + size),
          originalLength: Math.max(order.u32(bytes, at + 12), size),
          interfaceName: '',
        })
        queue.skip(headerBytes + size)
        packets += 1
      }
    },
    end() {
      if (problem !== null) return
      if (!format && queue.length >= fileHeaderBytes) {
        // A file without packets, or with a part of one.
        format = pcapFormat(queue.peek(fileHeaderBytes) ?? new Uint8Array())
        queue.skip(Math.min(queue.length, format?.fileHeaderBytes ?? 0))
      }
      if (queue.length > 0)
        fail(`cut off after packet ${packets}: ${queue.length} bytes of an incomplete packet`)
      else if (!format) fail('an empty file')
    },
    get problem() {
      return problem
    },
    get offset() {
      return queue.taken
    },
    report: noReport,
  }
}

export interface PcapWriter {
  /** The file header; write it first. */
  readonly header: Uint8Array
  /** The bytes of one packet. Throws if its link type is not the file's: a pcap file has only one. */
  packet(packet: CapturedPacket): Uint8Array
  /** The same, put behind what `out` has. */
  append(out: ByteBuffer, packet: CapturedPacket): void
}

/** Writes a classic pcap file; nanosecond magic unless `microseconds` is asked for (then the nanoseconds are lost). */
export function createPcapWriter(options: { linkType: number; microseconds?: boolean }): PcapWriter {
  const isNano = options.microseconds !== true
  const header = new Uint8Array(fileHeaderBytes)
  putU32le(header, 0, isNano ? nanoMagic : microMagic)
  putU16le(header, 4, 2)
  putU16le(header, 6, 4)
  putU32le(header, 16, maxPacketBytes)
  putU32le(header, 20, options.linkType)

  const append = (out: ByteBuffer, packet: CapturedPacket): void => {
    if (packet.linkType !== options.linkType) {
      throw new Error(`a pcap file of link type ${options.linkType} cannot hold link type ${packet.linkType}`)
    }
    const at = out.reserve(packetHeaderBytes + packet.bytes.length)
    const { room } = out
    const seconds = Math.floor(packet.atMicros / 1_000_000)
    const micros = packet.atMicros - seconds * 1_000_000
    putU32le(room, at, seconds)
    putU32le(room, at + 4, isNano ? micros * 1000 + packet.nanos : micros)
    putU32le(room, at + 8, packet.bytes.length)
    putU32le(room, at + 12, packet.originalLength)
    room.set(packet.bytes, at + packetHeaderBytes)
  }

  return {
    header,
    append,
    packet(packet) {
      const out = new ByteBuffer(packetHeaderBytes + packet.bytes.length)
      append(out, packet)
      return out.view()
    },
  }
}
