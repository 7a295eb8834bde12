import multipart from '@fastify/multipart'
import { importView } from '@sip-capture/contract/rest/import.ts'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ApiError } from '../errors.ts'
import type { Imports } from '../jobs/imports.ts'
import { jobFailures, jobParams } from './job-params.ts'

export const importRoutes: FastifyPluginAsyncZod<{ imports: Imports; maxBytes: number }> = async (
  app,
  { imports, maxBytes },
) => {
  await app.register(multipart, {
    throwFileSizeLimit: false,
    limits: { fileSize: maxBytes, files: 1, fields: 0, parts: 1, headerPairs: 32 },
  })

  app.post(
    '/imports',
    {
      schema: {
        summary: 'Takes a pcap or pcapng file (multipart/form-data, field `file`); the answer has its id',
        consumes: ['multipart/form-data'],
        response: { 202: z.object({ id: z.string() }), ...jobFailures },
      },
    },
    async (request, reply) => {
      if (!request.isMultipart())
        throw new ApiError(400, 'bad-request', 'file: send multipart/form-data with the field `file`')
      const upload = await request.file()
      if (!upload) throw new ApiError(400, 'bad-request', 'file: is missing')
      if (upload.fieldname !== 'file')
        throw new ApiError(400, 'bad-request', 'file: the field with the capture has this name')
      const { file, filename } = upload
      const id = await imports.create({ name: filename, content: file, isCut: () => file.truncated })
      return reply.code(202).send({ id })
    },
  )

  app.get(
    '/imports',
    {
      schema: {
        summary: 'All imports, newest first',
        response: { 200: z.object({ items: z.array(importView) }), ...jobFailures },
      },
    },
    async () => ({ items: await imports.list() }),
  )

  app.get(
    '/imports/:id',
    { schema: { summary: 'One import', params: jobParams, response: { 200: importView, ...jobFailures } } },
    async (request) => await imports.find(request.params.id),
  )

  app.delete(
    '/imports/:id',
    {
      schema: {
        summary: 'Deletes an import: all its messages go from history',
        params: jobParams,
        response: { 204: z.null(), ...jobFailures },
      },
    },
    async (request, reply) => {
      await imports.remove(request.params.id)
      return reply.code(204).send(null)
    },
  )
}
