import { decodeBatch } from '@sip-capture/contract/codec.ts'
import { sipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import type { BusKeys } from '@sip-capture/contract/keys.ts'
import type { Redis } from 'ioredis'
import { type CursorStore, parseHistoryCursor } from './taps/history-cursor.ts'

/** More than what one look at the history can bring. */
const recentEntries = 500

/** Keeps the cursor of one Asterisk in Redis, beside the stream it belongs to. */
export function createCursorStore(redis: Redis, keys: BusKeys, asterisk: string): CursorStore {
  const key = keys.own('ami-bridge', `history:${asterisk}`)
  return {
    async load() {
      return parseHistoryCursor(await redis.get(key))
    },
    async save(cursor) {
      await redis.set(key, JSON.stringify(cursor))
    },
    async recentIds() {
      const entries = await redis.xrevrangeBuffer(keys.trafficLog, '+', '-', 'COUNT', recentEntries)
      const ids = new Set<string>()
      for (const [, fields] of entries)
        for (const record of decodeBatch(sipRecord, fields).items) ids.add(record.id)
      return ids
    },
  }
}
