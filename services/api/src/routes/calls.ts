import type { Readable } from 'node:stream'
import { callQuery, pcapQuery } from '@sip-capture/contract/rest/call.ts'
import { callFilter, callRow, loggedCallDetail } from '@sip-capture/contract/rest/call-log.ts'
import { callStreamType, type JudgedCall } from '@sip-capture/contract/rest/call-stream.ts'
import { errorBody, page, pageQuery } from '@sip-capture/contract/rest/page.ts'
import { toCallQuery } from '@sip-capture/contract/search/call-query.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type CallMessages, openCall, readCall } from '../call-messages.ts'
import { streamCall, toCallMessage } from '../call-stream.ts'
import { toCallId } from '../calls/to-call-id.ts'
import { callFileName, createCallCapture } from '../call-capture.ts'
import type { History } from '../history/history-process.ts'
import { toStreamError } from '../errors.ts'
import { formatCursor, parseCursor } from './cursor.ts'
import { judgeCall, type FindNode } from '../options/judge-call.ts'
import { readQuality, toMediaReports } from '../quality/read-quality.ts'
import type { OptionValues } from '../options/option-values.ts'

const maxMessages = 10_000
const maxCaptureMessages = 50_000
const callsQuery = z.strictObject({ ...callFilter.shape, ...pageQuery.shape })
const callParams = z.object({ id: z.string().min(1).max(65_535) })
/** A stream passes the serializer untouched; this is for the documentation. */
const captureFile = z.custom<Readable>().meta({ type: 'string', format: 'binary' })
const lineStream = z.custom<Readable>().meta({ type: 'string' })
const failures = { 400: errorBody, 401: errorBody, 403: errorBody, 404: errorBody, 503: errorBody }

export interface CallRouteOptions {
  readonly history: History
  readonly optionValues: OptionValues
  readonly findNode: FindNode
}

export const callRoutes: FastifyPluginCallbackZod<CallRouteOptions> = (
  app,
  { history, optionValues, findNode },
  done,
) => {
  app.get(
    '/calls',
    {
      schema: {
        summary: 'The call log, newest first',
        querystring: callsQuery,
        response: { 200: page(callRow), 400: errorBody, 401: errorBody, 403: errorBody, 503: errorBody },
      },
    },
    async (request) => {
      const { since, until, order, limit, cursor, ...filter } = request.query
      toCallQuery(filter, { nowMicros: nowMicros() })
      const found = await history.ask<'listCalls'>({
        method: 'listCalls',
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

  const findRecord = (callIds: string[], capture = '') =>
    history.ask<'findCallRecord'>({ method: 'findCallRecord', callIds, capture })

  /** `asked`: as the request named it, and the Call-ID that it means. */
  async function judge(
    asked: { id: string; callId: string; capture: string | undefined },
    { call, views, truncated }: Pick<CallMessages, 'call' | 'views' | 'truncated'>,
  ): Promise<JudgedCall> {
    const pin = await history.ask<'findPin'>({
      method: 'findPin',
      names: call.callIds,
      capture: asked.capture,
    })
    // RTCP is of live traffic; a file may hold the same Call-ID by chance.
    const hasMedia = asked.capture === undefined && call.linkedids.length > 0
    const media = hasMedia ? toMediaReports(await readQuality(history, asked.callId, { call, views })) : []
    const { state, from, to, startedAtMicros, endedAtMicros, findings, optionsProblem } = await judgeCall(
      views,
      { nowMicros: nowMicros(), media, optionValues, findNode },
    )
    return {
      id: asked.id,
      state,
      from,
      to,
      startedAt: toRfc3339(startedAtMicros),
      endedAt: endedAtMicros === null ? null : toRfc3339(endedAtMicros),
      findings: findings.map((finding) => ({
        ...finding,
        evidence: [...finding.evidence],
        checks: [...finding.checks],
        rfc: [...finding.rfc],
      })),
      ...(optionsProblem === undefined ? {} : { optionsProblem }),
      truncated,
      pinned: pin ? { at: toRfc3339(pin.pinnedAtMicros), by: pin.pinnedBy } : null,
    }
  }

  app.get(
    '/calls/:id',
    {
      schema: {
        summary: 'One call with all its legs; id: Call-ID, Uniqueid, Linkedid, channel or our own',
        params: callParams,
        querystring: callQuery,
        response: { 200: loggedCallDetail, ...failures },
      },
    },
    async (request) => {
      const { id, capture } = await toCallId(history, request.params.id, request.query.capture)
      const { call, views, truncated } = await readCall(history, id, { max: maxMessages, capture })
      const record = await findRecord(call.callIds, capture)
      return {
        ...(await judge({ id: request.params.id, callId: id, capture }, { call, views, truncated })),
        legs: call.legs,
        messages: views.map(toCallMessage),
        summary: record?.row ?? null,
      }
    },
  )

  app.get(
    '/calls/:id/stream',
    {
      schema: {
        summary: 'The same call as lines of JSON, the first messages at once',
        description:
          'A `begin` with the legs and the number of messages, `messages` in order of time, and last an `end` with what is ' +
          'judged of all of them, or `failed`. Without one of these two the answer was cut off.',
        params: callParams,
        querystring: callQuery,
        response: { 200: lineStream, ...failures },
      },
    },
    async (request, reply) => {
      const { id, capture } = await toCallId(history, request.params.id, request.query.capture)
      const reading = await openCall(history, id, { max: maxMessages, capture })
      const { call, truncated } = reading
      const lines = streamCall(reading, {
        judge: (views) => judge({ id: request.params.id, callId: id, capture }, { call, views, truncated }),
        onError: (error) => toStreamError(error, request),
      })
      return reply.header('content-type', callStreamType).header('cache-control', 'no-store').send(lines)
    },
  )

  app.get(
    '/calls/:id/pcap',
    {
      schema: {
        summary: 'One call as a capture file',
        description:
          'Frames as captured, byte for byte, for what was seen on the wire; built ones, with a comment, for the rest.',
        params: callParams,
        querystring: pcapQuery,
        response: { 200: captureFile, ...failures },
      },
    },
    async (request, reply) => {
      const { format, mask } = request.query
      const from = await toCallId(history, request.params.id, request.query.capture)
      const { views, truncated } = await readCall(history, from.id, {
        max: maxCaptureMessages,
        capture: from.capture,
        withFrames: true,
      })
      const capture = createCallCapture(views, { format, mask: mask === 'true', truncated })
      return reply
        .header('content-type', format === 'pcapng' ? 'application/x-pcapng' : 'application/vnd.tcpdump.pcap')
        .header(
          'content-disposition',
          `attachment; filename="${callFileName(request.params.id, views, format)}"`,
        )
        .header('x-content-type-options', 'nosniff')
        .send(capture)
    },
  )
  done()
}
