import { RecordIds } from '@sip-capture/contract/bus/record-id.ts'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { createCaptureReader } from '@sip-capture/pcap/capture-reader.ts'
import type { CaptureReader, CaptureReport } from '@sip-capture/pcap/captured-packet.ts'
import { SipExtractor, type ExtractedMessage } from '@sip-capture/pcap/extract.ts'
import { directionOf, type OwnAddresses } from './direction.ts'
import { idOfContent, toRecord } from './record.ts'

export interface PipelineOptions {
  readonly node: string
  readonly isSipPort: (port: number) => boolean
  readonly ownAddresses: () => OwnAddresses
  /** From an interface, not from a file or a pipe. Live, HEP packets are not opened: beside their sender each message would be there
   *  twice. What is read from elsewhere may be read again, and has the same ids then. */
  readonly isLive: boolean
  readonly publish: (record: SipRecord) => void
}

/** Bytes of a capture in, records out. Frames, copies and fragments carry over from one run of tshark to the next. */
export class Pipeline {
  readonly #options: PipelineOptions
  readonly #extractor: SipExtractor
  #reader: CaptureReader = createCaptureReader()
  readonly #ids = new RecordIds()
  #lastMessageAtMicros: number | null = null

  constructor(options: PipelineOptions) {
    this.#options = options
    this.#extractor = new SipExtractor({ isSipPort: options.isSipPort, openHep: !options.isLive })
  }

  get counters(): Record<string, number> {
    return this.#extractor.counters
  }

  get lastMessageAtMicros(): number | null {
    return this.#lastMessageAtMicros
  }

  /** Why the running capture cannot be read any further. */
  get problem(): string | null {
    return this.#reader.problem
  }

  /** What the running capture says of itself and of what it lost. */
  get report(): CaptureReport {
    return this.#reader.report
  }

  /** A new capture begins: what comes starts with a file header. */
  restart(): void {
    this.#reader = createCaptureReader()
  }

  push(chunk: Uint8Array): void {
    this.#publish(this.#extractor.push(this.#reader.push(chunk)))
  }

  /** The running capture ended. */
  end(): void {
    this.#reader.end()
  }

  /** Gives up what waits too long for its missing parts; with no argument, all that waits. */
  expire(nowMicros?: number): void {
    this.#publish(this.#extractor.expire(nowMicros))
  }

  #publish(messages: readonly ExtractedMessage[]): void {
    if (messages.length === 0) return
    const { node, isSipPort, isLive, publish } = this.#options
    const own = this.#options.ownAddresses()
    for (const message of messages) {
      const direction = directionOf(message.src, message.dst, own, isSipPort)
      const id = isLive ? this.#ids.next(message.atMicros) : idOfContent(message, node)
      publish(toRecord(message, { id, node, direction }))
      this.#lastMessageAtMicros = Math.max(this.#lastMessageAtMicros ?? 0, message.atMicros)
    }
  }
}
