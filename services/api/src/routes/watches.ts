import { delivery, watchMatches, watchRequest, watchView } from '@sip-capture/contract/rest/watch.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Watches } from '../watches/watches.ts'
import { jobFailures, jobParams } from './job-params.ts'

export const watchRoutes: FastifyPluginCallbackZod<{ watches: Watches }> = (app, { watches }, done) => {
  const path = '/watches'
  app.post(
    path,
    {
      schema: {
        summary: 'Makes a watch: a search over calls that tells when the next call matches',
        description:
          'On the page, and by a webhook where it has one. The API asks the URL from where it runs: whoever has a token can make ' +
          'it ask any host but link-local and metadata addresses.',
        body: watchRequest,
        response: { 201: watchView, ...jobFailures },
      },
    },
    async (request, reply) => reply.code(201).send(await watches.create(request.body)),
  )

  app.get(
    path,
    {
      schema: {
        summary: 'All watches, newest first',
        response: { 200: z.object({ items: z.array(watchView) }), ...jobFailures },
      },
    },
    async () => ({ items: await watches.list() }),
  )

  app.get(
    `${path}/matches`,
    {
      schema: {
        summary: 'What matched lately, newest first',
        response: { 200: watchMatches, ...jobFailures },
      },
    },
    async () => ({ items: await watches.matches() }),
  )

  app.get(
    `${path}/:id`,
    { schema: { summary: 'One watch', params: jobParams, response: { 200: watchView, ...jobFailures } } },
    async (request) => await watches.find(request.params.id),
  )

  app.put(
    `${path}/:id`,
    {
      schema: {
        summary: 'Changes a watch; `paused` stops it',
        params: jobParams,
        body: watchRequest,
        response: { 200: watchView, ...jobFailures },
      },
    },
    async (request) => await watches.replace(request.params.id, request.body),
  )

  app.delete(
    `${path}/:id`,
    {
      schema: {
        summary: 'Deletes a watch and the list of its matches; the calls it kept stay kept',
        params: jobParams,
        response: { 204: z.null(), ...jobFailures },
      },
    },
    async (request, reply) => {
      await watches.remove(request.params.id)
      return reply.code(204).send(null)
    },
  )

  app.post(
    `${path}/:id/test`,
    {
      schema: {
        summary: 'Sends its webhook a test, once; the answer says how it went',
        params: jobParams,
        response: { 200: delivery, ...jobFailures },
      },
    },
    async (request) => await watches.test(request.params.id),
  )
  done()
}
