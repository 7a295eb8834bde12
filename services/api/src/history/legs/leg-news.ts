import type { Logger } from '@sip-capture/service/logger.ts'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { createLegChanges, type LegChanges } from './leg-changes.ts'

const maxCallIds = 1_000
const maxNewsBytes = 4 * 1024 * 1024
const legNews = z.array(z.string()).max(maxCallIds)

/** Tells every API process over Redis. Nothing is kept: a browser that misses it sees the legs at the next look. Never throws. */
export function createLegNewsWriter(options: {
  redis: Redis
  channel: string
  logger: Logger
}): (callIds: readonly string[]) => void {
  const { redis, channel, logger } = options
  return (callIds) => {
    // Without a connection the client would keep them all in memory.
    if (redis.status !== 'ready') return
    for (let at = 0; at < callIds.length; at += maxCallIds)
      redis
        .publish(channel, JSON.stringify(callIds.slice(at, at + maxCallIds)))
        .catch((error: unknown) =>
          logger.debug(
            { reason: error instanceof Error ? error.message : '' },
            'changed legs could not be told',
          ),
        )
  }
}

/** What the processes that write history tell of legs. */
export function followLegNews(redis: Redis, channel: string): LegChanges & { close(): void } {
  const changes = createLegChanges()
  const listen = (heard: Buffer, message: Buffer) => {
    if (String(heard) === channel && message.length <= maxNewsBytes) changes.emit(parseLegNews(message))
  }
  const follow = () => void redis.subscribe(channel).catch(() => {})
  redis.on('messageBuffer', listen)
  redis.on('ready', follow)
  if (redis.status === 'ready') follow()
  return {
    ...changes,
    close() {
      redis.off('messageBuffer', listen)
      redis.off('ready', follow)
    },
  }
}

function parseLegNews(message: Buffer): string[] {
  try {
    return legNews.safeParse(JSON.parse(message.toString('utf8'))).data ?? []
  } catch {
    return []
  }
}
