import {
  messageDetail,
  messageFilter,
  messageRow,
  type MessageDetail,
} from '@sip-capture/contract/rest/message.ts'
import { errorBody, page, pageQuery } from '@sip-capture/contract/rest/page.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ApiError } from '../errors.ts'
import type { History } from '../history/history-process.ts'
import { MessageView } from '../ingest/message-row.ts'
import { checkSearch } from './check-search.ts'
import { formatCursor, parseCursor } from './cursor.ts'

const messagesQuery = z.strictObject({ ...messageFilter.shape, ...pageQuery.shape })
const failures = { 400: errorBody, 401: errorBody, 403: errorBody, 503: errorBody }

export const messageRoutes: FastifyPluginCallbackZod<{ history: History }> = (app, { history }, done) => {
  app.get(
    '/messages',
    {
      schema: {
        summary: 'Messages, newest first, one row for each sighting',
        querystring: messagesQuery,
        response: { 200: page(messageRow), ...failures },
      },
    },
    async (request) => {
      const { since, until, order, limit, cursor, ...filter } = request.query
      checkSearch(filter)
      const found = await history.ask<'listMessages'>({
        method: 'listMessages',
        filter,
        since,
        until,
        order,
        limit,
        after: cursor === undefined ? undefined : parseCursor(cursor, order),
      })
      return { items: found.items, nextCursor: found.next && formatCursor(order, found.next) }
    },
  )

  app.get(
    '/messages/:id',
    {
      schema: {
        summary: 'One message whole',
        params: z.object({ id: z.string().regex(/^[0-9a-f]{32}$/, 'an id of 32 hex digits') }),
        response: { 200: messageDetail, ...failures, 404: errorBody },
      },
    },
    async (request) => {
      const found = await history.ask<'findMessage'>({ method: 'findMessage', id: request.params.id })
      if (!found) throw new ApiError(404, 'not-found', 'there is no such message in history')
      return toDetail(new MessageView(found.record, found.naming))
    },
  )
  done()
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function toDetail({ row, text, record, message }: MessageView): MessageDetail {
  return {
    ...row,
    startLine: message?.startLine ?? '',
    headers: (message?.headers ?? []).map(({ name, canonical, value, raw }) => ({
      name,
      canonical,
      value,
      raw,
    })),
    raw: text,
    rawBase64: Buffer.from(record.payload).toString('base64'),
    body: message ? decoder.decode(message.body) : '',
    frames: record.frames.map((frame) => ({
      linkType: frame.linkType,
      at: toRfc3339(frame.atMicros),
      nanos: frame.nanos,
      base64: Buffer.from(frame.bytes).toString('base64'),
      originalLength: frame.originalLength,
      ...(frame.interfaceName === undefined ? {} : { interfaceName: frame.interfaceName }),
    })),
  }
}
