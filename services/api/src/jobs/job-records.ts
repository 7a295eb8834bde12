import type { JobState } from '@sip-capture/contract/rest/export.ts'
import type { Redis } from 'ioredis'
import type { z } from 'zod'

interface Listed {
  readonly id: string
  readonly createdAt: string
}

/** What is known of the jobs of a kind, one JSON a job in one Redis hash; the queue only says which are to be done. */
export interface JobRecords<T extends Listed> {
  /** False when the id is taken. */
  add(record: T): Promise<boolean>
  find(id: string): Promise<T | undefined>
  /** Newest first. */
  list(): Promise<T[]>
  /** Undefined, and nothing changed, when there is no such record or `change` declines. Never overwrites what another
   *  process wrote in between. */
  change(id: string, change: (record: T) => T | undefined): Promise<T | undefined>
  remove(id: string): Promise<void>
}

const replaceIfSame = `if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) return 1 end return 0`
const maxTries = 50

export function createJobRecords<T extends Listed>(options: {
  redis: Redis
  key: string
  schema: z.ZodType<T>
}): JobRecords<T> {
  const { redis, key, schema } = options

  function parse(text: string): T | undefined {
    const parsed = schema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  }

  async function find(id: string): Promise<T | undefined> {
    const text = await redis.hget(key, id)
    return text === null ? undefined : parse(text)
  }

  return {
    find,
    async add(record) {
      return (await redis.hsetnx(key, record.id, JSON.stringify(record))) === 1
    },
    async list() {
      const records = (await redis.hvals(key)).map(parse).filter((record) => record !== undefined)
      return records.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt) || a.id.localeCompare(b.id))
    },
    async change(id, change) {
      for (let tries = 0; tries < maxTries; tries++) {
        const text = await redis.hget(key, id)
        const record = text === null ? undefined : parse(text)
        const changed = record && change(record)
        if (text === null || !changed) return undefined
        const done = await redis.eval(replaceIfSame, 1, key, id, text, JSON.stringify(changed))
        if (done === 1) return changed
      }
      throw new Error('a job record changes too often to be written')
    },
    async remove(id) {
      await redis.hdel(key, id)
    },
  }
}

export const isFinished = (state: JobState): boolean => state !== 'waiting' && state !== 'active'
