import { resolution, resolveQuery } from '@sip-capture/contract/rest/call-log.ts'
import { errorBody } from '@sip-capture/contract/rest/page.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { ApiError } from '../errors.ts'
import type { History } from '../history/history-process.ts'

const failures = { 400: errorBody, 401: errorBody, 403: errorBody, 503: errorBody }

export const resolveRoutes: FastifyPluginCallbackZod<{ history: History }> = (app, { history }, done) => {
  app.get(
    '/resolve',
    {
      schema: {
        summary: 'A deep link to the call it means, or to the calls it may mean',
        description:
          'id: Call-ID, Uniqueid, Linkedid, channel or our own id; else it is read as a number of either side, or as a Uniqueid that tells a time. Then the numbers and the time, then the time alone. What is only near is a list, never a choice.',
        querystring: resolveQuery,
        response: { 200: resolution, ...failures },
      },
    },
    (request) => {
      const { id, at, from, to } = request.query
      if (id === undefined && at === undefined && from === undefined && to === undefined)
        throw new ApiError(400, 'bad-request', 'id, at, from or to: at least one is needed')
      return history.ask<'resolveCall'>({ method: 'resolveCall', id, at, from, to })
    },
  )
  done()
}
