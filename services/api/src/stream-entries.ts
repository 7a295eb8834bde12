import type { Redis } from 'ioredis'

/** One entry of a Redis stream. `fields` null: it was trimmed while it waited in a pending list. */
export interface StreamEntry {
  readonly id: string
  readonly fields: readonly Buffer[] | null
}

type EntryReply = [Buffer, Buffer[] | null]

const toEntry = ([id, fields]: EntryReply): StreamEntry => ({ id: String(id), fields })

/** The reply of XREAD and XREADGROUP, by key: pairs in RESP2, key and entries in turn in RESP3 (ioredis 6). */
export function toStreams(reply: unknown): Map<string, StreamEntry[]> {
  const streams = new Map<string, StreamEntry[]>()
  if (!Array.isArray(reply)) return streams
  const flat = (Array.isArray(reply[0]) ? reply.flat(1) : reply) as (Buffer | EntryReply[])[]
  for (let i = 0; i + 1 < flat.length; i += 2)
    streams.set(String(flat[i]), (flat[i + 1] as EntryReply[]).map(toEntry))
  return streams
}

/** Newest first. */
export async function readNewest(redis: Redis, key: string, count: number): Promise<StreamEntry[]> {
  const reply = await redis.callBuffer('XREVRANGE', key, '+', '-', 'COUNT', count)
  return (reply as EntryReply[]).map(toEntry)
}

/** Oldest first, from behind `afterId`. */
export async function readBehind(
  redis: Redis,
  key: string,
  afterId: string,
  count: number,
): Promise<StreamEntry[]> {
  const reply = await redis.callBuffer('XRANGE', key, `(${afterId}`, '+', 'COUNT', count)
  return (reply as EntryReply[]).map(toEntry)
}

/** XAUTOCLAIM: entries, where to go on (`0-0`: done), and ids that no longer exist. */
export async function autoclaim(
  redis: Redis,
  options: {
    key: string
    group: string
    consumer: string
    minIdleMillis: number
    from: string
    count: number
  },
): Promise<{ entries: StreamEntry[]; next: string; gone: string[] }> {
  const { key, group, consumer, minIdleMillis, from, count } = options
  const reply = await redis.callBuffer(
    'XAUTOCLAIM',
    key,
    group,
    consumer,
    minIdleMillis,
    from,
    'COUNT',
    count,
  )
  const [next, entries, gone] = reply as [Buffer, EntryReply[], Buffer[] | undefined]
  return { entries: entries.map(toEntry), next: String(next), gone: (gone ?? []).map(String) }
}

export interface StreamState {
  readonly length: number
  readonly entriesAdded: number
  /** `0-0` when empty. */
  readonly firstId: string
  readonly lastId: string
}

export interface GroupState {
  readonly pending: number
  readonly lastDeliveredId: string
  /** Null where Redis does not know. */
  readonly entriesRead: number | null
}

export interface StreamInspection {
  readonly stream: StreamState
  readonly group: GroupState
}

/** XINFO STREAM and XINFO GROUPS of one moment; undefined when the stream or the group is not there. */
export async function inspectStream(
  redis: Redis,
  key: string,
  group: string,
): Promise<StreamInspection | undefined> {
  const replies = await redis.multi().call('XINFO', 'STREAM', key).call('XINFO', 'GROUPS', key).exec()
  const [streamError, streamReply] = replies?.[0] ?? []
  const [groupError, groupsReply] = replies?.[1] ?? []
  if (streamError || groupError || !streamReply || !groupsReply) return undefined
  const stream = toMap(streamReply)
  const found = (groupsReply as unknown[]).map(toMap).find((candidate) => candidate.get('name') === group)
  if (!found) return undefined
  const first = stream.get('first-entry') as [string] | null
  const entriesRead = found.get('entries-read')
  return {
    stream: {
      length: Number(stream.get('length')),
      entriesAdded: Number(stream.get('entries-added')),
      firstId: first?.[0] ?? '0-0',
      lastId: String(stream.get('last-generated-id')),
    },
    group: {
      pending: Number(found.get('pending')),
      lastDeliveredId: String(found.get('last-delivered-id')),
      entriesRead: typeof entriesRead === 'number' ? entriesRead : null,
    },
  }
}

function toMap(reply: unknown): Map<string, unknown> {
  const list = reply as unknown[]
  const map = new Map<string, unknown>()
  for (let i = 0; i + 1 < list.length; i += 2) map.set(String(list[i]), list[i + 1])
  return map
}

/** Stream ids in order: by time part, then by counter. */
export function compareIds(a: string, b: string): number {
  const [aTime = '0', aCount = '0'] = a.split('-')
  const [bTime = '0', bCount = '0'] = b.split('-')
  return Number(aTime) - Number(bTime) || Number(aCount) - Number(bCount)
}

/** When an entry was written, epoch milliseconds: a hint, stream ids outlive a clock that stepped back. */
export const idMillis = (id: string): number => Number(id.split('-')[0])
