import { createHash } from 'node:crypto'
import { createRecordId } from '@sip-capture/contract/bus/record-id.ts'
import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { type SeenText, SipStory } from '@sip-capture/testing/sip-story.ts'

/** A call with all that is on the bus of it. */
export interface BenchCall {
  readonly callIds: readonly string[]
  readonly records: readonly SipRecord[]
  /** What Asterisk told: which channel has which Call-ID. */
  readonly events: readonly CallEvent[]
}

const node = 'bench'
const pbx = { address: '203.0.113.2', port: 5060 }
const phone = { address: '198.51.100.7', port: 5062 }
const trunk = { address: '192.0.2.200', port: 5060 }
const roundSeconds = 1.7
const encoder = new TextEncoder()

/** Changed again and again by re-INVITEs with SDP, the costliest to draw; through the PBX when there are two legs. */
export function createLongCall(options: {
  name: string
  messages: number
  legs: 1 | 2
  startMicros: number
}): BenchCall {
  const { name, messages, startMicros } = options
  const story = new SipStory(pbx, startMicros)
  const legs = [
    story.leg(`${name}-a`, { user: '1001', host: phone }, { user: '1002', host: pbx }),
    story.leg(`${name}-b`, { user: '1001', host: pbx }, { user: '1002', host: trunk }),
  ].slice(0, options.legs)
  for (let round = 0; story.seen.length < messages; round++) {
    story.at(round * roundSeconds)
    for (const leg of legs)
      leg
        .request('INVITE', {
          cseq: round + 1,
          sdp: { address: leg.caller.host.address, direction: round % 2 === 0 ? 'sendrecv' : 'sendonly' },
        })
        .answer(200, 'OK', 'INVITE', { cseq: round + 1, sdp: { address: leg.callee.host.address } })
        .request('ACK', { cseq: round + 1 })
        .request('INFO', { cseq: round + 100_000 })
        .answer(200, 'OK', 'INFO', { cseq: round + 100_000 })
  }
  return {
    callIds: legs.map(({ callId }) => callId),
    records: story.seen.slice(0, messages).map(toRecord),
    events: legs.map(({ callId }, index) => ({
      v: 1,
      kind: 'leg-linked',
      node,
      atMicros: startMicros,
      channel: `PJSIP/bench-${name}-${index}`,
      uniqueid: `${name}.${index}`,
      linkedid: `${name}.0`,
      callId,
      from: 'getvar',
      reason: '',
    })),
  }
}

/** As the sidecar publishes it. Messages of one moment are a few microseconds apart, as on a wire. */
function toRecord({ text, atMicros, src, dst, direction, transport }: SeenText, index: number): SipRecord {
  const payload = encoder.encode(text)
  const at = atMicros + (index % 16) * 40
  const bytes = Buffer.from(
    buildUdpFrame({ linkType: linkTypes.ethernet, src, dst, payload, ipId: index % 65_536 }),
  )
  return {
    v: 1,
    id: createRecordId(at, createHash('sha256').update(`${at} ${index} `).update(payload).digest('hex')),
    atMicros: at,
    nanos: 0,
    precisionMicros: 1,
    source: 'wire',
    node,
    transport,
    src: { address: src.address, port: src.port },
    dst: { address: dst.address, port: dst.port },
    direction,
    payload,
    frames: [
      {
        linkType: linkTypes.ethernet,
        atMicros: at,
        nanos: 0,
        bytes,
        originalLength: bytes.length,
        interfaceName: 'eth0',
      },
    ],
    copies: 1,
    notes: [],
  }
}
