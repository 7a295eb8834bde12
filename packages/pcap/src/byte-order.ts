/** Reads past the end give zeros: callers check lengths where a zero would mislead. */

export function u16be(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

export function u32be(bytes: Uint8Array, at: number): number {
  return ((u16be(bytes, at) << 16) | u16be(bytes, at + 2)) >>> 0
}

export function u16le(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 1] ?? 0) << 8) | (bytes[at] ?? 0)
}

export function u32le(bytes: Uint8Array, at: number): number {
  return ((u16le(bytes, at + 2) << 16) | u16le(bytes, at)) >>> 0
}

export function putU16be(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

export function putU32be(bytes: Uint8Array, at: number, value: number): void {
  putU16be(bytes, at, value >>> 16)
  putU16be(bytes, at + 2, value)
}

export function putU16le(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
}

export function putU32le(bytes: Uint8Array, at: number, value: number): void {
  putU16le(bytes, at, value)
  putU16le(bytes, at + 2, value >>> 16)
}

export interface ByteOrder {
  readonly u16: (bytes: Uint8Array, at: number) => number
  readonly u32: (bytes: Uint8Array, at: number) => number
}

export const bigEndian: ByteOrder = { u16: u16be, u32: u32be }
export const littleEndian: ByteOrder = { u16: u16le, u32: u32le }

let memory: ArrayBufferLike = new ArrayBuffer(0)
let memoryView: DataView = new DataView(memory)

/** All the memory that `bytes` is a part of, for reading several bytes at once; `bytes.byteOffset` is where they begin. The
 *  last one is kept: to make it costs more than what is read with it, and packets of one chunk share their memory. */
export function memoryOf({ buffer }: Uint8Array): DataView {
  if (buffer !== memory) {
    memory = buffer
    memoryView = new DataView(buffer)
  }
  return memoryView
}
