import { sipRecord, type SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { decodeBatch } from '@sip-capture/contract/codec.ts'
import type { BusKeys } from '@sip-capture/contract/keys.ts'
import type { Redis } from 'ioredis'
import { compareIds, idMillis, readBehind } from '../stream-entries.ts'
import type { LiveItem } from './live-item.ts'
import type { Position } from './position.ts'

export const maxReplayRows = 20_000
const readCount = 64

export interface ReplayGap {
  readonly fromMicros: number
  readonly toMicros: number
  readonly reason: string
}

export interface Replay {
  readonly items: { readonly item: LiveItem; readonly position: Position }[]
  readonly gaps: ReplayGap[]
  /** Where the replay ended. */
  readonly position: Position
}

/** A message may be this much older than the stream entry that brought it (batches, the history tap). */
const entryLagMicros = 10_000_000

/**
 * What the streams hold behind `since`, oldest first a stream, at most `maxReplayRows` rows that pass `matches`.
 * What is no longer there, or is too much, is a gap. @throws when Redis fails.
 */
export async function readReplay(options: {
  redis: Redis
  keys: BusKeys
  since: Position
  toItem: (record: SipRecord, kind: LiveItem['kind']) => LiveItem
  matches: (item: LiveItem) => boolean
  nowMicros: number
}): Promise<Replay> {
  const { redis, keys, since, toItem, matches, nowMicros } = options
  const items: Replay['items'] = []
  const gaps: ReplayGap[] = []
  let position = since
  const streams = [
    ['traffic', keys.trafficLog],
    ['capture', keys.capture],
  ] as const
  for (const [kind, key] of streams) {
    const [first] = await readBehind(redis, key, '0-0', 1)
    if (
      first &&
      since[kind] !== '0-0' &&
      compareIds(first.id, since[kind]) > 0 &&
      (await wasTrimmed(redis, key, since[kind]))
    )
      gaps.push({
        fromMicros: idMillis(since[kind]) * 1000 - entryLagMicros,
        toMicros: idMillis(first.id) * 1000,
        reason: 'older rows are no longer on the bus',
      })
    let scanned = 0
    for (;;) {
      const entries = await readBehind(redis, key, position[kind], readCount)
      for (const entry of entries) {
        const { items: records } = decodeBatch(sipRecord, entry.fields)
        scanned += records.length
        const before = position
        position = { ...position, [kind]: entry.id }
        for (const [index, record] of records.entries()) {
          const item = toItem(record, kind)
          if (matches(item)) items.push({ item, position: index === records.length - 1 ? position : before })
        }
      }
      if (entries.length < readCount) break
      if (items.length < maxReplayRows && scanned < maxReplayRows * 5) continue
      const [next] = await readBehind(redis, key, position[kind], 1)
      if (!next) break
      gaps.push({
        fromMicros: idMillis(next.id) * 1000 - entryLagMicros,
        toMicros: nowMicros,
        reason: 'too many rows came meanwhile to send them all',
      })
      const [newest] = (await redis.callBuffer('XREVRANGE', key, '+', '-', 'COUNT', 1)) as [
        Buffer,
        Buffer[],
      ][]
      if (newest) position = { ...position, [kind]: String(newest[0]) }
      break
    }
  }
  return { items, gaps, position }
}

/** Whether there was ever anything between `since` and the first entry: the stream may simply have begun later. */
async function wasTrimmed(redis: Redis, key: string, since: string): Promise<boolean> {
  const info = (await redis.call('XINFO', 'STREAM', key)) as unknown[]
  const read = (name: string) => info[info.indexOf(name) + 1]
  const isCut = Number(read('entries-added')) > Number(read('length'))
  return isCut && since !== '0-0'
}
