import { createBusKeys } from '@sip-capture/contract/keys.ts'
import type { SourcesAnswer } from '@sip-capture/contract/rest/source.ts'
import { describeListenError, type RunningService } from '@sip-capture/service/lifecycle.ts'
import { startMetricsServer } from '@sip-capture/service/metrics.ts'
import { createRedis } from '@sip-capture/service/redis.ts'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import type { ApiContext } from './api-context.ts'
import { buildApp } from './app.ts'
import { checkConfig } from './config.ts'
import { followAliases } from './directory-aliases.ts'
import { toDirectoryEntries } from './directory-entries.ts'
import { followDirectory } from './directory-feed.ts'
import { startHistoryProcess, type History } from './history/history-process.ts'
import { MessageView, toNaming } from './ingest/message-row.ts'
import { startJobs } from './jobs/jobs.ts'
import { followLegNews } from './history/legs/leg-news.ts'
import type { LegChanges } from './history/legs/leg-changes.ts'
import { followWriterStatus, tellWriterStatus } from './history/writer-status.ts'
import { startHub } from './live/hub.ts'
import { LiveItem } from './live/live-item.ts'
import { abandonHungBuses, disconnectBuses, openMessageBuses } from './message-buses.ts'
import { createOptionValues } from './options/option-values.ts'
import { toGauges, toHealth } from './health.ts'
import { followSources } from './source-registry.ts'
import { startWatches } from './watches/start-watches.ts'
import { startWorkerService } from './worker-service.ts'

const statusMillis = 5_000
/** Changes that come together are told once. */
const statusDelayMillis = 100

export interface ApiService extends RunningService {
  readonly app: FastifyInstance
  readonly history: History
  /** Calls whose legs have changed, by the Call-IDs of all their legs. */
  readonly legChanges: LegChanges
}

/** Everything but listening, of a process that serves pages. @throws ConfigError */
export async function startApiService(context: ApiContext): Promise<ApiService> {
  const { config, logger } = context
  checkConfig(config)
  const aliases = followAliases(config.ALIASES_FILE, logger)
  const keys = createBusKeys(config.BUS_PREFIX)
  const quiet = logger.child({}, { level: 'silent' })
  const buses = openMessageBuses(config, keys, logger)
  const { redis } = buses[0]
  // One voice is enough: it goes down and comes back with the first.
  const subscribeRedis = createRedis(config, { purpose: 'subscribe', logger: quiet })
  const history = startHistoryProcess({ config, logger, program: context.historyProgram })
  const isWriter = config.API_ROLE === 'all'
  const statusChannel = keys.own('api', 'history-status')
  const told = isWriter
    ? tellWriterStatus({ redis, channel: statusChannel, node: config.NODE_NAME, history, logger })
    : undefined
  const writers = isWriter ? undefined : followWriterStatus(subscribeRedis, statusChannel)
  const directory = await followDirectory(redis, keys.endpoints, aliases)
  const sourceRegistry = followSources(redis, keys.sources)

  const health = () => toHealth({ buses, status: history.status, counters: liveCounters() })
  const sources = (): SourcesAnswer => {
    const own = health()
    if (!writers) return { items: sourceRegistry.views(), api: own }
    const { ok, detail, counters, backlog } = writers.current
    const stored = own.history.ok ? { ok, detail } : own.history
    return {
      items: sourceRegistry.views(),
      api: { ...own, history: stored, counters: { ...counters, ...own.counters }, backlog },
    }
  }
  const status = () => ({ type: 'source:status' as const, ...sources() })

  const hub = startHub({
    buses,
    subscribeRedis,
    keys,
    toItem: (record, kind) =>
      new LiveItem(new MessageView(record, toNaming(record, directory.current)), kind, record.atMicros),
    status,
    maxSubscribers: config.MAX_LIVE_CLIENTS,
    logger,
  })
  function liveCounters(): Record<string, number> {
    const { rows, rejected, sent, skipped } = hub.counters
    return { liveRows: rows, liveRejected: rejected, liveSent: sent, liveSkipped: skipped }
  }

  let soon: NodeJS.Timeout | undefined
  const tellStatus = () => {
    soon ??= setTimeout(() => {
      soon = undefined
      hub.broadcast(status())
    }, statusDelayMillis)
  }
  const timer = setInterval(tellStatus, statusMillis)
  let wasOk = ''
  const tellIfChanged = () => {
    const { redis: bus, history: store } = sources().api
    const isOk = `${bus.ok} ${store.ok}`
    if (isOk !== wasOk) tellStatus()
    wasOk = isOk
  }
  sourceRegistry.onChange(tellStatus)
  history.onStatus(tellIfChanged)
  const legChanges = followLegNews(subscribeRedis, keys.own('api', 'leg-news'))
  legChanges.on((callIds) => hub.broadcast({ type: 'call:updated', callIds: [...callIds] }))
  for (const bus of buses) for (const event of ['ready', 'close', 'end']) bus.redis.on(event, tellIfChanged)

  const optionValues = createOptionValues({
    redis,
    subscriber: createRedis(config, { purpose: 'subscribe', logger: quiet }),
    keys,
  })
  const jobs = startJobs({ config, redis, keys, history, logger })
  const watching = startWatches({
    config,
    redis,
    keys,
    history,
    browsers: { subscribeRedis, broadcast: (frame) => hub.broadcast(frame) },
    logger,
  })
  const registry = new Registry()
  const app = await buildApp({
    config,
    logger,
    history,
    hub,
    jobs,
    watches: watching.watches,
    health,
    sources,
    directory: () => ({
      entries: toDirectoryEntries(directory.latest, aliases.current),
      aliases: aliases.current,
    }),
    directories: () => directory.latest,
    optionValues,
    findNode: (endpoint, node) => directory.findNode(endpoint, node),
    registry,
    counters: () => health().counters,
    gauges: () => ({ ...toGauges(health(), history.status), subscribers: hub.counters.subscribers }),
  })
  const metricsServer =
    config.METRICS_PORT === undefined
      ? undefined
      : await startMetricsServer({ port: config.METRICS_PORT, registry })

  return {
    app,
    history,
    legChanges,
    async close() {
      clearInterval(timer)
      clearTimeout(soon)
      told?.close()
      writers?.close()
      legChanges.close()
      directory.close()
      aliases.close()
      optionValues.close()
      // The hub before the server: that would wait for browsers that still follow.
      const server = hub.close().then(() => app.close())
      await Promise.all([server, jobs.close(), watching.close(), abandonHungBuses(buses, [subscribeRedis])])
      await Promise.all([metricsServer?.close(), history.close(), sourceRegistry.close()])
      disconnectBuses(buses)
      subscribeRedis.disconnect()
    },
  }
}

/** The service, listening. @throws ConfigError when the address cannot be had. */
export async function startApi(context: ApiContext): Promise<RunningService> {
  const { config, logger } = context
  const service = await (config.API_ROLE === 'worker' ? startWorkerService : startApiService)(context)
  try {
    await service.app.listen({ host: config.API_HOST, port: config.API_PORT })
  } catch (error) {
    await service.close()
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const setting = code === 'EADDRINUSE' || code === 'EACCES' ? 'API_PORT' : 'API_HOST'
    throw describeListenError(error, setting, `${config.API_HOST}:${config.API_PORT}`)
  }
  logger.info({ address: `http://${config.API_HOST}:${config.API_PORT}` }, 'the API listens')
  return service
}
