import { encodeBatch } from '@sip-capture/contract/codec.ts'
import type { BusKeys } from '@sip-capture/contract/keys.ts'
import type { SourceStatus } from '@sip-capture/contract/bus/source-status.ts'
import type { Redis } from 'ioredis'
import type { Logger } from './logger.ts'

export const heartbeatMillis = 5_000
/** Entries kept on the stream: enough for the last status of many sources and some history. */
const maxEntries = 2_000

export interface Heartbeat {
  /** Says the state now, for a change that should not wait for the next beat. */
  beat(): Promise<void>
  close(): Promise<void>
}

/** Publishes what `collect` says on the `sources` stream, at once, each 5 s, at `beat()`, and a last time at `close()`. */
export function createHeartbeat(options: {
  redis: Redis
  keys: BusKeys
  logger: Logger
  collect: () => SourceStatus
}): Heartbeat {
  const { redis, keys, logger, collect } = options

  async function beat(): Promise<void> {
    try {
      await redis.xadd(keys.sources, 'MAXLEN', '~', maxEntries, '*', ...encodeBatch([collect()]))
    } catch (error) {
      // The outage itself is told by the connection; a missed beat shows as overdue on the page.
      logger.debug({ reason: error instanceof Error ? error.message : String(error) }, 'heartbeat not sent')
    }
  }

  const timer = setInterval(() => void beat(), heartbeatMillis)
  redis.on('ready', () => void beat())
  void beat()
  return {
    beat,
    async close() {
      clearInterval(timer)
      await beat()
    },
  }
}
