import { canonicalAddress } from '../own-addresses.ts'

/**
 * HEPv3: "HEP3", total length (2), then chunks of vendor (2), type (2), length (2, with this head), value.
 * HEPv2: version 2, head length, family, protocol, ports, addresses, seconds, microseconds, capture id (those three in
 * the sender's byte order: little-endian on what runs Asterisk), payload.
 * https://github.com/sipcapture/HEP
 */
export interface HepPacket {
  readonly version: 1 | 2 | 3
  readonly srcAddress: string
  readonly dstAddress: string
  readonly srcPort: number
  readonly dstPort: number
  /** IP protocol: 17 UDP, 6 TCP (also for TLS and WSS), 132 SCTP. */
  readonly ipProtocol: number
  /** Epoch microseconds; 0 where the packet has none. */
  readonly atMicros: number
  /** 1: SIP; 5: RTCP as JSON. */
  readonly protocolType: number
  readonly password: string
  /** Channel name once the dialog has one (`uuid_type=channel`), or the Call-ID. */
  readonly correlationId: string
  readonly payload: Uint8Array<ArrayBuffer>
}

export type HepResult = { ok: true; packet: HepPacket } | { ok: false; problem: string }

const maxChunks = 64
const fail = (problem: string): HepResult => ({ ok: false, problem })

/** Never throws. The payload is a copy: what comes is part of the 64 kB that were reserved for it. */
export function parseHep(bytes: Uint8Array): HepResult {
  const view = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.toString('latin1', 0, 4) === 'HEP3') return parseHep3(view)
  if (view[0] === 1 || view[0] === 2) return parseHep2(view)
  return fail('not HEP')
}

function parseHep3(view: Buffer): HepResult {
  if (view.length < 6) return fail('shorter than the HEP3 head')
  const total = view.readUInt16BE(4)
  if (total > view.length) return fail(`says ${total} bytes, ${view.length} came`)
  let srcAddress = ''
  let dstAddress = ''
  let srcPort = 0
  let dstPort = 0
  let ipProtocol = 0
  let protocolType = 0
  let password = ''
  let correlationId = ''
  let seconds = 0
  let micros = 0
  let payload: Uint8Array<ArrayBuffer> | undefined
  let chunks = 0
  for (let at = 6; at < total; chunks++) {
    if (chunks >= maxChunks) return fail(`more than ${maxChunks} chunks`)
    if (at + 6 > total) return fail('a chunk head is cut off')
    const vendor = view.readUInt16BE(at)
    const type = view.readUInt16BE(at + 2)
    const length = view.readUInt16BE(at + 4)
    if (length < 6 || at + length > total) return fail(`chunk ${type} has a length of ${length}`)
    const from = at + 6
    const size = length - 6
    at += length
    if (vendor !== 0) continue
    // A view of each small value would cost more than all else here.
    const number = size > 0 && size <= 4 ? view.readUIntBE(from, size) : 0
    if (type === 0x02) ipProtocol = number
    else if (type === 0x03 || type === 0x05) srcAddress = addressOf(view, from, size)
    else if (type === 0x04 || type === 0x06) dstAddress = addressOf(view, from, size)
    else if (type === 0x07) srcPort = number & 0xffff
    else if (type === 0x08) dstPort = number & 0xffff
    else if (type === 0x09) seconds = number
    else if (type === 0x0a) micros = number
    else if (type === 0x0b) protocolType = number
    else if (type === 0x0e) password = view.toString('utf8', from, at)
    else if (type === 0x0f) payload = Buffer.from(view.subarray(from, at))
    else if (type === 0x11) correlationId = view.toString('utf8', from, at)
  }
  if (!payload) return fail('no payload')
  if (micros > 999_999) return fail('more than 999999 microseconds')
  const atMicros = seconds * 1_000_000 + micros
  return {
    ok: true,
    packet: {
      version: 3,
      srcAddress,
      dstAddress,
      srcPort,
      dstPort,
      ipProtocol,
      atMicros,
      protocolType,
      password,
      correlationId,
      payload,
    },
  }
}

function parseHep2(view: Buffer): HepResult {
  const version = view[0] === 1 ? 1 : 2
  const headLength = view[1] ?? 0
  const isV6 = view[2] === 10 || view[2] === 30
  if (!isV6 && view[2] !== 2) return fail('not HEP')
  const addressLength = isV6 ? 16 : 4
  const addressesEnd = 8 + 2 * addressLength
  const payloadStart = version === 1 ? headLength : addressesEnd + 12
  if (headLength < addressesEnd || view.length <= payloadStart) return fail('shorter than its HEP head')
  let atMicros = 0
  if (version === 2) {
    const micros = view.readUInt32LE(addressesEnd + 4)
    if (micros > 999_999) return fail('more than 999999 microseconds')
    atMicros = view.readUInt32LE(addressesEnd) * 1_000_000 + micros
  }
  return {
    ok: true,
    packet: {
      version,
      ipProtocol: view[3] ?? 0,
      srcPort: view.readUInt16BE(4),
      dstPort: view.readUInt16BE(6),
      srcAddress: addressOf(view, 8, addressLength),
      dstAddress: addressOf(view, 8 + addressLength, addressLength),
      atMicros,
      protocolType: 1,
      password: '',
      correlationId: '',
      payload: Buffer.from(view.subarray(payloadStart)),
    },
  }
}

/** `''` for what has not the length of an address. */
function addressOf(view: Buffer, from: number, length: number): string {
  if (length === 4) return `${view[from]}.${view[from + 1]}.${view[from + 2]}.${view[from + 3]}`
  if (length !== 16) return ''
  return canonicalAddress((view.toString('hex', from, from + 16).match(/.{4}/g) ?? []).join(':'))
}
