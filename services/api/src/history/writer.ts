import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { createLogger, type Logger } from '@sip-capture/service/logger.ts'
import { restoreStringMethods } from '@sip-capture/service/string-methods.ts'
import { createCallNewsWriter } from '../calls/call-news.ts'
import { startSummariser, type Summariser } from '../calls/summariser.ts'
import { followAliases } from '../directory-aliases.ts'
import { followDirectory } from '../directory-feed.ts'
import { startIngest, type Ingest } from '../ingest/ingest.ts'
import { abandonHungBuses, disconnectBuses, openMessageBuses } from '../message-buses.ts'
import { createCallWatcher } from '../watches/call-watcher.ts'
import { reasonOf, toAnswer } from './answer.ts'
import { connectStore } from './connect-store.ts'
import { createRemoteEngine } from './engine-port.ts'
import { FileSessions } from './files/file-sessions.ts'
import { createLegChanges } from './legs/leg-changes.ts'
import { createLegNewsWriter } from './legs/leg-news.ts'
import { completePins, repairPins } from './pins/pin-store.ts'
import {
  toWriter,
  writerData,
  type FileRequest,
  type FromWorker,
  type HistoryStatus,
  type WorkerConfig,
} from './requests.ts'
import { applyRetentionBytes, readHistoryBytes } from './retention.ts'
import type { Store } from './store.ts'

/**
 * The thread that does what takes long: the bus into history, the call log, files. Beside the thread that answers questions, so that
 * these wait for none of it.
 */

const statusMillis = 1_000
const retentionMillis = 60_000
/** A third of the processor time of who asks, where that wants all of it. */
const niceness = 5

interface Writing {
  readonly summariser: Summariser
  close(): Promise<void>
}

await run()

async function run(): Promise<void> {
  const { config, engine } = writerData.parse(workerData)
  restoreStringMethods()
  // To Linux a thread is what a process is, and 0 is the one that asks.
  if (process.platform === 'linux') setPriority(0, niceness)
  const logger = createLogger({ name: 'api-history', level: config.LOG_LEVEL })
  const store = connectStore(config, () => {
    if (!engine) throw new Error('the engine is that of another thread, and was not handed over')
    return createRemoteEngine(engine.port, engine.exchange)
  })
  const files = new FileSessions(store)
  let writing: Writing | undefined
  parentPort?.on('message', (raw) => {
    const message = toWriter.parse(raw)
    if (message.type === 'stop') void end()
    else void toAnswer(message.number, handle(message.request)).then(send)
  })
  if (config.API_ROLE !== 'api') writing = await write({ store, files, config, logger })

  async function end(): Promise<void> {
    await writing?.close().catch(() => {})
    await store.close().catch(() => {})
    // Ends the thread alone.
    process.exit(0)
  }

  async function handle(request: FileRequest): Promise<unknown> {
    switch (request.method) {
      case 'openExport':
        return await files.openExport(request.session, request.order)
      case 'openImport':
        return await files.openImport(request.session, request.order)
      case 'stepExport':
        return await files.step(request.session)
      case 'stepImport': {
        const step = await files.step(request.session)
        if (step.isDone) writing?.summariser.markStored()
        return step
      }
      case 'closeFile':
        return await files.close(request.session)
      default:
        return request satisfies never
    }
  }
}

function send(message: FromWorker): void {
  parentPort?.postMessage(message, [])
}

async function write(options: {
  store: Store
  files: FileSessions
  config: WorkerConfig
  logger: Logger
}): Promise<Writing> {
  const { store, files, config, logger } = options
  const keys = createBusKeys(config.BUS_PREFIX)
  const buses = openMessageBuses(config, keys, logger)
  const { redis } = buses[0]
  // One voice about the file is enough: the API's.
  const aliases = followAliases(config.ALIASES_FILE, logger.child({}, { level: 'silent' }))
  const directory = await followDirectory(redis, keys.endpoints, aliases)
  const legChanges = createLegChanges()
  legChanges.on(createLegNewsWriter({ redis, channel: keys.own('api', 'leg-news'), logger }))
  const watcher = createCallWatcher({ redis, keys, config, logger })
  const summariser = startSummariser({
    store,
    watcher,
    onWritten: (callIds, capture) => completePins(store, { callIds, capture }),
    isTrunk: (name, node) => directory.isTrunk(name, node),
    onNews: createCallNewsWriter({ redis, channel: keys.own('api', 'call-news'), logger }),
    capturesBeingRead: () => files.captures,
    logger,
  })
  legChanges.on((callIds) => summariser.markCalls(callIds))
  const ingest = startIngest({
    store,
    buses,
    keys,
    consumer: `${config.NODE_NAME}-history`,
    directory,
    legChanges,
    onStored: (calls) => summariser.markStoredCalls(calls),
    logger,
  })
  let bytes = 0
  let isKeeping = false
  const timers = [
    setInterval(() => send({ type: 'status', status: statusOf(ingest) }), statusMillis),
    setInterval(() => void keepRetention(), retentionMillis),
  ]

  async function keepRetention(): Promise<void> {
    if (isKeeping) return
    isKeeping = true
    try {
      if (config.RETENTION_BYTES !== undefined) {
        const days = await applyRetentionBytes(store, config.RETENTION_BYTES)
        if (days.length > 0) logger.info({ days }, 'oldest days dropped: RETENTION_BYTES is reached')
      }
      await repairPins(store)
      bytes = await readHistoryBytes(store)
    } catch (error) {
      logger.warn({ reason: reasonOf(error) }, 'retention could not run')
    }
    isKeeping = false
  }

  function statusOf({ storeProblem, counters, backlog }: Ingest): HistoryStatus {
    return {
      ok: storeProblem === undefined,
      detail: storeProblem === undefined ? '' : `history does not take rows: ${storeProblem}`,
      counters: { ...counters, ...summariser.counters, ...watcher.counters },
      backlog,
      callsWaiting: summariser.waiting,
      bytes,
    }
  }

  send({ type: 'status', status: statusOf(ingest) })
  void keepRetention()

  return {
    summariser,
    async close() {
      timers.forEach((timer) => clearInterval(timer))
      directory.close()
      aliases.close()
      await Promise.all([ingest.close(), abandonHungBuses(buses)])
      await summariser.close()
      await watcher.close()
      disconnectBuses(buses)
    },
  }
}
