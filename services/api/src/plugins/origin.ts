import type { FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { isLoopbackHost } from '../config.ts'
import { ApiError } from '../errors.ts'

export interface OriginOptions {
  readonly apiHost: string
  readonly allowedOrigins: readonly string[]
  readonly hasTokens: boolean
}

/**
 * Who may ask from a browser. A foreign page must neither read calls over REST nor open the WebSocket, which no
 * same-origin rule of the browser guards; and a foreign name that resolves to this machine (DNS rebinding) is refused.
 */
export const origin = fastifyPlugin<OriginOptions>(
  (app, options, done) => {
    const allowed = new Set(options.allowedOrigins.map((text) => new URL(text).origin))
    const allowedHosts = new Set([...allowed].map((text) => new URL(text).host))
    app.addHook('onRequest', (request, _reply, next) => {
      const fault = findFault(request, options, allowed, allowedHosts)
      next(fault && new ApiError(403, fault.code, fault.message))
    })
    done()
  },
  { name: 'origin', dependencies: ['@fastify/websocket'] },
)

function findFault(
  request: FastifyRequest,
  { apiHost, hasTokens }: OriginOptions,
  allowed: ReadonlySet<string>,
  allowedHosts: ReadonlySet<string>,
): { code: string; message: string } | undefined {
  const host = parseHost(request.headers.host)
  if (!host) return { code: 'host-not-allowed', message: 'the Host header is missing or unreadable' }
  if (isLoopbackHost(apiHost) && !isLoopbackName(host.hostname) && !allowedHosts.has(host.host))
    return {
      code: 'host-not-allowed',
      message: 'this service answers to localhost only; add the address of the page to ALLOWED_ORIGINS',
    }
  const given = request.headers.origin
  if (given === undefined) {
    // Browsers always send Origin with a WebSocket, so this is no browser.
    if (!request.ws || hasTokens || isLoopbackPeer(request)) return undefined
    return { code: 'origin-missing', message: 'a WebSocket from another machine needs an Origin or a token' }
  }
  const parsed = URL.canParse(given) ? new URL(given) : undefined
  // Compared as parsed: `https://good.example.evil.example` is another origin.
  const isAllowed =
    parsed !== undefined &&
    /^https?:$/.test(parsed.protocol) &&
    (allowed.size > 0 ? allowed.has(parsed.origin) : parsed.host === host.host)
  if (isAllowed) return undefined
  return { code: 'origin-not-allowed', message: 'pages of this origin may not ask; see ALLOWED_ORIGINS' }
}

function parseHost(header: string | undefined): URL | undefined {
  if (!header || !/^[\w.:[\]-]+$/.test(header) || !URL.canParse(`http://${header}`)) return undefined
  return new URL(`http://${header}`)
}

function isLoopbackName(hostname: string): boolean {
  return hostname === '[::1]' || isLoopbackHost(hostname)
}

function isLoopbackPeer(request: FastifyRequest): boolean {
  const address = (request.raw.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  return address === '' || isLoopbackHost(address)
}
