import type { SourcesAnswer } from '@sip-capture/contract/rest/source.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'

const readiness = z.object({ ready: z.boolean(), reasons: z.array(z.string()) })

export const healthRoutes: FastifyPluginCallbackZod<{ health: () => SourcesAnswer['api'] }> = (
  app,
  { health },
  done,
) => {
  const limits = { config: { rateLimit: false as const } }
  app.get(
    '/healthz',
    {
      ...limits,
      schema: { summary: 'The process lives', response: { 200: z.object({ ok: z.literal(true) }) } },
    },
    () => ({ ok: true as const }),
  )
  app.get(
    '/readyz',
    {
      ...limits,
      schema: { summary: 'Redis and history answer', response: { 200: readiness, 503: readiness } },
    },
    async (_request, reply) => {
      const { redis, history } = health()
      const reasons = [redis, history].filter(({ ok }) => !ok).map(({ detail }) => detail)
      void reply.code(reasons.length === 0 ? 200 : 503)
      return { ready: reasons.length === 0, reasons }
    },
  )
  done()
}
