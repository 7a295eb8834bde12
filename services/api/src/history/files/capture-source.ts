import { open, type FileHandle } from 'node:fs/promises'
import { finished } from 'node:stream'
import { createGunzip, type Gunzip } from 'node:zlib'

/** The bytes of an uploaded capture, piece by piece; what is gzip is unpacked on the way. */
export interface CaptureSource {
  /** The next bytes in pieces of at most 256 KiB, none at the end. @throws what the file system says */
  read(): Promise<Uint8Array[]>
  /** Bytes taken from the file as it lies on disk. */
  readonly readBytes: number
  readonly isPacked: boolean
  /** Why unpacking ended early; what was read before is good. */
  readonly problem: string | undefined
  close(): Promise<void>
}

const pieceBytes = 256 * 1024
/** What one read gives, about: some thousands of messages. */
const readBytes = 4 * 1024 * 1024
/** Deflate makes at most 1,032 bytes of one: what a bomb can put into memory at once stays near 21 MB. */
const packedBytes = 16 * 1024
/** RFC 1952, 2.3.1 */
const gzipMagic = [0x1f, 0x8b] as const

export async function openCaptureSource(path: string): Promise<CaptureSource> {
  const file = await open(path, 'r')
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0)
  const isGzip = buffer[0] === gzipMagic[0] && buffer[1] === gzipMagic[1]
  return isGzip ? new GzipSource(file) : new PlainSource(file)
}

class PlainSource implements CaptureSource {
  readonly #file: FileHandle
  readonly isPacked = false
  readonly problem = undefined
  readBytes = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  async read(): Promise<Uint8Array[]> {
    const bytes = Buffer.allocUnsafeSlow(readBytes)
    const { bytesRead } = await this.#file.read(bytes, 0, readBytes, this.readBytes)
    this.readBytes += bytesRead
    const pieces: Uint8Array[] = []
    for (let at = 0; at < bytesRead; at += pieceBytes)
      pieces.push(bytes.subarray(at, Math.min(at + pieceBytes, bytesRead)))
    return pieces
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

class GzipSource implements CaptureSource {
  readonly #file: FileHandle
  readonly #gunzip: Gunzip = createGunzip()
  readonly #ended: Promise<void>
  #pieces: Uint8Array[] = []
  #waitingBytes = 0
  readonly isPacked = true
  readBytes = 0
  problem: string | undefined

  constructor(file: FileHandle) {
    this.#file = file
    // Flowing, so that all that came before a fault is here when the fault is told.
    this.#gunzip.on('data', (piece: Buffer) => {
      this.#pieces.push(piece)
      this.#waitingBytes += piece.length
    })
    this.#ended = new Promise((resolve) => {
      finished(this.#gunzip, (error) => {
        if (error) this.problem ??= describeGzipFault(error, this.#gunzip.bytesWritten)
        resolve()
      })
    })
  }

  async read(): Promise<Uint8Array[]> {
    while (this.#waitingBytes < readBytes && !this.#gunzip.writableEnded && this.problem === undefined) {
      const packed = Buffer.allocUnsafe(packedBytes)
      const { bytesRead } = await this.#file.read(packed, 0, packedBytes, this.readBytes)
      this.readBytes += bytesRead
      if (bytesRead > 0) await this.#unpack(packed.subarray(0, bytesRead))
      else {
        this.#gunzip.end()
        await this.#ended
      }
    }
    const pieces = this.#pieces
    this.#pieces = []
    this.#waitingBytes = 0
    return pieces
  }

  async close(): Promise<void> {
    this.#gunzip.destroy()
    await this.#file.close()
  }

  async #unpack(packed: Uint8Array): Promise<void> {
    const taken = new Promise<void>((resolve) => this.#gunzip.write(packed, () => resolve()))
    await Promise.race([taken, this.#ended])
  }
}

function describeGzipFault(error: NodeJS.ErrnoException, atByte: number): string {
  return error.code === 'Z_BUF_ERROR'
    ? `the gzip data ends early, after byte ${atByte}`
    : `the gzip data is damaged after byte ${atByte}`
}
