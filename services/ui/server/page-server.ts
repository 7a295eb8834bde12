import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describeListenError } from '@sip-capture/service/lifecycle.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { checkExposure, type UiConfig } from './config.ts'
import { type PageFile, readPageFiles } from './page-files.ts'
import { embedHeaders, pageHeaders } from './page-headers.ts'
import { answerJson, createProxy, maxHeaderBytes, refuseUpgrade } from './proxy.ts'

const builtPage = fileURLToPath(new URL('../dist', import.meta.url))

/** The viewer that other pages may frame. */
const embedded = /^\/embed(\/|$)/
const proxied = /^\/(api|docs)(\/|$)|^\/openapi\.json$/

export interface PageServer {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves the built page and hands `/api`, `/docs`, `/openapi.json` and `/ws` to the API.
 * @throws ConfigError when the port is taken or the page is not built
 */
export async function startPageServer(
  context: { config: UiConfig; logger: Logger },
  options: { folder?: string; port?: number } = {},
): Promise<PageServer> {
  const { config, logger } = context
  checkExposure(config)
  const files = await readPageFiles(options.folder ?? builtPage)
  const forEmbed = embedHeaders(config.ALLOWED_ORIGINS)
  const proxy = createProxy(config.API_URL, logger)
  const server = createServer({ maxHeaderSize: maxHeaderBytes }, (request, response) => {
    const path = pathOf(request)
    if (path === undefined)
      answerJson(response, 400, { code: 'bad_request', message: 'The request target is not a path.' })
    else if (proxied.test(path)) proxy.forward(request, response)
    else if (embedded.test(path)) answerFile(files, '/embed.html', forEmbed, request, response)
    else answerFile(files, path, pageHeaders, request, response)
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request, socket, head) => {
    if (pathOf(request) === '/ws') proxy.upgrade(request, socket, head)
    else refuseUpgrade(socket, '404 Not Found')
  })
  server.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  const port = options.port ?? config.UI_PORT
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(describeListenError(error, 'UI_PORT', `${config.UI_HOST}:${port}`)),
    )
    server.listen({ host: config.UI_HOST, port }, resolve)
  })
  const { address, port: actualPort } = server.address() as AddressInfo
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${actualPort}`
  logger.info({ url, api: config.API_URL }, 'page served')
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** The path alone, as sent; `undefined` for an absolute URL, `*` and the like. */
function pathOf(request: IncomingMessage): string | undefined {
  const url = request.url ?? ''
  return url.startsWith('/') && !url.startsWith('//') ? url.split('?', 1)[0] : undefined
}

function answerFile(
  files: ReadonlyMap<string, PageFile>,
  path: string,
  headers: Readonly<Record<string, string>>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return answerJson(response, 405, { code: 'method_not_allowed', message: 'The page is read with GET.' })
  }
  if (path === '/healthz') return answerJson(response, 200, { code: 'ok', message: 'The page is served.' })
  // A path without a dot is a place in the page; one with a dot would be a file.
  const file = files.get(path) ?? (path.includes('.') ? undefined : files.get('/index.html'))
  if (file === undefined)
    return answerJson(response, 404, { code: 'not_found', message: 'There is no such file.' })
  const zipped = file.gzip !== null && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
  const body = zipped && file.gzip !== null ? file.gzip : file.plain
  response.writeHead(200, {
    ...headers,
    'content-type': file.type,
    'content-length': body.length,
    'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    vary: 'accept-encoding',
    ...(zipped ? { 'content-encoding': 'gzip' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
