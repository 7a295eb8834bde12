import { Redis } from 'ioredis'
import type { CommonConfig } from './config.ts'
import type { Logger } from './logger.ts'
import { restoreStringMethods } from './string-methods.ts'

/**
 * `command`: short commands, answered within 5 s or rejected; while Redis is away they are rejected at once, so nothing
 * piles up unseen. `blocking`: one XREAD or XREADGROUP at a time, of a BLOCK far below 10 s; when its connection breaks or is
 * silent for that long it is rejected, and entries of the group may have been given out unseen. `subscribe`: pub/sub.
 */
export type RedisPurpose = 'command' | 'blocking' | 'subscribe'

const commandTimeoutMillis = 5_000
const watchdogMillis = 5_000
/** A reader that blocks is answered after its BLOCK at the latest. */
const silenceMillis = 10_000
/** How long the other side may take to close a connection that ends here. */
const disconnectMillis = 500
const lastAnswerMillis = 1_000

/** Where Redis is, without user and password. */
export function redisAddress(url: string): string {
  if (url.startsWith('/')) return url
  try {
    const { protocol, host } = new URL(url)
    return `${protocol}//${host}`
  } catch {
    return '(unreadable)'
  }
}

/**
 * Connects in the background and for ever; never throws at start. An outage gives one log sentence when it begins and one
 * when it ends. A connection that is open but dead (Redis stopped, a partition) is noticed within 10 s and replaced:
 * without the watchdog ioredis keeps calling it `ready` (tried with SIGSTOP).
 */
export function createRedis(
  config: Pick<CommonConfig, 'REDIS_URL' | 'NODE_NAME'>,
  options: { purpose: RedisPurpose; logger: Logger; setting?: string },
): Redis {
  restoreStringMethods()
  const { purpose, logger, setting = 'REDIS_URL' } = options
  const isBlocking = purpose === 'blocking'
  const redis = new Redis(config.REDIS_URL, {
    connectionName: `sip-capture:${config.NODE_NAME.replace(/[^\w.-]/g, '_')}:${purpose}`,
    disableClientInfo: true,
    connectTimeout: 5_000,
    keepAlive: 10_000,
    disconnectTimeout: disconnectMillis,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: purpose !== 'command',
    autoResendUnfulfilledCommands: false,
    // Not `blockingTimeout`: it says "nothing new" 100 ms after BLOCK, and drops the answer that a busy process reads later.
    ...(isBlocking ? { socketTimeout: silenceMillis } : { commandTimeout: commandTimeoutMillis }),
    retryStrategy: (times) => Math.min(100 * 2 ** Math.min(times, 6), 5_000) + Math.random() * 200,
  })
  const where = redisAddress(config.REDIS_URL)
  let isDown = false
  redis.on('error', (error: Error) => {
    if (isDown) return
    isDown = true
    logger.error(
      { reason: reasonOf(error) },
      `${describeRedisError(error, where, setting)}; trying again until it does`,
    )
  })
  redis.on('ready', () => {
    if (isDown) logger.info({ redis: where }, 'Redis answers again')
    isDown = false
  })
  if (!isBlocking) watch(redis, logger, where)
  return redis
}

/** One sentence that names the setting. */
export function describeRedisError(error: Error, where: string, setting = 'REDIS_URL'): string {
  const reason = reasonOf(error)
  if (/WRONGPASS|NOAUTH|invalid password|Authentication required/i.test(reason))
    return `Redis at ${where} refuses the login: check user and password in ${setting}`
  if (/NOPERM/.test(reason))
    return `Redis at ${where} lacks a permission for the user in ${setting}: ${reason}`
  return `Redis at ${where} (${setting}) does not answer: ${reason}`
}

function reasonOf(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return error.message || code || error.name
}

/**
 * At a stop: a Redis that hangs is not waited for. Does nothing when `redis` answers within a second; else ends all of
 * `connections`, which rejects at once what waits on them.
 */
export async function abandonIfHung(redis: Redis, connections: readonly Redis[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, lastAnswerMillis, false)
  })
  const answers = redis.ping().then(
    () => true,
    () => false,
  )
  if (!(await Promise.race([answers, late]))) for (const connection of connections) connection.disconnect()
  clearTimeout(timer)
}

function watch(redis: Redis, logger: Logger, where: string): void {
  const timer = setInterval(() => {
    if (redis.status !== 'ready') return
    redis.ping().catch((error: Error) => {
      if (redis.status !== 'ready' || !/timed out/i.test(error.message)) return
      logger.error({ redis: where }, 'Redis does not answer a PING; connecting anew')
      redis.disconnect(true)
    })
  }, watchdogMillis)
  timer.unref()
  redis.on('end', () => clearInterval(timer))
}
