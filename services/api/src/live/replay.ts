import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { decodeRecords } from '@sip-capture/contract/codec.ts'
import type { BusKeys } from '@sip-capture/contract/keys.ts'
import type { Redis } from 'ioredis'
import type { MessageBus } from '../message-buses.ts'
import { compareIds, idMillis, readBehind, readNewest } from '../stream-entries.ts'
import type { LiveItem } from './live-item.ts'
import { streamStart, type Position } from './position.ts'

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
  buses: readonly MessageBus[]
  keys: BusKeys
  since: Position
  toItem: (record: SipRecord, kind: LiveItem['kind']) => LiveItem
  matches: (item: LiveItem) => boolean
  nowMicros: number
}): Promise<Replay> {
  const { buses, keys, since, toItem, matches, nowMicros } = options
  const items: Replay['items'] = []
  const gaps: ReplayGap[] = []
  let position = since
  const streams = buses.flatMap((bus) => bus.streams.map((key) => ({ key, redis: bus.redis })))
  for (const [stream, { key, redis }] of streams.entries()) {
    const kind = key === keys.trafficLog ? 'traffic' : 'capture'
    const from = since[stream] ?? streamStart
    const [first] = await readBehind(redis, key, streamStart, 1)
    if (first && from !== streamStart && compareIds(first.id, from) > 0 && (await wasTrimmed(redis, key)))
      gaps.push({
        fromMicros: idMillis(from) * 1000 - entryLagMicros,
        toMicros: idMillis(first.id) * 1000,
        reason: 'older rows are no longer on the bus',
      })
    let scanned = 0
    let behind = from
    for (;;) {
      const entries = await readBehind(redis, key, behind, readCount)
      for (const entry of entries) {
        const { items: records } = decodeRecords(entry.fields)
        scanned += records.length
        const before = position
        behind = entry.id
        position = position.with(stream, behind)
        for (const [index, record] of records.entries()) {
          const item = toItem(record, kind)
          if (matches(item)) items.push({ item, position: index === records.length - 1 ? position : before })
        }
      }
      if (entries.length < readCount) break
      if (items.length < maxReplayRows && scanned < maxReplayRows * 5) continue
      const [next] = await readBehind(redis, key, behind, 1)
      if (!next) break
      gaps.push({
        fromMicros: idMillis(next.id) * 1000 - entryLagMicros,
        toMicros: nowMicros,
        reason: 'too many rows came meanwhile to send them all',
      })
      const [newest] = await readNewest(redis, key, 1)
      if (newest) position = position.with(stream, newest.id)
      break
    }
  }
  return { items, gaps, position }
}

/** Whether there was ever anything before the first entry: the stream may simply have begun later. */
async function wasTrimmed(redis: Redis, key: string): Promise<boolean> {
  const info = (await redis.call('XINFO', 'STREAM', key)) as unknown[]
  const read = (name: string) => info[info.indexOf(name) + 1]
  return Number(read('entries-added')) > Number(read('length'))
}
