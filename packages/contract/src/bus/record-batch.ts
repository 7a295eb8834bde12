import type { Frame, HostPort, SipRecord } from './sip-record.ts'

/**
 * A batch of records as a MessagePack array of maps, as `sipRecord` reads it: members with their default are left out, and a
 * payload that is a view of its first frame is told by its place there, so that its bytes are in the batch once.
 * Written by hand: a general packer takes as long for the names of the members as for all the rest.
 */
export function packRecords(records: readonly SipRecord[]): Buffer<ArrayBuffer> {
  let room = arrayHeadBytes
  for (const record of records) room += roomFor(record)
  const out = room <= scratch.length ? scratch : Buffer.allocUnsafeSlow(room)
  let at = putArrayHead(out, 0, records.length)
  for (const record of records) at = putRecord(out, at, record)
  return Buffer.from(out.subarray(0, at))
}

/** Room for a batch as it comes from a network: what is needed at most is known before, what was needed only behind. */
const scratch = Buffer.allocUnsafeSlow(256 * 1024)
/** Names and numbers of a record and of a frame, with some to spare; texts and bytes come on top. */
const recordRoom = 384
const frameRoom = 128
const noteRoom = 8
/** Of a character in UTF-8, at most. */
const characterBytes = 3
const arrayHeadBytes = 5

/** Names of members as they are written: a fixstr each. */
export const recordKeys = {
  v: key('v'),
  id: key('id'),
  atMicros: key('atMicros'),
  nanos: key('nanos'),
  precisionMicros: key('precisionMicros'),
  source: key('source'),
  node: key('node'),
  transport: key('transport'),
  src: key('src'),
  dst: key('dst'),
  address: key('address'),
  port: key('port'),
  direction: key('direction'),
  payload: key('payload'),
  payloadAt: key('payloadAt'),
  frames: key('frames'),
  copies: key('copies'),
  channel: key('channel'),
  notes: key('notes'),
  linkType: key('linkType'),
  bytes: key('bytes'),
  originalLength: key('originalLength'),
  interfaceName: key('interfaceName'),
}

const keys = recordKeys

function key(name: string): Uint8Array {
  return Uint8Array.from([0xa0 | name.length, ...Buffer.from(name)])
}

function roomFor(record: SipRecord): number {
  const { id, source, node, transport, src, dst, direction, channel, payload, frames, notes } = record
  let characters = id.length + source.length + node.length + transport.length + direction.length
  characters += src.address.length + dst.address.length + (channel?.length ?? 0)
  let room = recordRoom + payload.length
  for (const note of notes) room += noteRoom + note.length * characterBytes
  for (const frame of frames) {
    room += frameRoom + frame.bytes.length
    characters += frame.interfaceName?.length ?? 0
  }
  return room + characters * characterBytes
}

function putRecord(out: Buffer, start: number, record: SipRecord): number {
  const { nanos, precisionMicros, frames, copies, channel, notes, payload } = record
  let members = 10
  if (nanos !== 0) members += 1
  if (precisionMicros !== 1) members += 1
  if (frames.length > 0) members += 1
  if (copies !== 1) members += 1
  if (channel !== undefined) members += 1
  if (notes.length > 0) members += 1
  let at = putMapHead(out, start, members)
  at = putNumber(out, putKey(out, at, keys.v), record.v)
  at = putText(out, putKey(out, at, keys.id), record.id)
  at = putNumber(out, putKey(out, at, keys.atMicros), record.atMicros)
  if (nanos !== 0) at = putNumber(out, putKey(out, at, keys.nanos), nanos)
  if (precisionMicros !== 1) at = putNumber(out, putKey(out, at, keys.precisionMicros), precisionMicros)
  at = putText(out, putKey(out, at, keys.source), record.source)
  at = putText(out, putKey(out, at, keys.node), record.node)
  at = putText(out, putKey(out, at, keys.transport), record.transport)
  at = putHostPort(out, putKey(out, at, keys.src), record.src)
  at = putHostPort(out, putKey(out, at, keys.dst), record.dst)
  at = putText(out, putKey(out, at, keys.direction), record.direction)
  const [first] = frames
  const offset = first === undefined ? -1 : offsetIn(first.bytes, payload)
  if (offset < 0) at = putBytes(out, putKey(out, at, keys.payload), payload)
  else {
    at = putArrayHead(out, putKey(out, at, keys.payloadAt), 2)
    at = putNumber(out, at, offset)
    at = putNumber(out, at, payload.length)
  }
  if (frames.length > 0) {
    at = putArrayHead(out, putKey(out, at, keys.frames), frames.length)
    for (const frame of frames) at = putFrame(out, at, frame)
  }
  if (copies !== 1) at = putNumber(out, putKey(out, at, keys.copies), copies)
  if (channel !== undefined) at = putText(out, putKey(out, at, keys.channel), channel)
  if (notes.length > 0) {
    at = putArrayHead(out, putKey(out, at, keys.notes), notes.length)
    for (const note of notes) at = putText(out, at, note)
  }
  return at
}

/** Where the payload begins in the frame whose memory it is a view of, or -1. Equal bytes elsewhere do not count. */
function offsetIn(frame: Uint8Array, payload: Uint8Array): number {
  if (payload.buffer !== frame.buffer) return -1
  const offset = payload.byteOffset - frame.byteOffset
  return offset >= 0 && offset + payload.length <= frame.length ? offset : -1
}

function putFrame(out: Buffer, start: number, frame: Frame): number {
  const { linkType, atMicros, nanos, bytes, originalLength, interfaceName } = frame
  let at = putMapHead(out, start, 4 + (nanos === 0 ? 0 : 1) + (interfaceName === undefined ? 0 : 1))
  at = putNumber(out, putKey(out, at, keys.linkType), linkType)
  at = putNumber(out, putKey(out, at, keys.atMicros), atMicros)
  if (nanos !== 0) at = putNumber(out, putKey(out, at, keys.nanos), nanos)
  at = putBytes(out, putKey(out, at, keys.bytes), bytes)
  at = putNumber(out, putKey(out, at, keys.originalLength), originalLength)
  if (interfaceName !== undefined) at = putText(out, putKey(out, at, keys.interfaceName), interfaceName)
  return at
}

function putHostPort(out: Buffer, start: number, { address, port }: HostPort): number {
  const at = putText(out, putKey(out, putMapHead(out, start, 2), keys.address), address)
  return putNumber(out, putKey(out, at, keys.port), port)
}

// Each of these writes at an offset and answers the one behind. A byte at a time: for the few bytes of a name a native call
// costs more.

function putKey(out: Buffer, at: number, name: Uint8Array): number {
  for (let index = 0; index < name.length; index += 1) out[at + index] = name[index] ?? 0
  return at + name.length
}

/** At most 16 members: a fixmap, or a map 16. */
function putMapHead(out: Buffer, at: number, members: number): number {
  if (members < 16) {
    out[at] = 0x80 | members
    return at + 1
  }
  out[at] = 0xde
  out[at + 1] = 0
  out[at + 2] = members
  return at + 3
}

function putArrayHead(out: Buffer, at: number, length: number): number {
  if (length < 16) {
    out[at] = 0x90 | length
    return at + 1
  }
  out[at] = 0xdd
  return putSize(out, at + 1, length)
}

/** Whole numbers of 32 bits as they are, others as a double, which holds every whole number of JavaScript. */
function putNumber(out: Buffer, at: number, value: number): number {
  if (value >>> 0 !== value) {
    out[at] = 0xcb
    return out.writeDoubleBE(value, at + 1)
  }
  if (value < 0x80) {
    out[at] = value
    return at + 1
  }
  out[at] = 0xce
  return putSize(out, at + 1, value)
}

function putText(out: Buffer, at: number, text: string): number {
  const { length } = text
  if (length > 0xff) return putLongText(out, at, text)
  let from = at + 1
  if (length < 0x20) out[at] = 0xa0 | length
  else {
    out[at] = 0xd9
    out[at + 1] = length
    from = at + 2
  }
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) return putLongText(out, at, text)
    out[from + index] = code
  }
  return from + length
}

function putLongText(out: Buffer, at: number, text: string): number {
  out[at] = 0xdb
  const size = out.write(text, at + 5)
  return putSize(out, at + 1, size) + size
}

function putBytes(out: Buffer, at: number, bytes: Uint8Array): number {
  out[at] = 0xc6
  const from = putSize(out, at + 1, bytes.length)
  out.set(bytes, from)
  return from + bytes.length
}

/** A length in four bytes, whatever it is: MessagePack does not ask for the shortest form. */
function putSize(out: Buffer, at: number, size: number): number {
  out[at] = size >>> 24
  out[at + 1] = size >>> 16
  out[at + 2] = size >>> 8
  out[at + 3] = size
  return at + 4
}
