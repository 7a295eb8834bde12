import { createBusKeys } from '@sip-capture/contract/keys.ts'
import type { RunningService } from '@sip-capture/service/lifecycle.ts'
import { startMetricsServer } from '@sip-capture/service/metrics.ts'
import Fastify, { type FastifyInstance } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { Registry } from 'prom-client'
import type { ApiContext } from './api-context.ts'
import { checkConfig } from './config.ts'
import { toGauges, toHealth } from './health.ts'
import { startHistoryProcess, type History } from './history/history-process.ts'
import { tellWriterStatus } from './history/writer-status.ts'
import { startJobs } from './jobs/jobs.ts'
import { abandonHungBuses, disconnectBuses, openMessageBuses } from './message-buses.ts'
import { collectMetrics } from './plugins/metrics.ts'
import { healthRoutes } from './routes/health.ts'
import { startWatches } from './watches/start-watches.ts'

interface WorkerService extends RunningService {
  /** `/healthz` and `/readyz`. */
  readonly app: FastifyInstance
  readonly history: History
}

/** Everything but listening, of a process that writes history and does jobs, and serves no page. @throws ConfigError */
export async function startWorkerService(context: ApiContext): Promise<WorkerService> {
  const { config, logger } = context
  checkConfig(config)
  const keys = createBusKeys(config.BUS_PREFIX)
  const buses = openMessageBuses(config, keys, logger)
  const { redis } = buses[0]
  const history = startHistoryProcess({ config, logger, program: context.historyProgram })
  const told = tellWriterStatus({
    redis,
    channel: keys.own('api', 'history-status'),
    node: config.NODE_NAME,
    history,
    logger,
  })
  const jobs = startJobs({ config, redis, keys, history, logger })
  const watching = startWatches({ config, redis, keys, history, browsers: undefined, logger })
  const health = () => toHealth({ buses, status: history.status, counters: {} })
  const app = Fastify()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  await app.register(healthRoutes, { health })
  const registry = new Registry()
  collectMetrics({
    registry,
    counters: () => health().counters,
    gauges: () => toGauges(health(), history.status),
  })
  const metricsServer =
    config.METRICS_PORT === undefined
      ? undefined
      : await startMetricsServer({ port: config.METRICS_PORT, registry })

  return {
    app,
    history,
    async close() {
      told.close()
      await Promise.all([app.close(), jobs.close(), watching.close(), abandonHungBuses(buses)])
      await Promise.all([metricsServer?.close(), history.close()])
      disconnectBuses(buses)
    },
  }
}
