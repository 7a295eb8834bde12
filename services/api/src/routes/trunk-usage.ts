import { trunkUsageAnswer, trunkUsageQuery } from '@sip-capture/contract/rest/directory.ts'
import { errorBody } from '@sip-capture/contract/rest/page.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import type { History } from '../history/history-process.ts'

const dayMicros = 86_400_000_000
const failures = { 400: errorBody, 401: errorBody, 403: errorBody, 503: errorBody }

export const trunkUsageRoutes: FastifyPluginCallbackZod<{ history: History }> = (app, { history }, done) => {
  app.get(
    '/trunks/usage',
    {
      schema: {
        summary: 'Which endpoints had calls with which trunks in the last 24 hours (since)',
        querystring: trunkUsageQuery,
        response: { 200: trunkUsageAnswer, ...failures },
      },
    },
    async (request) => ({
      items: await history.ask<'readTrunkUsage'>({
        method: 'readTrunkUsage',
        since: request.query.since ?? nowMicros() - dayMicros,
      }),
    }),
  )
  done()
}
