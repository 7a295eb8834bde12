import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { fold, foldParty } from '../filter-words.ts'
import type { MessageView } from '../ingest/message-row.ts'
import { insertRegisters } from '../registrations/register-store.ts'
import { encodeFrames } from './frames-column.ts'
import { messageColumnNames, recordColumnNames } from './schema.ts'
import type { Store } from './store.ts'

export interface InsertOutcome {
  readonly stored: number
  /** Rows that were there already: redelivered. */
  readonly duplicates: number
}

/** Rows apart by more than this are looked for in a time range of their own. */
const clusterMicros = 60_000_000
const maxClusters = 32

/**
 * Stores messages; a message whose id is there already is left out. Both tables hold a message or none shows it: `records`
 * first, `messages` last, and `messages` decides what is there. Durable when it resolves.
 * @throws StoreError
 */
export async function insertMessages(store: Store, views: readonly MessageView[]): Promise<InsertOutcome> {
  const unique = new Map(views.map((view) => [view.record.id, view]))
  const known = await findKnownIds(store, [...unique.values()])
  const fresh = [...unique.values()].filter((view) => !known.has(view.record.id))
  if (fresh.length > 0) {
    await store.insert('records', recordColumnNames, toLines(fresh, toRecordLine))
    await insertRegisters(store, fresh)
    await store.insert('messages', messageColumnNames, toLines(fresh, toMessageLine))
  }
  return { stored: fresh.length, duplicates: views.length - fresh.length }
}

async function findKnownIds(store: Store, views: readonly MessageView[]): Promise<Set<string>> {
  if (views.length === 0) return new Set()
  const params: Record<string, unknown> = { ids: views.map((view) => view.record.id) }
  const ranges = toClusters(views.map((view) => view.record.atMicros)).map(([from, to], index) => {
    params[`from${index}`] = from
    params[`to${index}`] = to
    return (
      `(at >= fromUnixTimestamp64Micro({from${index}:Int64}, 'UTC') AND ` +
      `at <= fromUnixTimestamp64Micro({to${index}:Int64}, 'UTC'))`
    )
  })
  const rows = await store.query<{ id: string }>(
    `SELECT lower(hex(id)) AS id FROM messages WHERE (${ranges.join(' OR ')}) AND messages.id IN {ids:Array(UUID)}`,
    params,
  )
  return new Set(rows.map((row) => row.id))
}

/** Times → few ranges that hold them all: one odd clock must not make the check read all days between. */
function toClusters(times: readonly number[]): [number, number][] {
  const clusters: [number, number][] = []
  for (const time of [...times].sort((a, b) => a - b)) {
    const last = clusters.at(-1)
    if (last && (time - last[1] <= clusterMicros || clusters.length === maxClusters)) last[1] = time
    else clusters.push([time, time])
  }
  return clusters
}

function toLines(views: readonly MessageView[], toLine: (view: MessageView) => unknown[]): Buffer {
  return Buffer.from(views.map((view) => `${JSON.stringify(toLine(view))}\n`).join(''))
}

/** `2026-11-22T23:58:49.123456Z` → what the engine reads as DateTime64(6). */
function toStoreTime(atMicros: number): string {
  return toRfc3339(atMicros).replace('T', ' ').slice(0, -1)
}

function toRecordCells({ record, naming, row }: MessageView): unknown[] {
  return [
    toStoreTime(record.atMicros),
    record.nanos,
    record.id,
    row.callId,
    record.precisionMicros,
    record.source,
    record.node,
    record.transport,
    naming.direction,
    record.src.address,
    record.src.port,
    naming.srcName,
    record.dst.address,
    record.dst.port,
    naming.dstName,
    naming.trunk,
    record.channel ?? '',
    record.copies,
    naming.capture,
  ]
}

function toMessageLine(view: MessageView): unknown[] {
  const { row, numbers } = view
  return [
    ...toRecordCells(view),
    row.kind,
    row.method,
    row.status ?? 0,
    row.reason,
    row.requestUri,
    row.from.displayName,
    row.from.uri,
    row.from.user,
    row.from.host,
    row.from.tag,
    foldParty(row.from),
    row.to.displayName,
    row.to.uri,
    row.to.user,
    row.to.host,
    row.to.tag,
    foldParty(row.to),
    numbers,
    row.cseq ?? -1,
    row.branch,
    row.userAgent,
    fold(row.userAgent),
    row.hasSdp,
    row.sizeBytes,
    row.sightingKey,
    row.problems,
  ]
}

function toRecordLine(view: MessageView): unknown[] {
  const { record, text } = view
  // U+FFFD may be what was sent; then the base64 is merely superfluous.
  const isExact = !text.includes('\ufffd')
  return [
    ...toRecordCells(view),
    record.notes,
    text,
    isExact ? '' : Buffer.from(record.payload).toString('base64'),
    encodeFrames(record.frames, record.payload, record),
  ]
}
