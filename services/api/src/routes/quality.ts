import { callQuery } from '@sip-capture/contract/rest/call.ts'
import { errorBody } from '@sip-capture/contract/rest/page.ts'
import { callQuality } from '@sip-capture/contract/rest/quality.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { readCall } from '../call-messages.ts'
import { toCallId } from '../calls/to-call-id.ts'
import type { History } from '../history/history-process.ts'
import { readQuality } from '../quality/read-quality.ts'

const maxMessages = 5_000
const failures = { 400: errorBody, 401: errorBody, 403: errorBody, 404: errorBody, 503: errorBody }

export const qualityRoutes: FastifyPluginCallbackZod<{ history: History }> = (app, { history }, done) => {
  app.get(
    '/calls/:id/quality',
    {
      schema: {
        summary: 'Jitter, loss and round trip of a call’s RTP streams as RTCP told, and an estimate of MOS',
        description:
          'MOS by the E-model of ITU-T G.107, reduced: R = 93.2 − Id − Ie,eff; Id = 0.024·d + 0.11·(d − 177.3)·H(d − 177.3), ' +
          'd = round trip / 2 + 20 ms + 2·jitter; Ie,eff = Ie + (95 − Ie)·Ppl/(Ppl + Bpl), Ie and Bpl of the codec by G.113; ' +
          'MOS = 1 + 0.035·R + R·(R − 60)·(100 − R)·7·10⁻⁶.',
        params: z.object({ id: z.string().min(1).max(65_535) }),
        querystring: callQuery,
        response: { 200: callQuality, ...failures },
      },
    },
    async (request) => {
      const { id, capture } = await toCallId(history, request.params.id, request.query.capture)
      // RTCP is of live traffic; a file may hold the same Call-ID by chance.
      if (capture !== undefined) return { streams: [], truncated: false }
      const { call, views } = await readCall(history, id, { max: maxMessages })
      return readQuality(history, id, { call, views })
    },
  )
  done()
}
