import { scheduleRequest, scheduleView } from '@sip-capture/contract/rest/export.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Schedules } from '../jobs/schedules.ts'
import { checkSearch } from './check-search.ts'
import { jobFailures, jobParams } from './job-params.ts'

export const exportScheduleRoutes: FastifyPluginCallbackZod<{ schedules: Schedules }> = (
  app,
  { schedules },
  done,
) => {
  const path = '/export-schedules'
  app.post(
    path,
    {
      schema: {
        summary: 'Makes a schedule of exports',
        body: scheduleRequest,
        response: { 201: scheduleView, ...jobFailures },
      },
    },
    async (request, reply) => {
      checkSearch(request.body.filter)
      return reply.code(201).send(await schedules.create(request.body))
    },
  )

  app.get(
    path,
    {
      schema: {
        summary: 'All schedules, newest first',
        response: { 200: z.object({ items: z.array(scheduleView) }), ...jobFailures },
      },
    },
    async () => ({ items: await schedules.list() }),
  )

  app.get(
    `${path}/:id`,
    {
      schema: { summary: 'One schedule', params: jobParams, response: { 200: scheduleView, ...jobFailures } },
    },
    async (request) => await schedules.find(request.params.id),
  )

  app.put(
    `${path}/:id`,
    {
      schema: {
        summary: 'Changes a schedule; `paused` stops it',
        params: jobParams,
        body: scheduleRequest,
        response: { 200: scheduleView, ...jobFailures },
      },
    },
    async (request) => {
      checkSearch(request.body.filter)
      return await schedules.replace(request.params.id, request.body)
    },
  )

  app.delete(
    `${path}/:id`,
    {
      schema: {
        summary: 'Deletes a schedule; its files expire as others do',
        params: jobParams,
        response: { 204: z.null(), ...jobFailures },
      },
    },
    async (request, reply) => {
      await schedules.remove(request.params.id)
      return reply.code(204).send(null)
    },
  )

  app.post(
    `${path}/:id/run`,
    {
      schema: {
        summary: 'Runs it now; the answer has the id of the export',
        params: jobParams,
        response: { 202: z.object({ id: z.string() }), ...jobFailures },
      },
    },
    async (request, reply) => reply.code(202).send({ id: await schedules.run(request.params.id) }),
  )
  done()
}
