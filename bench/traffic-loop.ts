import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { generateRecords } from './dialogs.ts'

const recordHeaderBytes = 16
const udpAt = 14 + 20
const udpChecksumAt = udpAt + 6
const udpPayloadAt = udpAt + 8
const callIdField = 'Call-ID: '
const callIdDigits = 8

/** File header of a pcap file: microseconds, Ethernet. */
export const pcapHeader = Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex')

/**
 * Endless dialogs, made cheaply: a pattern of them is built once, and each time round every message gets a new time and
 * every dialog a new Call-ID. UDP checksums say "none", as they may in IPv4.
 */
export class TrafficLoop {
  readonly messages: number
  readonly #bytes: Buffer
  /** Where each record begins; one more for the end. */
  readonly #starts: number[] = [0]
  /** Where in each record the first digits of the Call-ID stand. */
  readonly #callIds: number[] = []
  #next = 0
  #round = 0

  /** `port`: of both sides. For packets on loopback one that nobody else listens to. */
  constructor(messages: number, { seed = 7, port = 5060 } = {}) {
    this.messages = messages
    const records: Buffer[] = []
    let length = 0
    const start = { startMicros: 1_795_305_600_000_000, spanMicros: messages * 3_600 }
    for (const { frames } of generateRecords({ messages, seed, ...start })) {
      const frame = frames?.[0]?.bytes
      if (!frame) continue
      const record = Buffer.alloc(recordHeaderBytes + frame.length)
      record.writeUInt32LE(frame.length, 8)
      record.writeUInt32LE(frame.length, 12)
      record.set(frame, recordHeaderBytes)
      record.writeUInt16BE(port, recordHeaderBytes + udpAt)
      record.writeUInt16BE(port, recordHeaderBytes + udpAt + 2)
      record.writeUInt16BE(0, recordHeaderBytes + udpChecksumAt)
      this.#callIds.push(record.indexOf(callIdField) + callIdField.length)
      records.push(record)
      length += record.length
      this.#starts.push(length)
    }
    this.#bytes = Buffer.concat(records)
  }

  /** The next `count` records of a pcap file, stamped `stepMicros` apart from `atMicros` on. A copy. */
  take(count: number, atMicros: number, stepMicros: number): Buffer {
    const parts: Buffer[] = []
    for (let left = count, at = atMicros; left > 0;) {
      const from = this.#next
      const until = Math.min(this.messages, from + left)
      for (let index = from; index < until; index++, at += stepMicros) this.#renew(index, Math.round(at))
      parts.push(Buffer.from(this.#bytes.subarray(this.#starts[from], this.#starts[until])))
      left -= until - from
      this.#next = until % this.messages
      if (this.#next === 0) this.#round += 1
    }
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
  }

  /** The next message without its headers of IP and UDP. A copy. */
  takePayload(): Buffer {
    return this.take(1, 0, 0).subarray(recordHeaderBytes + udpPayloadAt)
  }

  #renew(index: number, atMicros: number): void {
    const start = this.#starts[index] ?? 0
    const seconds = Math.floor(atMicros / 1_000_000)
    this.#bytes.writeUInt32LE(seconds, start)
    this.#bytes.writeUInt32LE(atMicros - seconds * 1_000_000, start + 4)
    const digits = this.#round.toString(16).padStart(callIdDigits, '0')
    this.#bytes.write(digits, start + (this.#callIds[index] ?? 0), 'latin1')
  }
}

/** Writes a capture file of dialogs. Answers the Call-ID of a dialog in its middle. */
export async function writeCaptureFile(
  file: string,
  {
    messages,
    startMicros,
    stepMicros,
    port = 5060,
  }: { messages: number; startMicros: number; stepMicros: number; port?: number },
): Promise<{ sizeBytes: number; callId: string }> {
  const loop = new TrafficLoop(Math.min(messages, 65_000), { port })
  const stream = createWriteStream(file)
  stream.write(pcapHeader)
  let sizeBytes = pcapHeader.length
  let callId = ''
  const chunk = 10_000
  for (let done = 0; done < messages; done += chunk) {
    const bytes = loop.take(Math.min(chunk, messages - done), startMicros + done * stepMicros, stepMicros)
    if (done <= messages / 2)
      callId = /Call-ID: (\S+)/.exec(bytes.toString('latin1', 0, 4_096))?.[1] ?? callId
    sizeBytes += bytes.length
    if (!stream.write(bytes)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
  return { sizeBytes, callId }
}
