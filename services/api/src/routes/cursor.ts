import { maxMicros } from '@sip-capture/contract/time.ts'
import { z } from 'zod'
import { ApiError } from '../errors.ts'
import type { RowKey } from '../history/message-reader.ts'

const shape = z.tuple([
  z.literal(1),
  z.enum(['asc', 'desc']),
  z.int().min(0).max(maxMicros),
  z.string().regex(/^[0-9a-f]{32}$/),
])

/** Where a page ended; opaque to the caller. */
export function formatCursor(order: 'asc' | 'desc', key: RowKey): string {
  return Buffer.from(JSON.stringify([1, order, key.atMicros, key.id])).toString('base64url')
}

/** @throws ApiError 400 for what is not a cursor of ours, or of the other order. */
export function parseCursor(text: string, order: 'asc' | 'desc'): RowKey {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    json = undefined
  }
  const parsed = shape.safeParse(json)
  if (!parsed.success)
    throw new ApiError(400, 'bad-cursor', 'cursor: take it from nextCursor of the page before')
  const [, cursorOrder, atMicros, id] = parsed.data
  if (cursorOrder !== order)
    throw new ApiError(400, 'bad-cursor', `cursor: comes from a page with order=${cursorOrder}`)
  return { atMicros, id }
}
