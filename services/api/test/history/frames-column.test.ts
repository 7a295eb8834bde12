import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import t from 'tap'
import { decodeFrames } from '../../src/history/frames-column.ts'
import { packFrames } from '../message-view.ts'

const stamp = { atMicros: 1_795_391_929_000_000, nanos: 0 }
const payload = Buffer.from('OPTIONS sip:pbx SIP/2.0\r\nCall-ID: 1\r\n\r\n')
const ends = { src: { address: '192.0.2.10', port: 5060 }, dst: { address: '192.0.2.20', port: 5080 } }
const ethernetBytes = 14

const frameOf = (bytes: Uint8Array, linkType: number = linkTypes.ethernet) => ({
  ...stamp,
  linkType,
  originalLength: bytes.length,
  bytes: Uint8Array.from(bytes),
})

function roundTrip(bytes: Uint8Array, linkType?: number): { kept: number; came: Buffer | undefined } {
  const encoded = Buffer.from(packFrames([frameOf(bytes, linkType)], payload, stamp))
  const [frame] = decodeFrames(
    { bytes: encoded, from: 0, to: encoded.length },
    { bytes: payload, from: 0, to: payload.length },
    stamp,
  )
  return { kept: encoded.length, came: frame && Buffer.from(frame.bytes) }
}

t.test('a datagram is kept without what can be worked out again, and comes back whole', async (t) => {
  for (const [linkType, around] of [
    [linkTypes.ethernet, ethernetBytes],
    [linkTypes.raw, 0],
  ] as const)
    for (const ipId of [0, 1, 0xffff]) {
      const bytes = Buffer.from(buildUdpFrame({ ...ends, linkType, payload, ipId }))
      const { kept, came } = roundTrip(bytes, linkType)
      t.same(came, bytes)
      // Marks, link type, a length; six bytes of lengths and checksum are left out.
      t.equal(kept, 3 + around + 28 - 6)
    }
})

t.test('whatever is wrong in a head stays as it was', async (t) => {
  const whole = Buffer.from(buildUdpFrame({ ...ends, linkType: linkTypes.ethernet, payload }))
  for (let at = 0; at < ethernetBytes + 28; at++)
    for (const change of [1, 0x80, 0xff]) {
      const bytes = Buffer.from(whole)
      bytes[at] = (bytes[at] ?? 0) ^ change
      t.same(roundTrip(bytes).came, bytes, `byte ${at} ^ ${change}`)
    }
})

t.test('other frames are kept as they are', async (t) => {
  const whole = Buffer.from(buildUdpFrame({ ...ends, linkType: linkTypes.ethernet, payload }))
  const six = { src: { address: '2001:db8::1', port: 5060 }, dst: { address: '2001:db8::2', port: 5060 } }
  for (const bytes of [
    Buffer.from(buildUdpFrame({ ...six, linkType: linkTypes.ethernet, payload })),
    Buffer.concat([whole, Buffer.from([0, 0])]),
    whole.subarray(0, -1),
    whole.subarray(ethernetBytes + 1),
    whole.subarray(ethernetBytes + 20),
    payload,
    Buffer.alloc(0),
  ])
    t.same(roundTrip(bytes).came, bytes)
})
