import type { BusKeys } from '@sip-capture/contract/keys.ts'
import { captureShards } from '@sip-capture/service/capture-shards.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { abandonIfHung, createRedis, redisAddress } from '@sip-capture/service/redis.ts'
import type { Redis } from 'ioredis'
import type { ApiConfig } from './config.ts'

/** A Redis and the streams of messages on it. */
export interface MessageBus {
  /** Short commands. */
  readonly redis: Redis
  /** One reader that blocks. */
  readonly blockingRedis: Redis
  readonly streams: readonly string[]
  /** For people: where it is, and by which setting. */
  readonly name: string
}

type BusConfig = Pick<ApiConfig, 'REDIS_URL' | 'NODE_NAME'> & {
  readonly CAPTURE_REDIS_URLS?: readonly string[] | undefined
}

export type MessageBuses = readonly [MessageBus, ...MessageBus[]]

/** The Redis of REDIS_URL first, then those of CAPTURE_REDIS_URLS; connected in the background. */
export function openMessageBuses(config: BusConfig, keys: BusKeys, logger: Logger): MessageBuses {
  const shards = captureShards(config, keys)
  // One voice a Redis is enough: the second connection goes down and comes back with the first.
  const quiet = logger.child({}, { level: 'silent' })
  const open = (redisUrl: string, streams: readonly string[], setting: string): MessageBus => {
    const where = { ...config, REDIS_URL: redisUrl }
    return {
      redis: createRedis(where, { purpose: 'command', logger, setting }),
      blockingRedis: createRedis(where, { purpose: 'blocking', logger: quiet }),
      streams,
      name: `Redis at ${redisAddress(redisUrl)} (${setting})`,
    }
  }
  return [
    open(config.REDIS_URL, [keys.trafficLog, ...(shards.length > 0 ? [] : [keys.capture])], 'REDIS_URL'),
    ...shards.map(({ redisUrl, key }) => open(redisUrl, [key], 'CAPTURE_REDIS_URLS')),
  ]
}

/** At a stop: one that hangs is not waited for. `others`: connections to the first. */
export async function abandonHungBuses(buses: MessageBuses, others: readonly Redis[] = []): Promise<void> {
  await Promise.all(
    buses.map(({ redis, blockingRedis }, index) =>
      abandonIfHung(redis, [redis, blockingRedis, ...(index === 0 ? others : [])]),
    ),
  )
}

export function disconnectBuses(buses: readonly MessageBus[]): void {
  for (const { redis, blockingRedis } of buses) {
    redis.disconnect()
    blockingRedis.disconnect()
  }
}
