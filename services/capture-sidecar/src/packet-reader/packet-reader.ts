import { ByteBuffer } from '@sip-capture/pcap/byte-buffer.ts'
import { createPcapngWriter, type PcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import type { CaptureInterface } from '../capture-program.ts'
import { CaptureFault } from './capture-fault.ts'
import { addedBytes, putEnhancedPackets } from './enhanced-packets.ts'
import { watchDescriptor, type DescriptorWatch } from './koffi.ts'
import { blockMillis, openInterface, type LiveInterface } from './live-interface.ts'
import type { Native } from './native.ts'
import { Output } from './output.ts'
import { createPacketMemory, type PacketMemory } from './packet-memory.ts'

/** What may wait for the sidecar. Above it nothing is fetched; the kernel fills its ring then, and counts what has no room there. */
const maxWaitingBytes = 64 * 1024 * 1024
/** Of one interface, before the others, the output and signals have their turn. */
const maxFetchesInTurn = 32
const tellEveryMillis = 1000
/** By then the kernel has handed over what it was gathering. */
const lastBlockMillis = 2 * blockMillis
const maxLastFetchMillis = 500

interface Source {
  readonly live: LiveInterface
  /** Its number in the pcapng stream. */
  readonly interfaceId: number
  readonly watch: DescriptorWatch
}

/** Captures on interfaces, and writes one pcapng stream until it is told to stop, nobody reads, or an interface fails. */
export class PacketReader {
  readonly #memory: PacketMemory
  readonly #writer: PcapngWriter
  readonly #output: Output
  readonly #sources: readonly Source[]
  readonly #onEnd: (exitCode: number, problem?: string) => void
  readonly #timer: NodeJS.Timeout
  #isEnding = false

  /** `onEnd`: all is written, or nobody reads. @throws CaptureFault for an interface that cannot be opened */
  constructor(
    { koffi, pcap }: Native,
    options: {
      interfaces: readonly CaptureInterface[]
      descriptor: number
      onEnd: (exitCode: number, problem?: string) => void
    },
  ) {
    this.#onEnd = options.onEnd
    this.#memory = createPacketMemory(koffi)
    const opened = options.interfaces.map((one) => openInterface(pcap, this.#memory, one))
    this.#output = new Output(koffi, {
      descriptor: options.descriptor,
      maxBytes: maxWaitingBytes,
      onRoom: () => this.#startFetching(),
      onClosed: () => options.onEnd(0),
    })
    this.#writer = createPcapngWriter({ application: pcap.lib_version() })
    const beginning = new ByteBuffer()
    beginning.append(this.#writer.header)
    this.#sources = opened.map((live) => {
      const { name: interfaceName, linkType } = live
      const interfaceId = this.#writer.describe(beginning, { interfaceName, linkType })
      const source: Source = {
        live,
        interfaceId,
        // A fault of the descriptor is for libpcap to explain.
        watch: watchDescriptor(koffi, live.descriptor, () => this.#guarded(() => this.#fetch(source))),
      }
      return source
    })
    this.#put(beginning.view())
    // Nothing is lost yet: what will be is so from now on.
    this.#putStatistics()
    this.#startFetching()
    this.#timer = setInterval(() => this.#guarded(() => this.#tell()), tellEveryMillis)
  }

  /** Ends after what the kernel still holds. */
  stop(): void {
    setTimeout(() => {
      const until = performance.now() + maxLastFetchMillis
      this.#guarded(() => {
        for (const source of this.#sources) while (this.#fetch(source) && performance.now() < until);
      })
      this.#finish(0)
    }, lastBlockMillis)
  }

  #startFetching(): void {
    if (!this.#isEnding) for (const { watch } of this.#sources) watch.start({ readable: true })
  }

  #stopFetching(): void {
    for (const { watch } of this.#sources) watch.stop()
  }

  /** Whether there may be more to fetch now. */
  #fetch({ live, interfaceId }: Source): boolean {
    const { isNano } = live
    for (let turn = 0; turn < maxFetchesInTurn; turn += 1) {
      if (this.#output.isFull) {
        this.#stopFetching()
        return false
      }
      const { packets, isMore } = live.fetch()
      if (packets > 0) {
        const records = this.#memory.take()
        this.#output.put(records.length + packets * addedBytes, (room, at) =>
          putEnhancedPackets(room, at, records, { interfaceId, isNano }),
        )
      }
      if (!isMore) return false
    }
    return true
  }

  /** Tells what was lost so far. Only when it is asked for packets does libpcap notice that an interface is gone. */
  #tell(): void {
    if (this.#output.isFull) return
    for (const source of this.#sources) this.#fetch(source)
    this.#startFetching()
    this.#putStatistics()
  }

  #putStatistics(): void {
    const blocks = new ByteBuffer()
    for (const { live, interfaceId } of this.#sources)
      this.#writer.statistics(blocks, { interfaceId, atMicros: Date.now() * 1000, ...live.readCounts() })
    this.#put(blocks.view())
  }

  #put(bytes: Uint8Array): void {
    this.#output.put(bytes.length, (room, at) => {
      room.set(bytes, at)
      return at + bytes.length
    })
  }

  /** C, which calls this, takes no exception. */
  #guarded(work: () => void): void {
    if (this.#isEnding) return
    try {
      work()
    } catch (error) {
      const { exitCode, message } = CaptureFault.from(error)
      this.#finish(exitCode, message)
    }
  }

  #finish(exitCode: number, problem?: string): void {
    if (this.#isEnding) return
    this.#isEnding = true
    clearInterval(this.#timer)
    this.#stopFetching()
    try {
      this.#putStatistics()
    } catch {
      // Of an interface that is gone nothing can be told.
    }
    this.#output.whenEmpty(() => this.#onEnd(exitCode, problem))
  }
}
