import type { Readable } from 'node:stream'
import { exportRequest, exportView } from '@sip-capture/contract/rest/export.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Exports } from '../jobs/exports.ts'
import { checkSearch } from './check-search.ts'
import { jobFailures, jobParams } from './job-params.ts'

/** A stream passes the serializer untouched; this is for the documentation. */
const captureFile = z.custom<Readable>().meta({ type: 'string', format: 'binary' })

export const exportRoutes: FastifyPluginCallbackZod<{ exports: Exports }> = (app, { exports }, done) => {
  app.post(
    '/exports',
    {
      schema: {
        summary: 'Orders a capture file of all messages that match; the answer has its id',
        body: exportRequest,
        response: { 202: z.object({ id: z.string() }), ...jobFailures },
      },
    },
    async (request, reply) => {
      checkSearch(request.body.filter)
      return reply.code(202).send({ id: await exports.create(request.body) })
    },
  )

  app.get(
    '/exports',
    {
      schema: {
        summary: 'All exports, newest first',
        response: { 200: z.object({ items: z.array(exportView) }), ...jobFailures },
      },
    },
    async () => ({ items: await exports.list() }),
  )

  app.get(
    '/exports/:id',
    { schema: { summary: 'One export', params: jobParams, response: { 200: exportView, ...jobFailures } } },
    async (request) => await exports.find(request.params.id),
  )

  app.get(
    '/exports/:id/file',
    {
      schema: {
        summary: 'The file of a completed export',
        params: jobParams,
        response: { 200: captureFile, ...jobFailures },
      },
    },
    async (request, reply) => {
      const { handle, sizeBytes, record } = await exports.openFile(request.params.id)
      return reply
        .header(
          'content-type',
          record.format === 'pcapng' ? 'application/x-pcapng' : 'application/vnd.tcpdump.pcap',
        )
        .header('content-length', sizeBytes)
        .header('content-disposition', `attachment; filename="${record.downloadName}"`)
        .header('x-content-type-options', 'nosniff')
        .send(handle.createReadStream())
    },
  )

  app.delete(
    '/exports/:id',
    {
      schema: {
        summary: 'Cancels an export that is not finished; deletes one that is, with its file',
        params: jobParams,
        response: { 204: z.null(), ...jobFailures },
      },
    },
    async (request, reply) => {
      await exports.remove(request.params.id)
      return reply.code(204).send(null)
    },
  )
  done()
}
