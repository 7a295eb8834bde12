import t from 'tap'
import { createPcapReader } from '@sip-capture/pcap/pcap.ts'
import { ByteBuffer } from '@sip-capture/pcap/byte-buffer.ts'
import { createPcapngReader } from '@sip-capture/pcap/pcapng.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { createPcapWriter } from '@sip-capture/pcap/pcap.ts'
import type { CapturedPacket } from '@sip-capture/pcap/captured-packet.ts'
import { addedBytes, putEnhancedPackets } from '../src/packet-reader/enhanced-packets.ts'

const linkType = 1
const interfaceName = 'eth0'

/** Of sizes and stamps of each kind: at the turn of a second, of the low half of 64 bits, and after 2038. */
const packets: CapturedPacket[] = [
  0, 1_759_479_342_999_999, 1_796_073_428_874_299, 2_147_483_648_000_001, 4_294_967_295_999_000,
].flatMap((atMicros) =>
  [0, 1, 2, 3, 4, 60_013].map((size, index) => ({
    linkType,
    atMicros: atMicros + index,
    nanos: (index * 199) % 1000,
    bytes: Uint8Array.from({ length: size }, (_, at) => at + index),
    originalLength: size + index,
    interfaceName,
  })),
)

for (const isNano of [true, false])
  t.test(
    `records of ${isNano ? 'nano' : 'micro'}seconds become the blocks that a pcapng reader gives back`,
    async (t) => {
      const pcap = createPcapWriter({ linkType, microseconds: !isNano })
      const records = Buffer.concat(packets.map((packet) => pcap.packet(packet)))
      const writer = createPcapngWriter({ application: 'test' })
      const file = new ByteBuffer()
      file.append(writer.header)
      writer.describe(file, { linkType, interfaceName: 'another' })
      const interfaceId = writer.describe(file, { linkType, interfaceName })
      const start = file.length
      // What was there before must not shine through.
      const room = new Uint8Array(start + records.length + packets.length * addedBytes).fill(0xee)
      room.set(file.view())
      const end = putEnhancedPackets(room, start, records, { interfaceId, isNano })
      t.ok(end <= room.length, 'no more than was told')
      const reader = createPcapngReader()
      const found = reader.push(room.subarray(0, end))
      reader.end()
      t.equal(reader.problem, null)
      t.same(found, isNano ? packets : packets.map((packet) => ({ ...packet, nanos: 0 })))
      const plain = createPcapReader()
      t.same(
        found.map(({ atMicros, nanos }) => [atMicros, nanos]),
        [...plain.push(pcap.header), ...plain.push(records)].map(({ atMicros, nanos }) => [atMicros, nanos]),
      )
    },
  )
