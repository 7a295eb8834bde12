import { STATUS_CODES } from 'node:http'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import websocket from '@fastify/websocket'
import type { EndpointDirectory } from '@sip-capture/contract/bus/endpoint-directory.ts'
import { maxClientFrameBytes } from '@sip-capture/contract/live.ts'
import type { SourcesAnswer } from '@sip-capture/contract/rest/source.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { Registry } from 'prom-client'
import type { ApiConfig } from './config.ts'
import { handleError, handleNotFound } from './errors.ts'
import type { History } from './history/history-process.ts'
import type { Jobs } from './jobs/jobs.ts'
import type { Hub } from './live/hub.ts'
import type { FindNode } from './options/judge-call.ts'
import type { OptionValues } from './options/option-values.ts'
import { auth } from './plugins/auth.ts'
import { metrics, type NumberSource } from './plugins/metrics.ts'
import { openapi } from './plugins/openapi.ts'
import { origin } from './plugins/origin.ts'
import { callEventRoutes } from './routes/call-events.ts'
import { callRoutes } from './routes/calls.ts'
import { comparisonRoutes } from './routes/comparison.ts'
import { directoryRoutes, type DirectoryView } from './routes/directory.ts'
import { exportScheduleRoutes } from './routes/export-schedules.ts'
import { exportRoutes } from './routes/exports.ts'
import { healthRoutes } from './routes/health.ts'
import { importRoutes } from './routes/imports.ts'
import { liveRoutes } from './routes/live.ts'
import { messageRoutes } from './routes/messages.ts'
import { qualityRoutes } from './routes/quality.ts'
import { registrationRoutes } from './routes/registrations.ts'
import { resolveRoutes } from './routes/resolve.ts'
import { ruleRoutes } from './routes/rules.ts'
import { sourceRoutes } from './routes/sources.ts'
import { statsRoutes } from './routes/stats.ts'
import { pinnedCallRoutes } from './routes/pinned-calls.ts'
import { trunkUsageRoutes } from './routes/trunk-usage.ts'
import { watchRoutes } from './routes/watches.ts'
import type { Watches } from './watches/watches.ts'

/** A Call-ID of 60,000 bytes, each percent-encoded, must fit into a path. */
const maxPathBytes = 256 * 1024
const requestsAMinute = 3_000
const uploadMillis = 3_600_000
const silenceMillis = 60_000

export interface AppOptions {
  readonly config: ApiConfig
  readonly logger: Logger
  readonly history: History
  readonly hub: Hub
  readonly jobs: Jobs
  readonly watches: Watches
  /** Of this process alone. */
  readonly health: () => SourcesAnswer['api']
  readonly sources: () => SourcesAnswer
  readonly directory: () => DirectoryView
  readonly optionValues: OptionValues
  readonly findNode: FindNode
  /** The newest directory of each node. */
  readonly directories: () => readonly EndpointDirectory[]
  readonly registry: Registry
  readonly counters: NumberSource
  readonly gauges: NumberSource
}

/** The HTTP side, not yet listening. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { config, logger, history, hub, sources, jobs } = options
  const tokens = config.API_TOKENS ?? []
  const baseLogger: FastifyBaseLogger = logger
  const app = Fastify({
    loggerInstance: baseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 64 * 1024,
    // Ten seconds, Fastify's own limit, end the start on a machine that is busy: the plugins are code alone and do not hang.
    pluginTimeout: 120_000,
    routerOptions: { maxParamLength: maxPathBytes },
    http: { maxHeaderSize: maxPathBytes },
    forceCloseConnections: true,
    // An upload may take long; a connection that is silent may not.
    requestTimeout: uploadMillis,
    connectionTimeout: silenceMillis,
    frameworkErrors: (error, request, reply) => void handleError(error, request, reply),
    clientErrorHandler(error, socket) {
      const status = 'code' in error && error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
      const body = JSON.stringify({ code: 'bad-request', message: STATUS_CODES[status] })
      if (socket.writable)
        socket.end(
          `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\n` +
            `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
        )
    },
  })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(handleError)
  app.setNotFoundHandler(handleNotFound)

  await app.register(websocket, {
    options: {
      maxPayload: maxClientFrameBytes,
      // Measured: compression costs a factor of 12 to 22 in rows a second.
      perMessageDeflate: false,
      // A token that is offered as a protocol is never the one that is chosen.
      handleProtocols: (protocols: Set<string>) => (protocols.has('sip-capture') ? 'sip-capture' : false),
    },
  })
  await app.register(origin, {
    apiHost: config.API_HOST,
    allowedOrigins: config.ALLOWED_ORIGINS,
    hasTokens: tokens.length > 0,
  })
  await app.register(auth, { tokens })
  await app.register(helmet, {
    contentSecurityPolicy: {
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      useDefaults: false,
    },
    // Whether the way to the browser has TLS is the proxy's to say.
    strictTransportSecurity: false,
  })
  await app.register(rateLimit, {
    max: requestsAMinute,
    timeWindow: '1 minute',
    errorResponseBuilder: (_request, { after }) =>
      Object.assign(new Error(`too many requests; try again in ${after}`), {
        statusCode: 429,
        code: 'too-many-requests',
      }),
  })
  await app.register(openapi)
  await app.register(metrics, options)
  await app.register(healthRoutes, { health: options.health })
  await app.register(liveRoutes, { hub })
  const prefix = '/api/v1'
  await app.register(messageRoutes, { prefix, history })
  await app.register(callRoutes, {
    prefix,
    history,
    optionValues: options.optionValues,
    findNode: options.findNode,
  })
  await app.register(pinnedCallRoutes, { prefix, history, max: config.PINNED_CALLS_MAX })
  await app.register(watchRoutes, { prefix, watches: options.watches })
  await app.register(callEventRoutes, { prefix, history })
  await app.register(trunkUsageRoutes, { prefix, history })
  await app.register(qualityRoutes, { prefix, history })
  await app.register(registrationRoutes, { prefix, history, directories: options.directories })
  await app.register(resolveRoutes, { prefix, history })
  await app.register(comparisonRoutes, { prefix, history })
  await app.register(ruleRoutes, { prefix })
  await app.register(statsRoutes, { prefix, history })
  await app.register(sourceRoutes, { prefix, sources })
  await app.register(directoryRoutes, { prefix, directory: options.directory })
  await app.register(exportRoutes, { prefix, exports: jobs.exports })
  await app.register(exportScheduleRoutes, { prefix, schedules: jobs.schedules })
  await app.register(importRoutes, { prefix, imports: jobs.imports, maxBytes: config.IMPORT_MAX_BYTES })
  return app
}
