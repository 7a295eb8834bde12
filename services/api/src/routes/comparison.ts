import { goodCallComparison } from '@sip-capture/contract/rest/comparison.ts'
import { errorBody } from '@sip-capture/contract/rest/page.ts'
import { compareCalls } from '@sip-capture/sip/comparison.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { readCall } from '../call-messages.ts'
import { findGoodCall } from '../comparison/good-call.ts'
import { ApiError } from '../errors.ts'
import type { History } from '../history/history-process.ts'
import { toObservedMessage } from '../ingest/message-row.ts'

const maxMessages = 2_000
const params = z.object({ id: z.string().min(1).max(65_535) })
const failures = { 400: errorBody, 401: errorBody, 403: errorBody, 404: errorBody, 503: errorBody }

export const comparisonRoutes: FastifyPluginCallbackZod<{ history: History }> = (app, { history }, done) => {
  async function findRow(id: string) {
    if (/^[0-9a-f]{32}$/.test(id)) {
      const own = await history.ask<'findCallRecord'>({ method: 'findCallRecord', id })
      if (own) return own.row
    }
    const { callIds } = await history.ask<'findCall'>({ method: 'findCall', id })
    const found = await history.ask<'findCallRecord'>({ method: 'findCallRecord', callIds, capture: '' })
    if (found) return found.row
    throw new ApiError(404, 'not-found', 'the call log has no call with this id')
  }
  async function observe(callId: string) {
    const { views } = await readCall(history, callId, { max: maxMessages })
    return views.map(toObservedMessage).filter((message) => message !== undefined)
  }

  app.get(
    '/calls/:id/good',
    {
      schema: {
        summary: 'The last good call of the same pair, number, trunk or endpoint, and what differs',
        description: 'Of live traffic only. What differs in every call (tags, branches, nonces) is left out.',
        params,
        response: { 200: goodCallComparison, ...failures },
      },
    },
    async (request) => {
      const call = await findRow(request.params.id)
      if (call.capture !== null)
        throw new ApiError(404, 'not-found', 'a call of an imported file has no good calls beside it')
      const { good, chosenBy, sentence } = await findGoodCall(history, call)
      const [badId, goodId] = [call.callIds[0], good?.callIds[0]]
      const differences =
        badId === undefined || goodId === undefined
          ? []
          : compareCalls(await observe(badId), await observe(goodId))
      return { call, good, chosenBy, sentence, differences }
    },
  )
  done()
}
