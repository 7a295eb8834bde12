import {
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
  type ServerResponse,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import type { Logger } from '@sip-capture/service/logger.ts'

/** Headers that belong to one connection, RFC 9110 7.6.1. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** A Call-ID of 65,535 bytes, percent-encoded, must fit the request line. */
export const maxHeaderBytes = 256 * 1024

const connectMillis = 30_000

export interface Proxy {
  forward(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** Hands requests to the API as they came; `Host` and `Origin` stay, because the API judges by them. */
export function createProxy(apiUrl: string, logger: Logger): Proxy {
  const target = new URL(apiUrl)
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest
  const base = target.pathname.replace(/\/$/, '')

  function options(request: IncomingMessage, keep: readonly string[]): RequestOptions {
    const headers: Record<string, string | string[]> = {}
    for (const [name, value] of Object.entries(request.headers))
      if (value !== undefined && (!hopByHop.has(name) || keep.includes(name))) headers[name] = value
    const before = request.headers['x-forwarded-for']
    const peer = request.socket.remoteAddress ?? ''
    headers['x-forwarded-for'] = before === undefined ? peer : `${String(before)}, ${peer}`
    return {
      protocol: target.protocol,
      hostname: target.hostname.replace(/^\[|\]$/g, ''),
      port: target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : Number(target.port),
      method: request.method ?? 'GET',
      path: `${base}${request.url ?? '/'}`,
      headers,
      maxHeaderSize: maxHeaderBytes,
      timeout: connectMillis,
    }
  }

  return {
    forward(request, response) {
      const upstream = send(options(request, []))
      upstream.on('response', (answer) => {
        const headers = Object.fromEntries(
          Object.entries(answer.headers).filter(([name]) => !hopByHop.has(name)),
        )
        response.writeHead(answer.statusCode ?? 502, headers)
        answer.pipe(response)
        answer.on('error', () => response.destroy())
      })
      upstream.on('timeout', () => upstream.destroy(new Error('no answer in time')))
      upstream.on('error', (error) => {
        // Who asked is gone, and with it the request.
        if (response.destroyed) return
        logger.warn({ err: error.message, api: target.origin }, 'the API does not answer (API_URL)')
        if (response.headersSent) response.destroy()
        else
          answerJson(response, 502, {
            code: 'api_unreachable',
            message: `The API does not answer at ${target.origin} (API_URL). Is the api service running?`,
          })
      })
      response.on('close', () => upstream.destroy())
      request.on('error', () => upstream.destroy())
      request.pipe(upstream)
    },

    upgrade(request, socket, head) {
      letGo(socket)
      const upstream = send(options(request, ['connection', 'upgrade']))
      const fail = () => socket.destroy()
      socket.on('error', () => upstream.destroy())
      socket.on('close', () => upstream.destroy())
      upstream.on('upgrade', (answer, apiSocket, apiHead) => {
        socket.write(headText(answer))
        if (apiHead.length > 0) socket.write(apiHead)
        if (head.length > 0) apiSocket.write(head)
        apiSocket.setTimeout(0)
        apiSocket.on('error', fail)
        apiSocket.on('close', fail)
        socket.on('close', () => apiSocket.destroy())
        apiSocket.pipe(socket).pipe(apiSocket)
      })
      upstream.on('response', (answer) => {
        // Refused: 401, 403, 1013's 503. Told to the client as it is.
        socket.write(headText(answer))
        answer.pipe(socket)
      })
      upstream.on('timeout', () => upstream.destroy(new Error('no answer in time')))
      upstream.on('error', () => {
        if (socket.writable) refuseUpgrade(socket, '502 Bad Gateway')
      })
      upstream.end()
    },
  }
}

/** Answers a request for another protocol, `status` as in `404 Not Found`. */
export function refuseUpgrade(socket: Duplex, status: string): void {
  letGo(socket)
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** Node has let go of a socket that asks for another protocol: what nobody reads would not tell that its peer is gone. */
function letGo(socket: Duplex): void {
  socket.on('error', () => socket.destroy())
  socket.on('finish', () => socket.destroy())
}

function headText(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage ?? ''}`]
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2)
    lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

export function answerJson(
  response: ServerResponse,
  status: number,
  body: { code: string; message: string },
): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
  })
  response.end(JSON.stringify(body))
}
