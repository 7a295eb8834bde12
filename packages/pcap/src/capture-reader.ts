import { u32be } from './byte-order.ts'
import { noReport, type CaptureReader } from './captured-packet.ts'
import { ChunkQueue } from './chunk-queue.ts'
import { createGzipReader } from './gzip-reader.ts'
import { createPcapReader } from './pcap.ts'
import { pcapFormat } from './pcap-format.ts'
import { blockTypes, createPcapngReader } from './pcapng.ts'

/** First four bytes of what people take for a pcap file, and its name. */
const otherFormats: ReadonlyMap<number, string> = new Map([
  [0x736e6f6f, 'a snoop capture'],
  [0x474d4255, 'a Network Monitor capture'],
  [0x52545353, 'a Network Monitor capture'],
  [0x58435000, 'a NetXRay or Sniffer capture'],
  [0x5452534e, 'a Sniffer capture'],
  [0x504b0304, 'a ZIP archive'],
  [0x28b52ffd, 'compressed by zstd'],
  [0x04224d18, 'compressed by LZ4'],
  [0xfd377a58, 'compressed by xz'],
])
const gzipMagic = 0x1f8b

/** Reads pcap or pcapng, told apart by the first four bytes; also inside gzip (`.pcap.gz`). */
export function createCaptureReader(): CaptureReader {
  return createReader((start) =>
    u32be(start, 0) >>> 16 === gzipMagic
      ? createGzipReader(createReader(createPlainReader))
      : createPlainReader(start),
  )
}

function createPlainReader(start: Uint8Array): CaptureReader | string {
  const magic = u32be(start, 0)
  if (magic === blockTypes.sectionHeader) return createPcapngReader()
  if (pcapFormat(start)) return createPcapReader()
  const other = otherFormats.get(magic)
  if (other === undefined) return 'neither a pcap nor a pcapng file'
  return `${other}, neither pcap nor pcapng`
}

/** `choose` gets the first four bytes or more, and gives the reader for them or says why there is none. */
function createReader(choose: (start: Uint8Array) => CaptureReader | string): CaptureReader {
  const queue = new ChunkQueue()
  let reader: CaptureReader | null = null
  let problem: string | null = null
  return {
    push(chunk) {
      if (reader) return reader.push(chunk)
      if (problem !== null) return []
      queue.push(chunk)
      if (!queue.peek(4)) return []
      const start = queue.peek(queue.length)
      queue.clear()
      if (!start) return []
      const chosen = choose(start)
      if (typeof chosen === 'string') {
        problem = chosen
        return []
      }
      reader = chosen
      return reader.push(start)
    },
    end() {
      if (reader) reader.end()
      else problem ??= queue.length === 0 ? 'an empty file' : 'neither a pcap nor a pcapng file'
    },
    get problem() {
      return reader ? reader.problem : problem
    },
    get offset() {
      return reader ? reader.offset : 0
    },
    get report() {
      return reader ? reader.report : noReport
    },
  }
}
