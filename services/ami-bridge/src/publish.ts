import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { toTrafficMessage } from '@sip-capture/contract/bus/traffic-message.ts'
import { encodeRecords } from '@sip-capture/contract/codec.ts'
import type { BusKeys } from '@sip-capture/contract/keys.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { createStreamWriter } from '@sip-capture/service/stream-writer.ts'
import type { Redis } from 'ioredis'

export interface Publisher {
  /** Never blocks, never throws: on the stream and on the live channel in one write. */
  publish(record: SipRecord): void
  /** Resolves when everything so far is on the stream or given up. */
  readonly flush: () => Promise<void>
  close(): Promise<void>
  readonly counters: Readonly<Record<string, number>>
  /** Why nothing durable is written, though live may look healthy; undefined when all is well. */
  readonly problem: string | undefined
}

export function createPublisher(options: { redis: Redis; keys: BusKeys; logger: Logger }): Publisher {
  const { redis, keys, logger } = options
  const log = createStreamWriter<SipRecord>({
    redis,
    key: keys.trafficLog,
    logger,
    sizeOf: (record) => record.payload.length + 400,
    // The bridge shares a host with the PBX: half as many batches cost it a tenth less, and nobody sees the difference.
    busyFlushMillis: 50,
    encode: encodeRecords,
    announce: {
      channel: keys.traffic,
      toText: (record) => JSON.stringify(toTrafficMessage(record)),
    },
  })
  return {
    publish: (record) => log.write(record),
    flush: () => log.flush(),
    close: () => log.close(),
    get counters() {
      const { announced, unannounced, written, dropped, failed, buffered } = log.counters
      return {
        published: announced,
        publish_failed: unannounced,
        written,
        dropped,
        write_failed: failed,
        buffered,
      }
    },
    get problem() {
      return log.problem
    },
  }
}
