import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { describeListenError, type RunningService } from './lifecycle.ts'

/** Serves Prometheus metrics on loopback. @throws ConfigError when the port cannot be had. */
export async function startMetricsServer(options: {
  port: number
  registry: Registry
}): Promise<RunningService & { port: number }> {
  const { port, registry } = options
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    registry
      .metrics()
      .then((text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text))
      .catch(() => response.writeHead(500).end())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(describeListenError(error, 'METRICS_PORT', `127.0.0.1:${port}`)))
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
