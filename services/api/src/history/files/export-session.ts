import { open, type FileHandle } from 'node:fs/promises'
import { ByteBuffer } from '@sip-capture/pcap/byte-buffer.ts'
import { createPcapWriter, type PcapWriter } from '@sip-capture/pcap/pcap.ts'
import { createPcapngWriter, type PcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createMessageShown, joinComments, toRawIp, type MessageShown } from '../../capture-packets.ts'
import type { Store } from '../store.ts'
import { CallComments } from './call-comments.ts'
import { describeDiskFault, tooManyExportBytes } from './disk-fault.ts'
import { countMessages, ExportReader, type ExportQuery } from './export-reader.ts'
import { SightingWindow, type FilePacket } from './sighting-window.ts'

export interface ExportOrder extends ExportQuery {
  /** The file to make; must not be there. */
  readonly file: string
  readonly format: 'pcapng' | 'pcap'
  readonly mask: boolean
  /** The file may not become larger. */
  readonly maxBytes: number
}

export interface ExportStep {
  /** Rows read so far, of `total` as counted at the start. */
  readonly rows: number
  readonly total: number
  /** Real messages in the file: what several sources saw is one. */
  readonly messages: number
  readonly sizeBytes: number
  readonly isDone: boolean
  /** Why it cannot go on; trying again cannot help. */
  readonly problem?: string
}

interface DescribedPackets {
  readonly packets: readonly FilePacket[]
  readonly comments: Promise<ReadonlyMap<FilePacket, string>>
}

/** In a larger file only the call log is asked: judging each call that it does not know would cost more than all the rest. */
const maxJudgedMessages = 100_000

/** Writes one export file, a page a step. The file is whole when a step says `isDone`. */
export class ExportSession {
  readonly #store: Store
  readonly #order: ExportOrder
  #file: FileHandle | undefined
  #total = 0
  #rows = 0
  #sizeBytes = 0
  #reader: ExportReader
  /** To be written in the next step. */
  #described: DescribedPackets | undefined
  readonly #out = new ByteBuffer()
  readonly #shown: MessageShown
  #window: SightingWindow
  readonly #comments: CallComments
  #pcapng: PcapngWriter | undefined
  #pcap: PcapWriter | undefined
  /** Frames of several link types came: a pcap file then holds plain IP. */
  #isMixed = false

  constructor(store: Store, order: ExportOrder) {
    this.#store = store
    this.#order = order
    this.#reader = new ExportReader(store, order)
    this.#shown = createMessageShown(order.mask)
    this.#window = new SightingWindow(this.#shown.toPackets)
    this.#comments = new CallComments(store, this.#shown, { isMasked: order.mask })
  }

  /** @throws StoreError */
  async step(): Promise<ExportStep> {
    try {
      this.#file ??= await this.#open()
      // The engine reads the next page while this one is written.
      const page = await this.#reader.next()
      const isLast = page === null
      this.#rows += page?.length ?? 0
      const packets = isLast ? this.#window.end() : this.#window.push(page)
      if (this.#needsRestart(packets)) return await this.#restart()
      const out = this.#out
      out.clear()
      const before = this.#described
      const last = this.#describe(packets)
      if (before) await this.#appendAll(before)
      if (isLast) await this.#appendAll(last)
      if (isLast && this.#sizeBytes === 0 && out.length === 0) out.append(this.#emptyHeader())
      const bytes = out.view()
      if (this.#sizeBytes + bytes.length > this.#order.maxBytes)
        return this.#answer(false, tooManyExportBytes)
      await this.#file.appendFile(bytes)
      this.#sizeBytes += bytes.length
      if (isLast) await this.#file.sync()
      return this.#answer(isLast)
    } catch (error) {
      const problem = describeDiskFault(error, 'EXPORT_DIR')
      if (problem === undefined) throw error
      return this.#answer(false, problem)
    }
  }

  async close(): Promise<void> {
    await this.#file?.close().catch(() => {})
  }

  async #open(): Promise<FileHandle> {
    this.#total = await countMessages(this.#store, this.#order)
    return await open(this.#order.file, 'wx', 0o600)
  }

  #answer(isDone: boolean, problem?: string): ExportStep {
    return {
      rows: this.#rows,
      total: Math.max(this.#total, this.#rows),
      messages: this.#window.messages,
      sizeBytes: this.#sizeBytes,
      isDone,
      ...(problem === undefined ? {} : { problem }),
    }
  }

  /** What is said of its calls is looked up while the page before is written. */
  #describe(packets: readonly FilePacket[]): DescribedPackets {
    const described = { packets, comments: this.#commentsOf(packets) }
    // Its fault is told by the step that awaits it; there may be none any more.
    described.comments.catch(() => {})
    this.#described = described
    return described
  }

  async #appendAll({ packets, comments }: DescribedPackets): Promise<void> {
    const known = await comments
    for (const packet of packets) this.#append(packet, known.get(packet) ?? '')
  }

  #needsRestart(packets: readonly FilePacket[]): boolean {
    if (this.#order.format !== 'pcap' || this.#isMixed) return false
    const first = this.#linkType ?? packets[0]?.packet.linkType
    return packets.some(({ packet }) => packet.linkType !== first)
  }

  #linkType: number | undefined

  /** From the first message again, as plain IP. */
  async #restart(): Promise<ExportStep> {
    await this.#file?.truncate(0)
    this.#isMixed = true
    this.#linkType = undefined
    this.#pcap = undefined
    this.#rows = 0
    this.#sizeBytes = 0
    this.#reader = new ExportReader(this.#store, this.#order)
    this.#described = undefined
    this.#window = new SightingWindow(this.#shown.toPackets)
    return this.#answer(false)
  }

  #append({ packet, comment }: FilePacket, callComment: string): void {
    const out = this.#out
    if (this.#order.format === 'pcap') {
      const frame = this.#isMixed && packet.linkType !== linkTypes.raw ? toRawIp(packet) : packet
      if (!this.#pcap) {
        this.#linkType = frame.linkType
        this.#pcap = createPcapWriter({ linkType: frame.linkType })
        out.append(this.#pcap.header)
      }
      this.#pcap.append(out, frame)
      return
    }
    if (!this.#pcapng) {
      this.#pcapng = createPcapngWriter({
        application: 'SIP Capture',
        ...(this.#mayJudge()
          ? {}
          : { comment: `More than ${maxJudgedMessages} messages: verdicts are those of the call log.` }),
      })
      out.append(this.#pcapng.header)
    }
    this.#pcapng.append(out, packet, joinComments(callComment, comment))
  }

  #mayJudge(): boolean {
    return this.#total <= maxJudgedMessages
  }

  /** Of packets that are the first of their call. */
  async #commentsOf(packets: readonly FilePacket[]): Promise<ReadonlyMap<FilePacket, string>> {
    if (this.#order.format === 'pcap') return new Map()
    return await this.#comments.describe(packets, { mayJudge: this.#mayJudge() })
  }

  #emptyHeader(): Uint8Array {
    return this.#order.format === 'pcap'
      ? createPcapWriter({ linkType: linkTypes.raw }).header
      : createPcapngWriter({ application: 'SIP Capture', comment: 'No message matched.' }).header
  }
}
