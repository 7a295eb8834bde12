import { createHash } from 'node:crypto'
import { createRecordId } from '@sip-capture/contract/bus/record-id.ts'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'

/** Messages of one dialog: INVITE challenged, answered, re-INVITE, BYE. */
export const messagesPerDialog = 13

export interface Traffic {
  readonly messages: number
  readonly seed: number
  readonly startMicros: number
  /** Over which the dialogs begin, evenly spread with some jitter. */
  readonly spanMicros: number
}

interface Side {
  readonly address: string
  readonly port: number
  readonly mac: readonly number[]
}

const pbx: Side = { address: '192.0.2.10', port: 5060, mac: [2, 0, 0, 0, 0, 1] }
const second = 1_000_000
const encoder = new TextEncoder()

/** The same dialogs for the same seed, message by message in order of time, as the capture sidecar publishes them. */
export function* generateRecords(traffic: Traffic): Generator<SipRecord> {
  const random = createRandom(traffic.seed)
  const dialogs = Math.ceil(traffic.messages / messagesPerDialog)
  const waiting = new TimeQueue()
  let given = 0
  for (let n = 0; n < dialogs; n++) {
    const startMicros = traffic.startMicros + Math.floor(((n + random()) * traffic.spanMicros) / dialogs)
    for (const message of dialogMessages(n, startMicros, random)) waiting.push(message)
    // Nothing that begins later can come before this.
    const settled = traffic.startMicros + Math.floor(((n + 1) * traffic.spanMicros) / dialogs)
    for (const message of waiting.takeUntil(n === dialogs - 1 ? Infinity : settled)) {
      if (given === traffic.messages) return
      given += 1
      yield toRecord(message)
    }
  }
}

interface TimedMessage {
  readonly atMicros: number
  readonly text: string
  readonly src: Side
  readonly dst: Side
  readonly ipId: number
  readonly nanos: number
}

function dialogMessages(n: number, startMicros: number, random: () => number): TimedMessage[] {
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('')
  const number = (): string => String(4_420_000_000_000 + Math.floor(random() * 9_999_999_999))
  const trunk = 20 + Math.floor(random() * 40)
  const peer: Side = {
    address: `198.51.100.${trunk}`,
    port: 5060,
    mac: [2, 0, 0, 0, 1, trunk],
  }
  const [from, to] = [number(), number()]
  const callId = `${hex(8)}-${hex(4)}-${hex(4)}-${hex(12)}@${peer.address}`
  const [fromTag, toTag] = [`as${hex(8)}`, hex(16)]
  const rtpPort = 10_000 + 2 * Math.floor(random() * 5_000)
  const body = [
    'v=0',
    `o=- ${1_000_000_000 + n} 1 IN IP4 ${peer.address}`,
    's=Asterisk',
    `c=IN IP4 ${peer.address}`,
    't=0 0',
    `m=audio ${rtpPort} RTP/AVP 8 0 101`,
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=ptime:20',
    'a=sendrecv',
    '',
  ].join('\r\n')
  const messages: TimedMessage[] = []
  let atMicros = startMicros
  const add = (parts: {
    after: number
    isFromPeer: boolean
    start: string
    cseq: string
    branch: string
    extra?: readonly string[]
    hasBody?: boolean
    hasToTag?: boolean
  }): void => {
    const { isFromPeer, start, cseq, branch, extra = [], hasBody = false, hasToTag = true } = parts
    atMicros += Math.max(1, Math.floor(parts.after * (0.5 + random())))
    const content = hasBody ? body : ''
    const text = [
      start,
      `Via: SIP/2.0/UDP ${peer.address}:${peer.port};rport;branch=${branch}`,
      `From: "Caller ${from.slice(-4)}" <sip:${from}@${peer.address}>;tag=${fromTag}`,
      `To: <sip:${to}@${pbx.address}>${hasToTag ? `;tag=${toTag}` : ''}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq}`,
      `User-Agent: ${isFromPeer ? 'Asterisk PBX 22.6.0' : 'FPBX-17.0.2(22.6.0)'}`,
      'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, REFER',
      ...extra,
      ...(hasBody ? ['Content-Type: application/sdp'] : []),
      `Content-Length: ${content.length}`,
      '',
      content,
    ].join('\r\n')
    const [src, dst] = isFromPeer ? [peer, pbx] : [pbx, peer]
    messages.push({
      atMicros,
      text,
      src,
      dst,
      ipId: Math.floor(random() * 65_536),
      nanos: Math.floor(random() * 1_000),
    })
  }
  const contact = `Contact: <sip:${from}@${peer.address}:${peer.port}>`
  const uri = `sip:${to}@${pbx.address}`
  const branch = (): string => `z9hG4bK${hex(16)}`
  const invite = `INVITE ${uri} SIP/2.0`
  let via = branch()
  const milli = 1_000
  add({
    after: 1,
    isFromPeer: true,
    start: invite,
    cseq: '1 INVITE',
    branch: via,
    hasBody: true,
    hasToTag: false,
    extra: [contact, 'Max-Forwards: 70'],
  })
  add({
    after: 2 * milli,
    isFromPeer: false,
    start: 'SIP/2.0 401 Unauthorized',
    cseq: '1 INVITE',
    branch: via,
    extra: [`WWW-Authenticate: Digest realm="asterisk",nonce="${hex(32)}",algorithm=MD5,qop="auth"`],
  })
  add({
    after: 2 * milli,
    isFromPeer: true,
    start: `ACK ${uri} SIP/2.0`,
    cseq: '1 ACK',
    branch: via,
    extra: ['Max-Forwards: 70'],
  })
  via = branch()
  add({
    after: milli,
    isFromPeer: true,
    start: invite,
    cseq: '2 INVITE',
    branch: via,
    hasBody: true,
    hasToTag: false,
    extra: [
      contact,
      'Max-Forwards: 70',
      `Authorization: Digest username="${from}",realm="asterisk",nonce="${hex(32)}",uri="${uri}",response="${hex(32)}",algorithm=MD5,cnonce="${hex(16)}",qop=auth,nc=00000001`,
    ],
  })
  add({
    after: 3 * milli,
    isFromPeer: false,
    start: 'SIP/2.0 100 Trying',
    cseq: '2 INVITE',
    branch: via,
    hasToTag: false,
  })
  add({
    after: 800 * milli,
    isFromPeer: false,
    start: 'SIP/2.0 180 Ringing',
    cseq: '2 INVITE',
    branch: via,
    extra: [contact],
  })
  add({
    after: 6 * second,
    isFromPeer: false,
    start: 'SIP/2.0 200 OK',
    cseq: '2 INVITE',
    branch: via,
    hasBody: true,
    extra: [contact],
  })
  via = branch()
  add({
    after: 20 * milli,
    isFromPeer: true,
    start: `ACK ${uri} SIP/2.0`,
    cseq: '2 ACK',
    branch: via,
    extra: ['Max-Forwards: 70'],
  })
  via = branch()
  add({
    after: 30 * second,
    isFromPeer: true,
    start: invite,
    cseq: '3 INVITE',
    branch: via,
    hasBody: true,
    extra: [contact, 'Max-Forwards: 70'],
  })
  add({
    after: 10 * milli,
    isFromPeer: false,
    start: 'SIP/2.0 200 OK',
    cseq: '3 INVITE',
    branch: via,
    hasBody: true,
    extra: [contact],
  })
  via = branch()
  add({
    after: 20 * milli,
    isFromPeer: true,
    start: `ACK ${uri} SIP/2.0`,
    cseq: '3 ACK',
    branch: via,
    extra: ['Max-Forwards: 70'],
  })
  via = branch()
  add({
    after: 45 * second,
    isFromPeer: true,
    start: `BYE ${uri} SIP/2.0`,
    cseq: '4 BYE',
    branch: via,
    extra: ['Max-Forwards: 70'],
  })
  add({ after: 5 * milli, isFromPeer: false, start: 'SIP/2.0 200 OK', cseq: '4 BYE', branch: via })
  return messages
}

function toRecord({ atMicros, nanos, text, src, dst, ipId }: TimedMessage): SipRecord {
  const payload = encoder.encode(text)
  const bytes = Buffer.from(buildUdpFrame({ linkType: linkTypes.ethernet, src, dst, payload, ipId }))
  bytes.set(dst.mac, 0)
  bytes.set(src.mac, 6)
  const digest = createHash('sha256').update(`${atMicros} ${nanos} ${ipId} `).update(payload).digest('hex')
  return {
    v: 1,
    id: createRecordId(atMicros, digest),
    atMicros,
    nanos,
    precisionMicros: 1,
    source: 'wire',
    node: 'bench',
    transport: 'UDP',
    src: { address: src.address, port: src.port },
    dst: { address: dst.address, port: dst.port },
    direction: src === pbx ? 'out' : 'in',
    payload,
    frames: [
      {
        linkType: linkTypes.ethernet,
        atMicros,
        nanos,
        bytes,
        originalLength: bytes.length,
        interfaceName: 'eth0',
      },
    ],
    copies: 1,
    notes: [],
  }
}

/** Binary heap by time. */
class TimeQueue {
  readonly #heap: TimedMessage[] = []

  push(message: TimedMessage): void {
    const heap = this.#heap
    let at = heap.push(message) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      if (timeOf(heap[up]) <= message.atMicros) break
      this.#swap(at, up)
      at = up
    }
  }

  *takeUntil(micros: number): Generator<TimedMessage> {
    for (let first = this.#heap[0]; first && first.atMicros < micros; first = this.#heap[0]) {
      this.#removeFirst()
      yield first
    }
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (heap.length === 0 || !last) return
    heap[0] = last
    for (let at = 0; ;) {
      const left = 2 * at + 1
      const least = timeOf(heap[left + 1]) < timeOf(heap[left]) ? left + 1 : left
      if (timeOf(heap[least]) >= last.atMicros) return
      this.#swap(at, least)
      at = least
    }
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (one && other) [this.#heap[a], this.#heap[b]] = [other, one]
  }
}

const timeOf = (message: TimedMessage | undefined): number => message?.atMicros ?? Infinity

/** Mulberry32: small, and the same everywhere for one seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
