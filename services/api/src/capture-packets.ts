import { randomBytes } from 'node:crypto'
import { buildTcpFrame, buildUdpFrame } from '@sip-capture/pcap/build.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import type { Frame, SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { ipPacketStart } from '@sip-capture/pcap/decode.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createMasker } from '@sip-capture/pcap/mask.ts'
import { MessageView } from './ingest/message-row.ts'

/** What one IP packet surely holds, whatever its headers. */
const maxDatagramBytes = 65_000
const defaultSipPort = 5060

/** What packets are made of. */
export type PacketSource = Pick<
  SipRecord,
  'atMicros' | 'nanos' | 'precisionMicros' | 'source' | 'transport' | 'src' | 'dst' | 'payload' | 'frames'
>

/** A frame of a capture file with the message that it holds, or a part of it; `comment` `''`: none. */
export interface CommentedPacket<M extends PacketSource = PacketSource> {
  readonly packet: CapturedPacket
  readonly comment: string
  readonly message: M
}

export type ToPackets = <M extends PacketSource>(message: M) => CommentedPacket<M>[]

/** A message as the wire had it where it was seen there, else in a frame built for it. */
function toPackets<M extends PacketSource>(message: M): CommentedPacket<M>[] {
  const { frames } = message
  return frames.length > 0 ? toCaptured(message, frames) : toBuilt(message)
}

export function compareStamps(a: CommentedPacket, b: CommentedPacket): number {
  return a.packet.atMicros - b.packet.atMicros || a.packet.nanos - b.packet.nanos
}

const maxRecentFrames = 4_096
/** Frames that share a stamp and a length; more are only in captures without a clock. */
const maxLookalikes = 8

/** Two messages may come in one frame (a TCP segment holds several): the file has it once. Give frames to it in order. */
export class FrameOnce {
  #recent = new Map<number, Lookalikes>()
  #before = new Map<number, Lookalikes>()

  /** False for a frame that was given before. Built frames are never copies. */
  isNew({ packet, comment }: CommentedPacket): boolean {
    if (comment !== '') return true
    // What differs in the key is no copy; what shares it is compared.
    const key = packet.atMicros + packet.nanos * 0x1_0000_0000 + packet.bytes.length * 0x1_0001
    const lookalikes = this.#recent.get(key)
    if (isAmong(lookalikes, packet) || isAmong(this.#before.get(key), packet)) return false
    this.#recent.set(key, lookalikes ? [...toList(lookalikes), packet].slice(-maxLookalikes) : packet)
    if (this.#recent.size >= maxRecentFrames) {
      this.#before = this.#recent
      this.#recent = new Map()
    }
    return true
  }
}

/** One alone has no list of its own: it nearly always is. */
type Lookalikes = CapturedPacket | readonly CapturedPacket[]

const toList = (lookalikes: Lookalikes): readonly CapturedPacket[] =>
  'bytes' in lookalikes ? [lookalikes] : lookalikes

function isAmong(lookalikes: Lookalikes | undefined, packet: CapturedPacket): boolean {
  if (lookalikes === undefined) return false
  return toList(lookalikes).some((other) => isSameFrame(other, packet))
}

function isSameFrame(a: CapturedPacket, b: CapturedPacket): boolean {
  return (
    a.atMicros === b.atMicros &&
    a.nanos === b.nanos &&
    a.linkType === b.linkType &&
    a.interfaceName === b.interfaceName &&
    Buffer.compare(a.bytes, b.bytes) === 0
  )
}

function toCaptured<M extends PacketSource>(message: M, frames: readonly Frame[]): CommentedPacket<M>[] {
  return frames.map((frame) => ({ packet: toPacket(frame), comment: '', message }))
}

/** Field by field: this runs for every frame of an export, and spreading costs more than all else. */
function toPacket({
  linkType,
  atMicros,
  nanos,
  bytes,
  originalLength,
  interfaceName = '',
}: Frame): CapturedPacket {
  return { linkType, atMicros, nanos, bytes, originalLength, interfaceName }
}

function toBuilt<M extends PacketSource>(record: M): CommentedPacket<M>[] {
  const { payload, source } = record
  const origin = source.startsWith('ami-')
    ? `came from Asterisk (${source}), not from the wire`
    : 'had no frame'
  const notes = [`Frame built by SIP Capture: the message ${origin}`]
  if (source === 'ami-history')
    notes.push('its text was printed again by Asterisk and may differ from what was sent')
  if (record.precisionMicros > 1) notes.push(`its time is exact to ${record.precisionMicros / 1_000_000} s`)
  if (record.transport !== 'UDP') notes.push(`it was sent over ${record.transport}`)
  if (record.src.port === 0 || record.dst.port === 0) notes.push('port 5060 stands for one that is not known')
  const ends = endsOf(record)
  const frames: Uint8Array[] = []
  if (payload.length <= maxDatagramBytes) frames.push(buildUdpFrame({ ...ends, payload }))
  else
    for (let at = 0; at < payload.length; at += maxDatagramBytes)
      frames.push(
        buildTcpFrame({ ...ends, payload: payload.subarray(at, at + maxDatagramBytes), sequence: 1 + at }),
      )
  return frames.map((bytes) => toRawPacket(record, bytes, `${notes.join('; ')}.`))
}

function endsOf({ src, dst }: PacketSource) {
  return {
    src: { address: src.address, port: src.port || defaultSipPort },
    dst: { address: dst.address, port: dst.port || defaultSipPort },
  }
}

function toRawPacket<M extends PacketSource>(
  record: M,
  bytes: Uint8Array,
  comment: string,
): CommentedPacket<M> {
  const { atMicros, nanos, source } = record
  const { raw: linkType } = linkTypes
  return {
    packet: { linkType, atMicros, nanos, bytes, originalLength: bytes.length, interfaceName: source },
    comment,
    message: record,
  }
}

/** What a file shows of messages. */
export interface MessageShown {
  readonly toPackets: ToPackets
  /** What comments may speak of. */
  toView(view: MessageView): MessageView
}

const unmasked: MessageShown = { toPackets, toView: (view) => view }

/**
 * All there is, or with `mask` pseudonyms that hold for this one file: the secret is thrown away with the answer. Masked
 * frames are built afresh, since what is around a message (MAC addresses, tunnels, other segments) may tell as much as it.
 */
export function createMessageShown(mask: boolean): MessageShown {
  if (!mask) return unmasked
  const masker = createMasker({ secret: randomBytes(32) })
  const maskHost = ({ address, port }: SipRecord['src']) => ({ address: masker.maskAddress(address), port })
  return {
    toPackets: (record) =>
      masker
        .buildMaskedFrames({ ...endsOf(record), payload: record.payload })
        .map((bytes) => toRawPacket(record, bytes, maskedComment)),
    toView({ record, naming }) {
      const { channel: _channel, ...rest } = record
      // Addresses before the text, which may name them where only a known address is seen to be one.
      const [src, dst] = [maskHost(record.src), maskHost(record.dst)]
      const payload = Buffer.from(masker.maskMessage(record.payload))
      return new MessageView(
        { ...rest, src, dst, payload, frames: [] },
        { direction: naming.direction, srcName: '', dstName: '', trunk: '', capture: '' },
      )
    },
  }
}

/** Comments on one packet, `''` for none, in one text. */
export function joinComments(...comments: readonly string[]): string {
  return comments.filter((comment) => comment !== '').join('\n')
}

const maskedComment =
  'Masked by SIP Capture: numbers, names, addresses and Call-IDs are pseudonyms, digests and keys are removed.'

/** What a file of plain IP packets holds of a frame. */
export function toRawIp(packet: CapturedPacket): CapturedPacket {
  const start = Math.max(0, ipPacketStart(packet.linkType, packet.bytes))
  return {
    ...packet,
    linkType: linkTypes.raw,
    bytes: packet.bytes.subarray(start),
    originalLength: packet.originalLength - start,
  }
}
