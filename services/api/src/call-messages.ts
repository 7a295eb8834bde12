import { ApiError } from './errors.ts'
import type { History } from './history/history-process.ts'
import type { FoundCall } from './history/leg-store.ts'
import type { RowKey } from './history/message-reader.ts'
import { toMessageView, type MessageView } from './ingest/message-row.ts'

const pageRows = 500

interface CallRange {
  readonly max: number
  /** A named capture: there `id` is a Call-ID. */
  readonly capture?: string | undefined
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
  const { max, capture } = range
  const call = await history.ask<'findCall'>({ method: 'findCall', id, capture })
  const { callIds } = call
  const first = await readPage(history, { callIds, capture })
  if (first.length === 0)
    throw new ApiError(
      404,
      'not-found',
      'history has no message of a call with this Call-ID, Uniqueid, Linkedid or channel',
    )
  const count =
    first.length < pageRows
      ? first.length
      : await history.ask<'countCallMessages'>({
          method: 'countCallMessages',
          callIds,
          capture,
          limit: max + 1,
        })
  const total = Math.min(count, max)
  return {
    call,
    total,
    truncated: count > max,
    pages: pagesFrom(first, total, (after) => readPage(history, { callIds, capture, after })),
  }
}

/** At most `total` messages: what came while the call was read is for the next time. */
async function* pagesFrom(
  first: MessageView[],
  total: number,
  readNext: (after: RowKey) => Promise<MessageView[]>,
): AsyncGenerator<MessageView[]> {
  let page = first
  for (let left = total; left > 0 && page.length > 0;) {
    yield page.length > left ? page.slice(0, left) : page
    left -= page.length
    const last = page.at(-1)?.record
    if (left <= 0 || last === undefined || page.length < pageRows) return
    page = await readNext({ atMicros: last.atMicros, id: last.id })
  }
}

async function readPage(
  history: History,
  query: { callIds: string[]; capture: string | undefined; after?: RowKey | undefined },
): Promise<MessageView[]> {
  const found = await history.ask<'readCallMessages'>({
    method: 'readCallMessages',
    limit: pageRows,
    ...query,
  })
  return found.map(({ record, naming }) => toMessageView(record, naming))
}
