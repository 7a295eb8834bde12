import type { Address, Koffi } from './koffi.ts'

const firstBytes = 256 * 1024

/** A C `FILE` in memory, open_memstream(3): what `pcap_dump` writes is fetched from there, many packets at once. */
export interface PacketMemory {
  readonly file: Address
  /** What was written since the last time; good until the next time. */
  take(): Uint8Array
}

export function createPacketMemory(koffi: Koffi): PacketMemory {
  // The C library that Node itself runs on.
  const libc = koffi.load(null)
  const openMemstream = libc.func('void *open_memstream(void *address, void *size)')
  const flush: (file: Address) => number = libc.func('int fflush(void *file)')
  const rewind: (file: Address) => void = libc.func('void rewind(void *file)')
  const copy = libc.func('void *memcpy(void *to, void *from, size_t size)')
  const whereAddress = koffi.alloc('void *', 1) as Address
  const whereSize = koffi.alloc('size_t', 1) as Address
  const file = openMemstream(whereAddress, whereSize) as Address | null
  if (file === null) throw new Error('open_memstream: no memory')
  let bytes = new Uint8Array(firstBytes)

  return {
    file,
    take() {
      // Only after a flush are the address and the size those of now.
      if (flush(file) !== 0) throw new Error('no memory for the packets')
      const size = Number(koffi.decode(whereSize, 'size_t'))
      if (size > bytes.length) bytes = new Uint8Array(size * 2)
      copy(bytes, koffi.decode(whereAddress, 'void *'), size)
      rewind(file)
      return bytes.subarray(0, size)
    },
  }
}
