import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { ApiError } from '../errors.ts'

/** Probes of a supervisor: they tell nothing about calls. */
const openPaths = new Set(['/healthz', '/readyz'])
const tokenProtocol = 'token.'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/**
 * With tokens set, every route wants one: `Authorization: Bearer …`, or for a WebSocket, where a browser cannot set
 * headers, the subprotocol `token.<base64url>` offered beside `sip-capture`.
 */
export const auth = fastifyPlugin<{ tokens: readonly string[] }>(
  (app, { tokens }, done) => {
    const digests = tokens.map(digest)
    app.addHook('onRequest', (request, reply, next) => {
      if (digests.length === 0 || openPaths.has(request.routeOptions.url ?? '')) return next()
      const token = request.ws ? (readBearer(request) ?? readProtocolToken(request)) : readBearer(request)
      if (token !== undefined && isKnown(token, digests)) return next()
      void reply.header('www-authenticate', 'Bearer')
      next(
        new ApiError(
          401,
          token === undefined ? 'token-missing' : 'token-wrong',
          token === undefined
            ? 'this service wants a token (API_TOKENS)'
            : 'this token is not one of API_TOKENS',
        ),
      )
    })
    done()
  },
  { name: 'auth', dependencies: ['@fastify/websocket'] },
)

/** As long for a wrong token as for a right one, whatever it looks like. */
function isKnown(token: string, digests: readonly Buffer[]): boolean {
  const given = digest(token)
  let isKnown = false
  for (const known of digests) if (timingSafeEqual(given, known)) isKnown = true
  return isKnown
}

function readBearer(request: FastifyRequest): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
}

function readProtocolToken(request: FastifyRequest): string | undefined {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((text) => text.trim())
  const encoded = offered.find((protocol) => protocol.startsWith(tokenProtocol))
  return encoded && Buffer.from(encoded.slice(tokenProtocol.length), 'base64url').toString('utf8')
}
