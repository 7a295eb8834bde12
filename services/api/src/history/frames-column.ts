import type { Frame } from '@sip-capture/contract/bus/sip-record.ts'

/**
 * Frames in the `frames` column. Most frames are headers + the payload, which is stored already: such a frame keeps only
 * what is around it (42 bytes for Ethernet/IPv4/UDP instead of 600), and comes back byte for byte.
 */
interface StoredFrame {
  /** link type */
  l: number
  /** epoch microseconds; without it the stamp is the record's, nanoseconds as well */
  t?: number
  /** nanoseconds below */
  n?: number
  /** original length, where it is not the length of the bytes */
  o?: number
  /** interface */
  i?: string
  /** whole bytes, base64; or … */
  b?: string
  /** … before the payload and after it, base64 */
  h?: string
  e?: string
}

interface Stamp {
  readonly atMicros: number
  readonly nanos: number
}

export function encodeFrames(frames: readonly Frame[], payload: Uint8Array, record: Stamp): string {
  if (frames.length === 0) return ''
  return JSON.stringify(frames.map((frame) => encodeFrame(frame, payload, record)))
}

function encodeFrame(frame: Frame, payload: Uint8Array, record: Stamp): StoredFrame {
  const bytes = Buffer.from(frame.bytes.buffer, frame.bytes.byteOffset, frame.bytes.byteLength)
  const at = payload.length > 0 && bytes.length >= payload.length ? bytes.indexOf(payload) : -1
  return {
    l: frame.linkType,
    ...(frame.atMicros === record.atMicros && frame.nanos === record.nanos
      ? {}
      : { t: frame.atMicros, ...(frame.nanos === 0 ? {} : { n: frame.nanos }) }),
    ...(frame.originalLength === bytes.length ? {} : { o: frame.originalLength }),
    ...(frame.interfaceName === undefined ? {} : { i: frame.interfaceName }),
    ...(at === -1
      ? { b: bytes.toString('base64') }
      : {
          h: bytes.subarray(0, at).toString('base64'),
          ...(at + payload.length === bytes.length
            ? {}
            : { e: bytes.subarray(at + payload.length).toString('base64') }),
        }),
  }
}

/** `encoded` must come from `encodeFrames` with the same payload and record. */
export function decodeFrames(encoded: string, payload: Uint8Array, record: Stamp): Frame[] {
  if (encoded === '') return []
  return parseFrames(encoded).map((stored) => {
    const bytes = toBytes(stored, payload)
    const isOfRecord = stored.t === undefined
    const frame: Frame = {
      linkType: stored.l,
      atMicros: stored.t ?? record.atMicros,
      nanos: isOfRecord ? record.nanos : (stored.n ?? 0),
      originalLength: stored.o ?? bytes.length,
      bytes,
    }
    if (stored.i !== undefined) frame.interfaceName = stored.i
    return frame
  })
}

/** What is before the head of a lone frame is the same for all frames of an interface: parsed once, it is asked again. */
const headKey = '"h":"'
const headEnd = '"}]'
const maxLeads = 256
const maxLeadLength = 512
const leads = new Map<string, StoredFrame>()

function parseFrames(encoded: string): StoredFrame[] {
  const at = encoded.indexOf(headKey)
  const headAt = at + headKey.length
  const endAt = encoded.length - headEnd.length
  // A name of an interface cannot hold an unescaped quote, and base64 needs no escapes.
  const isLone = at !== -1 && at < maxLeadLength && encoded.indexOf('"', headAt) === endAt
  const lead = isLone ? leadOf(encoded.slice(0, at)) : undefined
  return lead ? [{ ...lead, h: encoded.slice(headAt, endAt) }] : (JSON.parse(encoded) as StoredFrame[])
}

/** Undefined where other frames come before, or a stamp of its own. */
function leadOf(text: string): StoredFrame | undefined {
  const known = leads.get(text)
  if (known) return known
  const frames = JSON.parse(`${text}${headKey}${headEnd}`) as StoredFrame[]
  const [lead] = frames
  if (!lead || frames.length > 1 || lead.t !== undefined) return undefined
  if (leads.size >= maxLeads) leads.clear()
  leads.set(text, lead)
  return lead
}

function toBytes({ b, h = '', e = '' }: StoredFrame, payload: Uint8Array): Buffer<ArrayBuffer> {
  if (b !== undefined) return Buffer.from(b, 'base64')
  const headBytes = Buffer.byteLength(h, 'base64')
  const bytes = allocate(headBytes + payload.length + Buffer.byteLength(e, 'base64'))
  bytes.write(h, 0, 'base64')
  bytes.set(payload, headBytes)
  if (e !== '') bytes.write(e, headBytes + payload.length, 'base64')
  return bytes
}

/** Frames come by the thousand: a piece of a larger buffer each costs a fraction of a buffer each. */
const slabBytes = 256 * 1024
let slab = Buffer.alloc(0)
let slabUsed = 0

function allocate(size: number): Buffer<ArrayBuffer> {
  if (size > slabBytes / 8) return Buffer.allocUnsafeSlow(size)
  if (slabUsed + size > slab.length) {
    slab = Buffer.allocUnsafeSlow(slabBytes)
    slabUsed = 0
  }
  slabUsed += size
  return slab.subarray(slabUsed - size, slabUsed)
}
