import type { Logger } from '@sip-capture/service/logger.ts'
import type { Redis } from 'ioredis'
import { callNews, type CallNews } from './call-record.ts'

/** Rows a publish: what a browser gets in one frame. */
const maxRecords = 100
const maxNewsBytes = 4 * 1024 * 1024

/** Tells every API process over Redis. Nothing is kept: a browser that misses news reads `GET /calls` again. Never throws. */
export function createCallNewsWriter(options: {
  redis: Redis
  channel: string
  logger: Logger
}): (news: CallNews) => void {
  const { redis, channel, logger } = options
  const publish = (news: CallNews) => {
    redis.publish(channel, JSON.stringify(news)).catch((error: unknown) => {
      logger.debug({ reason: error instanceof Error ? error.message : '' }, 'news of calls could not be told')
    })
  }
  return ({ records, removed }) => {
    // Without a connection the client would keep them all in memory.
    if (redis.status !== 'ready') return
    for (let at = 0; at < Math.max(records.length, removed.length); at += maxRecords)
      publish({ records: records.slice(at, at + maxRecords), removed: removed.slice(at, at + maxRecords) })
  }
}

/** Undefined for what is not ours. */
export function parseCallNews(raw: Buffer): CallNews | undefined {
  if (raw.length > maxNewsBytes) return undefined
  try {
    const parsed = callNews.safeParse(JSON.parse(raw.toString('utf8')))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
