import { callQuery } from '@sip-capture/contract/rest/call.ts'
import { pinnedCall, pinnedCalls } from '@sip-capture/contract/rest/watch.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { toCallId } from '../calls/to-call-id.ts'
import { ApiError } from '../errors.ts'
import type { History } from '../history/history-process.ts'
import { jobFailures } from './job-params.ts'

const callParams = z.object({ id: z.string().min(1).max(65_535) })

/** Calls that are kept beyond retention. */
export const pinnedCallRoutes: FastifyPluginCallbackZod<{ history: History; max: number }> = (
  app,
  { history, max },
  done,
) => {
  app.get(
    '/pinned-calls',
    {
      schema: {
        summary: 'Calls that are kept beyond retention, newest first',
        response: { 200: pinnedCalls, ...jobFailures },
      },
    },
    async () => ({ items: await history.ask<'listPins'>({ method: 'listPins' }), max }),
  )

  app.put(
    '/calls/:id/pin',
    {
      schema: {
        summary: 'Keeps a call beyond retention; id as in /calls/{id}',
        params: callParams,
        querystring: callQuery,
        response: { 200: pinnedCall, ...jobFailures },
      },
    },
    async (request) => {
      const { id, capture } = await toCallId(history, request.params.id, request.query.capture)
      const outcome = await history.ask<'pinCall'>({ method: 'pinCall', id, capture, by: '', max })
      if ('pin' in outcome) return outcome.pin
      throw outcome.problem === 'full'
        ? new ApiError(
            429,
            'too-many-pinned-calls',
            `${max} calls are kept already (PINNED_CALLS_MAX); let one go first`,
          )
        : new ApiError(404, 'not-found', 'history has no message of such a call')
    },
  )

  app.delete(
    '/calls/:id/pin',
    {
      schema: {
        summary: 'Lets retention have the call again; what it has taken already is gone for good',
        params: callParams,
        querystring: callQuery,
        response: { 204: z.null(), ...jobFailures },
      },
    },
    async (request, reply) => {
      const { id, capture } = await toCallId(history, request.params.id, request.query.capture)
      const pin = await history.ask<'findPin'>({ method: 'findPin', names: [id, request.params.id], capture })
      const isGone = pin && (await history.ask<'unpinCall'>({ method: 'unpinCall', id: pin.id }))
      if (!isGone) throw new ApiError(404, 'not-found', 'this call is not kept')
      return reply.code(204).send(null)
    },
  )
  done()
}
