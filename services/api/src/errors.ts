import type { ErrorBody } from '@sip-capture/contract/rest/page.ts'
import { SearchError } from '@sip-capture/contract/search/query.ts'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { HistoryUnavailable } from './history/history-process.ts'

/** An answer other than 200 that the caller may read. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly statusCode: number
  readonly code: string

  constructor(statusCode: number, code: string, message: string) {
    super(message)
    this.statusCode = statusCode
    this.code = code
  }
}

/** The one error handler. What went wrong inside stays inside: the caller gets the request id to ask with. */
export function handleError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { statusCode, body } = toAnswer(error, request)
  if (statusCode >= 500) request.log.error({ err: error, reqId: request.id }, 'a request failed')
  return reply.code(statusCode).send(body)
}

/** The same for an answer whose status has gone out already: what the stream says last. */
export function toStreamError(error: unknown, request: FastifyRequest): ErrorBody {
  const { statusCode, body } = toAnswer(error as FastifyError, request)
  if (statusCode >= 500) request.log.error({ err: error, reqId: request.id }, 'a stream failed')
  return body
}

export function handleNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const body: ErrorBody = {
    code: 'not-found',
    message: `there is no ${request.method} ${pathOf(request.url)}`,
  }
  return reply.code(404).send(body)
}

function toAnswer(error: FastifyError, request: FastifyRequest): { statusCode: number; body: ErrorBody } {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const issues = error.validation.map(({ instancePath, keyword, message, params }) => ({
      path: toPath(instancePath, params),
      message: keyword === 'unrecognized_keys' ? 'there is no such parameter' : (message ?? 'is wrong'),
    }))
    return {
      statusCode: 400,
      body: { code: 'bad-request', message: issues.map(toSentence).join('; '), issues },
    }
  }
  if (error instanceof SearchError) {
    const { problem } = error
    const message = `${problem.message} (character ${problem.at + 1})`
    return {
      statusCode: 400,
      body: { code: 'bad-query', message: `q: ${message}`, issues: [{ path: 'q', ...problem }] },
    }
  }
  if (error instanceof ApiError)
    return { statusCode: error.statusCode, body: { code: error.code, message: error.message } }
  if (error instanceof HistoryUnavailable)
    return { statusCode: 503, body: { code: error.code, message: error.message } }
  if (error.statusCode !== undefined && error.statusCode < 500)
    return {
      statusCode: error.statusCode,
      body: { code: toSlug(error.code ?? 'bad-request'), message: error.message },
    }
  return {
    statusCode: 500,
    body: { code: 'internal', message: `something went wrong inside; the log has it under ${request.id}` },
  }
}

/** `/status/0` → `status.0`; an unknown word has no path of its own, so its name is the path. */
function toPath(instancePath: string, params: unknown): string {
  const path = instancePath.split('/').filter(Boolean).join('.')
  const issue = (params as { issue?: { keys?: unknown }; keys?: unknown } | undefined) ?? {}
  const keys = issue.issue?.keys ?? issue.keys
  return path === '' && Array.isArray(keys) ? keys.join(', ') : path
}

const toSentence = ({ path, message }: { path: string; message: string }): string =>
  path === '' ? message : `${path}: ${message}`

const toSlug = (code: string): string =>
  code
    .toLowerCase()
    .replace(/^fst_err_/, '')
    .replaceAll('_', '-')

const pathOf = (url: string): string => (url.split('?')[0] ?? '').slice(0, 200)
