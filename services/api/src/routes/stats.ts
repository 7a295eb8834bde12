import { callStats, statsQuery } from '@sip-capture/contract/rest/call-log.ts'
import { errorBody } from '@sip-capture/contract/rest/page.ts'
import { toCallQuery } from '@sip-capture/contract/search/call-query.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { ApiError } from '../errors.ts'
import type { History } from '../history/history-process.ts'

const failures = { 400: errorBody, 401: errorBody, 403: errorBody, 503: errorBody }
const dayMicros = 86_400_000_000
const maxBuckets = 1_000
const wantedBuckets = 60
/** Widths that a person reads easily, seconds. */
const widths = [1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_678_400]

export const statsRoutes: FastifyPluginCallbackZod<{ history: History }> = (app, { history }, done) => {
  app.get(
    '/stats',
    {
      schema: {
        summary: 'Calls counted over time: answered, ASR, NER, PDD; by state, code, verdict and trunk',
        description: 'Of calls that began in since..until (absent: the last 24 hours).',
        querystring: statsQuery,
        response: { 200: callStats, ...failures },
      },
    },
    (request) => {
      const { since: from, until: to, bucket, ...filter } = request.query
      const now = nowMicros()
      toCallQuery(filter, { nowMicros: now })
      const until = to ?? now
      const since = from ?? Math.max(0, until - dayMicros)
      if (since >= until) throw new ApiError(400, 'bad-request', 'since: must be before until')
      const seconds = Math.ceil((until - since) / 1_000_000)
      const bucketSeconds =
        bucket ??
        widths.find((width) => seconds / width <= wantedBuckets) ??
        Math.ceil(seconds / wantedBuckets)
      if (seconds / bucketSeconds > maxBuckets)
        throw new ApiError(400, 'bad-request', `bucket: at most ${maxBuckets} buckets; widen it`)
      return history.ask<'readCallStats'>({ method: 'readCallStats', filter, since, until, bucketSeconds })
    },
  )
  done()
}
