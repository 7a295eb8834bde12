import { Gunzip } from 'fflate'
import type { CapturedPacket, CaptureReader } from './captured-packet.ts'

/** Deflate makes at most 1032 bytes of one: so much waits at once between here and the reader inside. */
const sliceBytes = 16 * 1024
/** Captures shrink to a tenth, of one repeated packet to a hundredth; what swells more is made to fill the memory. */
const maxSwelling = 400
const freelySwelledBytes = 64 * 1024 * 1024

/** A capture inside gzip (RFC 1952): `inner` reads what is inside. `offset` counts compressed bytes. */
export function createGzipReader(inner: CaptureReader): CaptureReader {
  let problem: string | null = null
  let takenBytes = 0
  let swelledBytes = 0
  let found: CapturedPacket[] = []
  const gunzip = new Gunzip((bytes) => {
    swelledBytes += bytes.length
    for (const packet of inner.push(bytes)) found.push(packet)
  })
  return {
    push(chunk) {
      for (let at = 0; at < chunk.length && problem === null && inner.problem === null; at += sliceBytes) {
        const slice = chunk.subarray(at, at + sliceBytes)
        try {
          gunzip.push(slice)
        } catch {
          problem = `damaged gzip after ${takenBytes} bytes`
        }
        takenBytes += slice.length
        if (swelledBytes > freelySwelledBytes + takenBytes * maxSwelling) {
          problem = `gzip that swells ${maxSwelling} times is not a capture`
        }
      }
      const taken = found
      found = []
      return taken
    },
    end() {
      inner.end()
    },
    get problem() {
      return problem ?? inner.problem
    },
    get offset() {
      return takenBytes
    },
    get report() {
      return inner.report
    },
  }
}
