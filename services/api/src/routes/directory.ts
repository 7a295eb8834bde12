import {
  aliasesAnswer,
  directoryAnswer,
  endpointsQuery,
  type DirectoryEntry,
} from '@sip-capture/contract/rest/directory.ts'
import { errorBody } from '@sip-capture/contract/rest/page.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import type { Aliases } from '../directory-aliases.ts'

const failures = { 400: errorBody, 401: errorBody, 403: errorBody }

export interface DirectoryView {
  readonly entries: readonly DirectoryEntry[]
  readonly aliases: Aliases
}

export const directoryRoutes: FastifyPluginCallbackZod<{ directory: () => DirectoryView }> = (
  app,
  { directory },
  done,
) => {
  app.get(
    '/endpoints',
    {
      schema: {
        summary: 'Endpoints of every Asterisk, with contacts, registrations, qualify time and device state',
        querystring: endpointsQuery,
        response: { 200: directoryAnswer, ...failures },
      },
    },
    (request) => {
      const { kind, node } = request.query
      const items = directory().entries.filter(
        (entry) => (kind === undefined || entry.kind === kind) && (node === undefined || entry.node === node),
      )
      return { items: [...items] }
    },
  )
  app.get(
    '/trunks',
    {
      schema: {
        summary: 'Endpoints that register outbound or are identified by address',
        response: { 200: directoryAnswer, ...failures },
      },
    },
    () => ({ items: directory().entries.filter(({ kind }) => kind === 'trunk') }),
  )
  app.get(
    '/aliases',
    {
      schema: {
        summary: 'Names of the user’s own, from ALIASES_FILE',
        response: { 200: aliasesAnswer, ...failures },
      },
    },
    () => {
      const { addresses, numbers } = directory().aliases
      return { addresses: [...addresses], numbers: [...numbers] }
    },
  )
  done()
}
