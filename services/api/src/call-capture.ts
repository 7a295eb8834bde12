import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapWriter } from '@sip-capture/pcap/pcap.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { mergeSightings } from '@sip-capture/sip/sightings.ts'
import { describeCall, maxJudgedMessages } from './call-comment.ts'
import {
  compareStamps,
  createMessageShown,
  FrameOnce,
  joinComments,
  toRawIp,
  type CommentedPacket,
  type ToPackets,
} from './capture-packets.ts'
import { toObservedMessage, type MessageView } from './ingest/message-row.ts'

export type CaptureFormat = 'pcapng' | 'pcap'

/**
 * The messages of a call as a capture file, each real message once: as the wire had it where it was seen there, else in a
 * frame built for it. Streamed: a block at a time.
 */
export function createCallCapture(
  views: readonly MessageView[],
  options: { format: CaptureFormat; mask: boolean; truncated: boolean },
): Readable {
  const { format, mask, truncated } = options
  const shown = createMessageShown(mask)
  const packets = toCallPackets(views, shown.toPackets)
  if (format === 'pcap') return Readable.from(toPcap(packets), { objectMode: false })
  const comment = truncated ? 'The call has more messages than were written to this file.' : undefined
  const call = describeCall(
    views.slice(0, maxJudgedMessages + 1).map((view) => shown.toView(view)),
    nowMicros(),
  )
  return Readable.from(toPcapng(packets, { comment, call }), { objectMode: false })
}

/** A name of our own making: a Call-ID may hold anything. */
export function callFileName(id: string, views: readonly MessageView[], format: CaptureFormat): string {
  const time = toRfc3339(views[0]?.record.atMicros ?? 0)
    .slice(0, 19)
    .replaceAll(/[-:]/g, '')
  return `sip-call-${time}Z-${createHash('sha256').update(id).digest('hex').slice(0, 8)}.${format}`
}

function toCallPackets(views: readonly MessageView[], toPackets: ToPackets): CommentedPacket[] {
  const byId = new Map(views.map((view) => [view.record.id, view]))
  const observed = views.map(toObservedMessage).filter((message) => message !== undefined)
  const packets: CommentedPacket[] = []
  for (const sighting of mergeSightings(observed)) {
    const best = sighting.all
      .map(({ id }) => byId.get(id))
      .find((view) => view !== undefined && view.record.frames.length > 0)
    const view = best ?? byId.get(sighting.id)
    if (view) packets.push(...toPackets(view.record))
  }
  const once = new FrameOnce()
  return packets.toSorted(compareStamps).filter((packet) => once.isNew(packet))
}

/** `comment` is about the file, `call` goes to the first packet. */
function* toPcapng(
  packets: readonly CommentedPacket[],
  { comment, call }: { comment: string | undefined; call: string },
): Generator<Uint8Array> {
  const writer = createPcapngWriter({
    application: 'SIP Capture',
    ...(comment === undefined ? {} : { comment }),
  })
  yield writer.header
  for (const [index, { packet, comment }] of packets.entries())
    yield writer.packet(packet, index === 0 ? joinComments(call, comment) : comment)
}

/** A pcap file has one link type: that of all frames, else plain IP, with what was before the IP header left out. */
function* toPcap(packets: readonly CommentedPacket[]): Generator<Uint8Array> {
  const types = new Set(packets.map(({ packet }) => packet.linkType))
  const [only] = types
  const linkType = types.size === 1 && only !== undefined ? only : linkTypes.raw
  const writer = createPcapWriter({ linkType })
  yield writer.header
  for (const { packet } of packets)
    yield writer.packet(packet.linkType === linkType ? packet : toRawIp(packet))
}
