import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { encodeRecords } from '@sip-capture/contract/codec.ts'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { ByteBuffer } from '@sip-capture/pcap/byte-buffer.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { Pipeline } from './pipeline.ts'

const rounds = 40
const messagesInRound = 100
const batchItems = 50
/** Of the size that real ones have: Node compiles small whole numbers another way. */
const startMicros = 1_800_000_000_000_000
const microsApart = 100
const src = { address: '192.0.2.1', port: 5060 }
const dst = { address: '192.0.2.2', port: 5060 }

/**
 * Takes frames of our own making the way of captured ones and forgets what comes out. Code that has never run costs four times
 * as much a message as code that Node has compiled: a burst right after the start would overrun the kernel's buffer meanwhile.
 * Answers how many messages came out.
 */
export function warmUp(): number {
  let published = 0
  let batch: SipRecord[] = []
  const pipeline = new Pipeline({
    node: '',
    isSipPort: (port) => port === src.port,
    ownAddresses: () => ({ exact: new Set(), addresses: new Set([dst.address]) }),
    isLive: true,
    publish(record) {
      published += 1
      batch.push(record)
      if (batch.length < batchItems) return
      encodeRecords(batch)
      batch = []
    },
  })
  const payload = new TextEncoder().encode(
    [
      'OPTIONS sip:warm-up@192.0.2.2 SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKwarm-up',
      'Max-Forwards: 70',
      'From: <sip:warm-up@192.0.2.1>;tag=warm-up',
      'To: <sip:warm-up@192.0.2.2>',
      'Call-ID: warm-up@192.0.2.1',
      'CSeq: 1 OPTIONS',
      'Content-Type: text/plain',
      'Content-Length: 7',
      '',
      'warm-up',
    ].join('\r\n'),
  )
  for (let round = 0; round < rounds; round += 1) {
    const writer = createPcapngWriter({ application: '' })
    const file = new ByteBuffer()
    file.append(writer.header)
    for (let index = 0; index < messagesInRound; index += 1) {
      const count = round * messagesInRound + index
      writer.append(file, {
        linkType: linkTypes.ethernet,
        atMicros: startMicros + count * microsApart,
        nanos: count % 1000,
        // Another IP id, or it would be a copy of the one before.
        bytes: buildUdpFrame({ linkType: linkTypes.ethernet, src, dst, payload, ipId: (count % 0xffff) + 1 }),
        originalLength: payload.length,
        interfaceName: 'lo',
      })
    }
    pipeline.restart()
    pipeline.push(file.view())
  }
  return published
}
