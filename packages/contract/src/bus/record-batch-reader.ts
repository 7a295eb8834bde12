import { maxMicros } from '../time.ts'
import { AsciiWords } from './ascii-words.ts'
import { recordKeys } from './record-batch.ts'
import {
  direction as directionSchema,
  messageSources,
  sipTransports,
  type Frame,
  type HostPort,
  type SipRecord,
} from './sip-record.ts'

/**
 * Reads a batch as `packRecords` writes it: its members in its order, its forms of numbers, texts of ASCII. Undefined where
 * anything is otherwise or breaks a constraint of `sipRecord`: then the general reader has the word. So what is read here is what
 * the general reader and the schema make of the same bytes; a general reader and a schema take five times as long.
 * Payloads and frames are views of `packed`. Never throws.
 */
export function unpackRecords(packed: Buffer<ArrayBuffer>): SipRecord[] | undefined {
  try {
    return new RecordBatchReader(packed).records()
  } catch {
    return undefined
  }
}

const idDigits = 32

/** Of the whole process: nodes, addresses and interfaces of one batch are those of the next. */
const words = new AsciiWords()

/** Bytes that are looked for four at a time, the last four of them perhaps again. */
interface Key {
  readonly length: number
  readonly words: readonly number[]
  readonly places: readonly number[]
}

function toKey(bytes: Uint8Array): Key {
  const { length } = bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  const places: number[] = []
  for (let at = 0; at < length; at += 4) places.push(Math.min(at, length - 4))
  return { length, places, words: places.map((place) => view.getUint32(place)) }
}

const keys = {
  /** The version, and that an id of the only length follows. */
  begin: toKey(Uint8Array.from([...recordKeys.v, 1, ...recordKeys.id, 0xd9, idDigits])),
  atMicros: toKey(recordKeys.atMicros),
  nanos: toKey(recordKeys.nanos),
  precisionMicros: toKey(recordKeys.precisionMicros),
  node: toKey(recordKeys.node),
  src: toKey(recordKeys.src),
  dst: toKey(recordKeys.dst),
  address: toKey(recordKeys.address),
  port: toKey(recordKeys.port),
  payload: toKey(recordKeys.payload),
  payloadAt: toKey(recordKeys.payloadAt),
  frames: toKey(recordKeys.frames),
  copies: toKey(recordKeys.copies),
  channel: toKey(recordKeys.channel),
  notes: toKey(recordKeys.notes),
  linkType: toKey(recordKeys.linkType),
  bytes: toKey(recordKeys.bytes),
  originalLength: toKey(recordKeys.originalLength),
  interfaceName: toKey(recordKeys.interfaceName),
}
const sources = toOptions(recordKeys.source, messageSources)
const transports = toOptions(recordKeys.transport, sipTransports)
const directions = toOptions(recordKeys.direction, directionSchema.options)

/** A member with each of its values. */
function toOptions<T extends string>(name: Uint8Array, values: readonly T[]): readonly Option<T>[] {
  return values.map((value) => ({
    member: toKey(Uint8Array.from([...name, 0xa0 | value.length, ...Buffer.from(value)])),
    value,
  }))
}

interface Option<T> {
  readonly member: Key
  readonly value: T
}

const maxUint16 = 0xffff
/** By byte, 1 of a digit and of a letter in lower case: no processor foresees the branches of a hash. */
const isHexDigit = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[0-9a-f]/.test(String.fromCharCode(byte)) ? 1 : 0,
)

/** Every method reads what is next, or throws. Behind the end there is no byte, which fits no form. */
class RecordBatchReader {
  readonly #bytes: Buffer<ArrayBuffer>
  readonly #view: DataView
  #at = 0

  constructor(bytes: Buffer<ArrayBuffer>) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  records(): SipRecord[] {
    const records: SipRecord[] = []
    for (let left = this.#arrayHead(); left > 0; left -= 1) records.push(this.#record())
    if (this.#at !== this.#bytes.length) throw unusual
    return records
  }

  #record(): SipRecord {
    const members = this.#mapHead()
    let read = 10
    this.#key(keys.begin)
    const id = this.#id()
    this.#key(keys.atMicros)
    const atMicros = this.#whole(0, maxMicros)
    let nanos = 0
    if (this.#isNext(keys.nanos)) {
      nanos = this.#whole(0, 999)
      read += 1
    }
    let precisionMicros = 1
    if (this.#isNext(keys.precisionMicros)) {
      precisionMicros = this.#whole(0, Number.MAX_SAFE_INTEGER)
      read += 1
    }
    const source = this.#option(sources)
    this.#key(keys.node)
    const node = this.#text(256)
    const transport = this.#option(transports)
    this.#key(keys.src)
    const src = this.#hostPort()
    this.#key(keys.dst)
    const dst = this.#hostPort()
    const direction = this.#option(directions)
    let payload: Uint8Array<ArrayBuffer> | undefined
    let payloadAt = 0
    let payloadLength = 0
    if (this.#isNext(keys.payload)) payload = this.#binary()
    else {
      this.#key(keys.payloadAt)
      if (this.#arrayHead() !== 2) throw unusual
      payloadAt = this.#whole(0, Number.MAX_SAFE_INTEGER)
      payloadLength = this.#whole(0, Number.MAX_SAFE_INTEGER)
    }
    const frames: Frame[] = []
    if (this.#isNext(keys.frames)) {
      const count = this.#arrayHead()
      if (count > 256) throw unusual
      for (let n = 0; n < count; n += 1) frames.push(this.#frame())
      read += 1
    }
    if (payload === undefined) {
      const bytes = frames[0]?.bytes
      if (bytes === undefined || payloadAt + payloadLength > bytes.length) throw unusual
      payload = bytes.subarray(payloadAt, payloadAt + payloadLength)
    }
    let copies = 1
    if (this.#isNext(keys.copies)) {
      copies = this.#whole(1, Number.MAX_SAFE_INTEGER)
      read += 1
    }
    let channel: string | undefined
    if (this.#isNext(keys.channel)) {
      channel = this.#text(512)
      read += 1
    }
    const notes: string[] = []
    if (this.#isNext(keys.notes)) {
      const count = this.#arrayHead()
      if (count > 16) throw unusual
      for (let n = 0; n < count; n += 1) notes.push(this.#text(64))
      read += 1
    }
    if (members !== read) throw unusual
    const record: SipRecord = {
      v: 1,
      id,
      atMicros,
      nanos,
      precisionMicros,
      source,
      node,
      transport,
      src,
      dst,
      direction,
      payload,
      frames,
      copies,
      notes,
    }
    if (channel !== undefined) record.channel = channel
    return record
  }

  #frame(): Frame {
    const members = this.#mapHead()
    let read = 4
    this.#key(keys.linkType)
    const linkType = this.#whole(0, maxUint16)
    this.#key(keys.atMicros)
    const atMicros = this.#whole(0, maxMicros)
    let nanos = 0
    if (this.#isNext(keys.nanos)) {
      nanos = this.#whole(0, 999)
      read += 1
    }
    this.#key(keys.bytes)
    const bytes = this.#binary()
    this.#key(keys.originalLength)
    const originalLength = this.#whole(0, Number.MAX_SAFE_INTEGER)
    const frame: Frame = { linkType, atMicros, nanos, bytes, originalLength }
    if (this.#isNext(keys.interfaceName)) {
      frame.interfaceName = this.#text(256)
      read += 1
    }
    if (members !== read) throw unusual
    return frame
  }

  #hostPort(): HostPort {
    if (this.#mapHead() !== 2) throw unusual
    this.#key(keys.address)
    const address = this.#text(64)
    this.#key(keys.port)
    return { address, port: this.#whole(0, maxUint16) }
  }

  #key(key: Key): void {
    if (!this.#isNext(key)) throw unusual
  }

  /** Goes on behind it where it is. */
  #isNext({ length, words, places }: Key): boolean {
    const view = this.#view
    const at = this.#at
    if (at + length > view.byteLength) return false
    for (let n = 0; n < words.length; n += 1)
      if (view.getUint32(at + (places[n] as number)) !== words[n]) return false
    this.#at = at + length
    return true
  }

  #mapHead(): number {
    const head = this.#view.getUint8(this.#at)
    if (head >>> 4 === 0x8) {
      this.#at += 1
      return head & 0x0f
    }
    if (head !== 0xde) throw unusual
    this.#at += 3
    return this.#view.getUint16(this.#at - 2)
  }

  #arrayHead(): number {
    const head = this.#view.getUint8(this.#at)
    if (head >>> 4 === 0x9) {
      this.#at += 1
      return head & 0x0f
    }
    if (head !== 0xdd) throw unusual
    return this.#size()
  }

  /** A whole number within these. */
  #whole(min: number, max: number): number {
    const head = this.#view.getUint8(this.#at)
    let value = head
    if (head < 0x80) this.#at += 1
    else if (head === 0xce) value = this.#size()
    else if (head === 0xcb) {
      value = this.#view.getFloat64(this.#at + 1)
      this.#at += 9
    } else throw unusual
    if (value >= min && value <= max && Number.isInteger(value)) return value
    throw unusual
  }

  /** The length of what comes, in the four bytes behind this one. */
  #size(): number {
    this.#at += 5
    return this.#view.getUint32(this.#at - 4)
  }

  /** A text of at most so many characters. */
  #text(max: number): string {
    const head = this.#view.getUint8(this.#at)
    let length = head & 0x1f
    if (head >>> 5 === 0x5) this.#at += 1
    else if (head === 0xd9) {
      length = this.#view.getUint8(this.#at + 1)
      this.#at += 2
    } else if (head === 0xdb) length = this.#size()
    else throw unusual
    const from = this.#skip(length)
    const text = length > max ? undefined : words.read(this.#bytes, from, length)
    if (text === undefined) throw unusual
    return text
  }

  #option<T>(options: readonly Option<T>[]): T {
    for (const { member, value } of options) if (this.#isNext(member)) return value
    throw unusual
  }

  #id(): string {
    const bytes = this.#bytes
    const from = this.#skip(idDigits)
    let isHex = 1
    for (let n = from; n < from + idDigits; n += 1) isHex &= isHexDigit[bytes[n] as number] as number
    if (isHex === 0) throw unusual
    return bytes.toString('latin1', from, from + idDigits)
  }

  #binary(): Buffer<ArrayBuffer> {
    if (this.#bytes[this.#at] !== 0xc6) throw unusual
    const length = this.#size()
    const from = this.#skip(length)
    return this.#bytes.subarray(from, from + length)
  }

  /** Where these bytes begin. */
  #skip(length: number): number {
    const from = this.#at
    this.#at = from + length
    if (this.#at > this.#bytes.length) throw unusual
    return from
  }
}

const unusual = new Error('not as packRecords writes it')
