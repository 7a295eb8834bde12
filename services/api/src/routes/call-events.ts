import { callEventsAnswer } from '@sip-capture/contract/rest/call-events.ts'
import { errorBody } from '@sip-capture/contract/rest/page.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { History } from '../history/history-process.ts'

const failures = { 400: errorBody, 401: errorBody, 403: errorBody, 503: errorBody }

export const callEventRoutes: FastifyPluginCallbackZod<{ history: History }> = (app, { history }, done) => {
  app.get(
    '/calls/:id/events',
    {
      schema: {
        summary:
          'What Asterisk told of a call: legs, dials, bridges, transfers, RTCP; empty where it told nothing',
        params: z.strictObject({ id: z.string().min(1).max(65_535) }),
        response: { 200: callEventsAnswer, ...failures },
      },
    },
    async (request) => ({
      items: await history.ask<'readCallEvents'>({ method: 'readCallEvents', id: request.params.id }),
    }),
  )
  done()
}
