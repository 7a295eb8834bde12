import { errorBody } from '@sip-capture/contract/rest/page.ts'
import { sourcesAnswer, type SourcesAnswer } from '@sip-capture/contract/rest/source.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'

export const sourceRoutes: FastifyPluginCallbackZod<{ sources: () => SourcesAnswer }> = (
  app,
  { sources },
  done,
) => {
  app.get(
    '/sources',
    {
      schema: {
        summary: 'Health of every capture source and of this service',
        response: { 200: sourcesAnswer, 401: errorBody, 403: errorBody },
      },
    },
    () => sources(),
  )
  done()
}
