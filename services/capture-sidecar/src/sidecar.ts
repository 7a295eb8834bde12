import { once } from 'node:events'
import type { SourceStatus } from '@sip-capture/contract/bus/source-status.ts'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { createHeartbeat, type Heartbeat } from '@sip-capture/service/heartbeat.ts'
import type { RunningService } from '@sip-capture/service/lifecycle.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { startMetricsServer } from '@sip-capture/service/metrics.ts'
import { createRedis } from '@sip-capture/service/redis.ts'
import { createCaptureWriter } from './capture-writer.ts'
import { toCaptureProgram } from './capture-program.ts'
import { startCapture, type Capture } from './capture.ts'
import type { SidecarConfig } from './config.ts'
import { localAddresses, toOwnAddresses } from './direction.ts'
import { readLinkWarnings } from './link-warnings.ts'
import { createRegistry } from './metrics.ts'
import { readOwnAddresses } from './own-addresses.ts'
import { Pipeline } from './pipeline.ts'
import { createPortTest } from './port-list.ts'
import { warmUp } from './warm-up.ts'

const expireEveryMillis = 1000
const refreshEveryMillis = 5000
const redisMillis = 1000
/** A file is read no faster than Redis takes it: above this many waiting records reading pauses. */
const maxWaitingFromFile = 10_000

export async function startSidecar(context: {
  config: SidecarConfig
  logger: Logger
}): Promise<RunningService> {
  const { config, logger } = context
  const program = toCaptureProgram(config)
  const keys = createBusKeys(config.BUS_PREFIX)
  const redis = createRedis(config, { purpose: 'command', logger })
  const startedAtMicros = nowMicros()
  const isLive = config.TSHARK_ENABLED && !config.TSHARK_INTERFACE.some((name) => name.includes('/'))

  const writer = createCaptureWriter({ config, redis, keys, logger })
  let own = toOwnAddresses([], localAddresses())
  const pipeline = new Pipeline({
    node: config.NODE_NAME,
    isSipPort: createPortTest(config.TSHARK_PORT),
    ownAddresses: () => own,
    isLive,
    publish: (record) => writer.write(record),
  })

  let linkWarnings: string[] = []
  let heartbeat: Heartbeat | undefined

  const refreshAddresses = async (): Promise<void> => {
    try {
      own = toOwnAddresses(await readOwnAddresses(redis, keys.endpoints), localAddresses())
    } catch {
      // Redis is away, which its connection tells; the addresses known so far stay good.
    }
  }
  const refresh = async (): Promise<void> => {
    await refreshAddresses()
    linkWarnings = isLive ? await readLinkWarnings(config.TSHARK_INTERFACE) : []
  }
  if (config.TSHARK_ENABLED) {
    redis.on('ready', () => void refreshAddresses())
    // A file is read sooner than Redis answers, which knows who the PBX is; packets come when the capture has started.
    if (!isLive) await once(redis, 'ready', { signal: AbortSignal.timeout(redisMillis) }).catch(() => {})
    await refresh()
  }

  const capture = startCapture({
    config,
    program,
    logger,
    pipeline,
    whenRoom: async () => {
      if (writer.counters.buffered > maxWaitingFromFile) await writer.flush()
    },
    onChange: () => void heartbeat?.beat(),
  })
  // While what captures is starting.
  if (isLive) warmUp()

  const counters = (): Record<string, number> => {
    const { written, dropped, failed, buffered } = writer.counters
    return {
      ...pipeline.counters,
      ...capture.status().counters,
      published: written,
      dropped,
      buffered,
      writeFailures: failed,
    }
  }
  const collect = (): SourceStatus => ({
    v: 1,
    kind: 'wire',
    node: config.NODE_NAME,
    atMicros: nowMicros(),
    startedAtMicros,
    ...stateOf(capture, linkWarnings, writer.problem),
    subject: capture.status().subject.slice(0, 512),
    lastMessageAtMicros: pipeline.lastMessageAtMicros,
    counters: counters(),
    gaps: [...capture.status().gaps],
  })
  heartbeat = createHeartbeat({ redis, keys, logger, collect })
  if (!config.TSHARK_ENABLED) logger.info(capture.status().detail)

  const metrics =
    config.METRICS_PORT === undefined
      ? undefined
      : await startMetricsServer({ port: config.METRICS_PORT, registry: createRegistry(counters) })
  // A file's frames are long past: only the clock of a live capture may end their waiting.
  const expiry = isLive ? setInterval(() => pipeline.expire(nowMicros()), expireEveryMillis) : undefined
  const refreshing = config.TSHARK_ENABLED ? setInterval(() => void refresh(), refreshEveryMillis) : undefined

  return {
    async close() {
      clearInterval(expiry)
      clearInterval(refreshing)
      await capture.stop()
      pipeline.expire()
      await writer.close()
      await heartbeat.close()
      await metrics?.close()
      redis.disconnect()
    },
  }
}

/** What the capture says, made worse by what stands in the way of its messages. */
function stateOf(
  capture: Capture,
  linkWarnings: readonly string[],
  writeProblem: string | undefined,
): Pick<SourceStatus, 'state' | 'detail' | 'warnings'> {
  const { state, detail } = capture.status()
  const warnings = [...linkWarnings]
  if (writeProblem !== undefined) warnings.push(writeProblem.slice(0, 2000))
  const [worst] = warnings
  if (state !== 'up' || worst === undefined) return { state, detail, warnings }
  return { state: 'degraded', detail: worst, warnings }
}
