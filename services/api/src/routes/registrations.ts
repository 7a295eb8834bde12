import type { EndpointDirectory } from '@sip-capture/contract/bus/endpoint-directory.ts'
import { errorBody } from '@sip-capture/contract/rest/page.ts'
import {
  registrationDetail,
  registrationQuery,
  registrationsAnswer,
  registrationsQuery,
} from '@sip-capture/contract/rest/registration.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ApiError } from '../errors.ts'
import type { History } from '../history/history-process.ts'
import { judgeCall } from '../registrations/judge-call.ts'
import { selectRows } from '../registrations/registration-filter.ts'
import { subjectsOf, toRegistrationRows } from '../registrations/registration-rows.ts'
import { toSteps } from '../registrations/registration-steps.ts'

const dayMicros = 86_400_000_000
const failures = { 400: errorBody, 401: errorBody, 403: errorBody, 503: errorBody }

export const registrationRoutes: FastifyPluginCallbackZod<{
  history: History
  directories: () => readonly EndpointDirectory[]
}> = (app, { history, directories }, done) => {
  app.get(
    '/registrations',
    {
      schema: {
        summary: 'How every AOR stands, the worst first',
        description:
          'Made of the REGISTERs of the last 24 hours (since, until) and of what Asterisk tells over AMI. About to expire: less than ' +
          'a tenth of the granted time is left. Flapping: lost or moved three times or more within 15 minutes.',
        querystring: registrationsQuery,
        response: { 200: registrationsAnswer, ...failures },
      },
    },
    async (request) => {
      const { since, until, ...wanted } = request.query
      const now = until ?? nowMicros()
      const found = await history.ask<'readRegistrations'>({
        method: 'readRegistrations',
        since: since ?? Math.max(0, now - dayMicros),
        until: now,
      })
      const told = until === undefined ? directories() : []
      return {
        at: toRfc3339(now),
        items: selectRows(toRegistrationRows(found, told, now), wanted),
        truncated: found.truncated,
      }
    },
  )

  app.get(
    '/registrations/:aor',
    {
      schema: {
        summary: 'What became of one AOR: REGISTERs, answers, moves, contact and security events',
        params: z.object({ aor: z.string().min(1).max(1024) }),
        querystring: registrationQuery,
        response: { 200: registrationDetail, 404: errorBody, ...failures },
      },
    },
    async (request) => {
      const { aor } = request.params
      const { node, limit } = request.query
      const now = request.query.until ?? nowMicros()
      const since = request.query.since ?? Math.max(0, now - dayMicros)
      const told = (request.query.until === undefined ? directories() : []).filter(
        (directory) => node === undefined || directory.node === node,
      )
      const timeline = await history.ask<'readRegistration'>({
        method: 'readRegistration',
        aor,
        node,
        subjects: subjectsOf(aor, told).slice(0, 100),
        since,
        until: now,
        limit,
      })
      const aors = timeline.summary === null ? [] : [timeline.summary]
      const rows = toRegistrationRows({ aors, events: timeline.events, truncated: false }, told, now)
      const summary = rows.find((row) => row.aor === aor)
      if (summary === undefined)
        throw new ApiError(404, 'not-found', 'neither history nor Asterisk knows this AOR in that time')
      const lastCallId = timeline.messages.at(-1)?.callId
      return {
        at: toRfc3339(now),
        summary,
        steps: toSteps(timeline),
        findings: lastCallId === undefined ? [] : await judgeCall(history, lastCallId, now),
        truncated: timeline.truncated,
      }
    },
  )
  done()
}
