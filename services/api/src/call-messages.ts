import { ApiError } from './errors.ts'
import type { TimeSpan } from './history/call-spans.ts'
import type { History } from './history/history-process.ts'
import type { FoundCall } from './history/leg-store.ts'
import type { OpenedCall } from './history/pins/pinned-reader.ts'
import type { StoredMessage } from './history/record-rows.ts'
import { MessageView } from './ingest/message-row.ts'

/** The first page fills any window of the page, and no more is read before it is told. */
const pageRows = { first: 120, others: 500 }

interface CallRange {
  readonly max: number
  /** A named capture: there `id` is a Call-ID. */
  readonly capture?: string | undefined
  /** For a capture file. */
  readonly withFrames?: boolean
}

export interface CallMessages {
  readonly call: FoundCall
  /** Every sighting of every leg, in order of time. */
  readonly views: readonly MessageView[]
  /** There are more than `max`. */
  readonly truncated: boolean
}

/** A call that is being read: what is known before its last message is. */
export interface CallReading {
  readonly call: FoundCall
  /** How many messages the pages will bring. */
  readonly total: number
  readonly truncated: boolean
  /** Sightings of all legs in order of time, each once. To be read once. */
  readonly pages: AsyncIterable<MessageView[]>
}

/** All messages of all legs of the call that `id` names. @throws ApiError 404, HistoryUnavailable */
export async function readCall(history: History, id: string, range: CallRange): Promise<CallMessages> {
  const { call, truncated, pages } = await openCall(history, id, range)
  const views: MessageView[] = []
  for await (const page of pages) views.push(...page)
  return { call, views, truncated }
}

/** The first messages of the call that `id` names, and the others as they are read. @throws ApiError 404, HistoryUnavailable,
 *  which the pages may throw as well */
export async function openCall(history: History, id: string, range: CallRange): Promise<CallReading> {
  const { max, capture, withFrames = false } = range
  const opened = await history.ask<'openCall'>({
    method: 'openCall',
    id,
    capture,
    max,
    rows: pageRows,
    withFrames,
  })
  const { call, from, count } = opened
  if (count === 0)
    throw new ApiError(
      404,
      'not-found',
      'history has no message of a call with this Call-ID, Uniqueid, Linkedid or channel',
    )
  const total = Math.min(count, max)
  const readSpan = (span: TimeSpan) =>
    history.ask<'readCallSpan'>({
      method: 'readCallSpan',
      callIds: call.callIds,
      capture: capture ?? '',
      from,
      ...span,
      limit: max,
      withFrames,
    })
  return { call, total, truncated: count > max, pages: pagesOf(opened, total, readSpan) }
}

/** At most `total` messages: what came while the call was read is for the next time. */
async function* pagesOf(
  { first, spans }: OpenedCall,
  total: number,
  readSpan: (span: TimeSpan) => Promise<StoredMessage[]>,
): AsyncGenerator<MessageView[]> {
  let left = total
  let page: Promise<StoredMessage[]> | StoredMessage[] = first
  for (let at = 0; at < spans.length && left > 0; at++) {
    const stored = (await page).slice(0, left)
    left -= stored.length
    const next = spans[at + 1]
    // The history reads on while this page is told.
    if (next !== undefined && left > 0) page = readAhead(readSpan(next))
    yield stored.map(({ record, naming }) => new MessageView(record, naming))
  }
}

/** Who stops reading does not wait for what is under way, and need not know how it fails. */
function readAhead<T>(reading: Promise<T>): Promise<T> {
  reading.catch(() => undefined)
  return reading
}
