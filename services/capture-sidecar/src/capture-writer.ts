import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { encodeRecords } from '@sip-capture/contract/codec.ts'
import type { BusKeys } from '@sip-capture/contract/keys.ts'
import { captureShards, shardOfCall } from '@sip-capture/service/capture-shards.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { createRedis, redisAddress } from '@sip-capture/service/redis.ts'
import { createStreamWriter, type StreamCounters } from '@sip-capture/service/stream-writer.ts'
import { parseMessage } from '@sip-capture/sip/message.ts'
import type { Redis } from 'ioredis'
import type { SidecarConfig } from './config.ts'
import { recordBytes } from './record.ts'

/** Of all streams together: what waits while Redis is away. */
const maxBufferedItems = 500_000
const maxBufferedBytes = 64 * 1024 * 1024
/** Programs that hand over each packet by itself cost no more than this many writes. */
const paceMillis = 20

export interface CaptureWriter {
  /** Never blocks, never throws. */
  write(record: SipRecord): void
  /** Resolves when everything written so far is confirmed or dropped. */
  flush(): Promise<void>
  /** Flushes for at most 5 s, then stops. */
  close(): Promise<void>
  /** Of all streams together. */
  readonly counters: StreamCounters
  /** Which Redis does not take what is captured, and why; one sentence. */
  readonly problem: string | undefined
}

/**
 * Puts records on the stream of captured messages, or on one of the streams of CAPTURE_REDIS_URLS: all of a Call-ID on the
 * same, in order. A Redis that is away holds up its own messages alone. `redis`: the one of REDIS_URL.
 */
export function createCaptureWriter(options: {
  config: SidecarConfig
  redis: Redis
  keys: BusKeys
  logger: Logger
}): CaptureWriter {
  const { config, redis, keys, logger } = options
  const setting = 'CAPTURE_REDIS_URLS'
  const shards = captureShards(config, keys).map(({ redisUrl, key }) => ({
    key,
    redis: createRedis({ ...config, REDIS_URL: redisUrl }, { purpose: 'command', logger, setting }),
    name: `Redis at ${redisAddress(redisUrl)} (${setting})`,
  }))
  const streams = shards.length > 0 ? shards : [{ key: keys.capture, redis, name: 'Redis (REDIS_URL)' }]
  const writers = streams.map(({ key, redis: own }) =>
    createStreamWriter<SipRecord>({
      redis: own,
      key,
      logger,
      maxBufferedItems: Math.ceil(maxBufferedItems / streams.length),
      maxBufferedBytes: Math.ceil(maxBufferedBytes / streams.length),
      // Packets come a block of the kernel's at a time.
      paceMillis,
      sizeOf: recordBytes,
      encode: encodeRecords,
    }),
  )

  return {
    write(record) {
      writers[writers.length === 1 ? 0 : shardOfCall(callIdOf(record), writers.length)]?.write(record)
    },
    async flush() {
      await Promise.all(writers.map((writer) => writer.flush()))
    },
    async close() {
      await Promise.all(writers.map((writer) => writer.close()))
      for (const shard of shards) shard.redis.disconnect()
    },
    get counters() {
      return writers.map(({ counters }) => counters).reduce(add)
    },
    get problem() {
      const index = writers.findIndex(({ problem }) => problem !== undefined)
      return index < 0
        ? undefined
        : `${streams[index]?.name} does not take what is captured: ${writers[index]?.problem}`
    },
  }
}

/** `''` for what is not SIP. */
function callIdOf({ payload }: SipRecord): string {
  const parsed = parseMessage(payload)
  return parsed.ok ? parsed.message.callId : ''
}

function add(a: StreamCounters, b: StreamCounters): StreamCounters {
  return {
    written: a.written + b.written,
    dropped: a.dropped + b.dropped,
    failed: a.failed + b.failed,
    buffered: a.buffered + b.buffered,
    announced: a.announced + b.announced,
    unannounced: a.unannounced + b.unannounced,
  }
}
