import { setTimeout as pause } from 'node:timers/promises'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { createLogger, type Logger } from '@sip-capture/service/logger.ts'
import { restoreStringMethods } from '@sip-capture/service/string-methods.ts'
import type { z } from 'zod'
import { followAliases } from '../directory-aliases.ts'
import { followDirectory } from '../directory-feed.ts'
import { startIngest, type Ingest } from '../ingest/ingest.ts'
import { abandonHungBuses, disconnectBuses, openMessageBuses } from '../message-buses.ts'
import { createCallNewsWriter } from '../calls/call-news.ts'
import { readCallStats } from '../calls/call-stats.ts'
import { readTrunkUsage } from '../calls/trunk-usage.ts'
import { startSummariser, type Summariser } from '../calls/summariser.ts'
import { readRegistration, readRegistrations } from '../registrations/aor-history.ts'
import { makeMergesNice } from './background-threads.ts'
import { openClusterStore } from './cluster-store.ts'
import { openEmbeddedStore } from './embedded-store.ts'
import { removeCapture } from './files/capture-removal.ts'
import { FileSessions, SessionLost } from './files/file-sessions.ts'
import { createLegChanges } from './legs/leg-changes.ts'
import { createLegNewsWriter } from './legs/leg-news.ts'
import {
  completePins,
  findPin,
  listPins,
  pinCall,
  repairPins,
  unpinCall,
  unpinCapture,
} from './pins/pin-store.ts'
import {
  findKeptCall,
  findKeptMessage,
  findKeptRecord,
  listKeptCalls,
  listKeptMessages,
  openKeptCall,
  readKeptEvents,
  readKeptRtcpReports,
  resolveKeptCall,
} from './pins/pinned-reader.ts'
import { readCallSpan } from './message-reader.ts'
import type { StoredMessage } from './record-rows.ts'
import { toWorker, type FromWorker, type HistoryRequest } from './requests.ts'
import { applyRetentionBytes, applyRetentionDays, readHistoryBytes } from './retention.ts'
import { migrate } from './schema.ts'
import { openServerStore } from './server-store.ts'
import { createCallWatcher } from '../watches/call-watcher.ts'
import { isTooSlow, StoreError, type Store } from './store.ts'

/**
 * The history process: engine and ingest, apart from the API so that a crash of the native engine or a long insert never
 * touches the live feed. Ends when the API does: the channel closes.
 */

type WorkerConfig = Extract<z.output<typeof toWorker>, { type: 'start' }>['config']

const statusMillis = 1_000
const retentionMillis = 60_000
const lookMillis = 5_000
const maxOpenMillis = 5_000

let store: Store | undefined
let files: FileSessions | undefined
let summariser: Summariser | undefined
let stop: (() => Promise<void>) | undefined
let isStopping = false

process.on('message', (raw) => {
  const message = toWorker.safeParse(raw)
  if (!message.success) return
  if (message.data.type === 'start') void run(message.data.config)
  if (message.data.type === 'request') void answer(message.data.number, message.data.request)
  if (message.data.type === 'stop') void end()
})
// Ctrl-C reaches the whole process group; the API says when to stop, so that what is in hand is finished.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => void end())

async function end(): Promise<void> {
  if (isStopping) return
  isStopping = true
  await stop?.().catch(() => {})
  process.exit(0)
}

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, () => {})
}

async function run(config: WorkerConfig): Promise<void> {
  restoreStringMethods()
  const logger = createLogger({ name: 'api-history', level: config.LOG_LEVEL })
  const opened = await openStore(config, logger)
  if (!opened) return
  store = opened
  files = new FileSessions(opened)
  if (config.API_ROLE === 'api') serve(opened)
  else await write(opened, config, logger)
}

/** Questions alone: another process writes. */
function serve(opened: Store): void {
  const look = async () => {
    let detail = ''
    try {
      bytes = await readHistoryBytes(opened)
    } catch (error) {
      detail = `history does not answer: ${reasonOf(error)}`
    }
    send({
      type: 'status',
      status: { ok: detail === '', detail, counters: {}, backlog: 0, callsWaiting: 0, bytes },
    })
    if (!isStopping) timer = setTimeout(() => void look(), lookMillis)
  }
  let bytes = 0
  let timer: NodeJS.Timeout | undefined
  stop = async () => {
    clearTimeout(timer)
    await opened.close()
  }
  void look()
}

async function write(opened: Store, config: WorkerConfig, logger: Logger): Promise<void> {
  const keys = createBusKeys(config.BUS_PREFIX)
  const buses = openMessageBuses(config, keys, logger)
  const { redis } = buses[0]
  // One voice about the file is enough: the API's.
  const aliases = followAliases(config.ALIASES_FILE, logger.child({}, { level: 'silent' }))
  const directory = await followDirectory(redis, keys.endpoints, aliases)
  const legChanges = createLegChanges()
  legChanges.on(createLegNewsWriter({ redis, channel: keys.own('api', 'leg-news'), logger }))
  const watcher = createCallWatcher({ redis, keys, config, logger })
  const summaries = startSummariser({
    store: opened,
    watcher,
    onWritten: (callIds, capture) => completePins(opened, { callIds, capture }),
    isTrunk: (name, node) => directory.isTrunk(name, node),
    onNews: createCallNewsWriter({ redis, channel: keys.own('api', 'call-news'), logger }),
    capturesBeingRead: () => files?.captures ?? new Set(),
    logger,
  })
  summariser = summaries
  legChanges.on((callIds) => summaries.markCalls(callIds))
  const ingest = startIngest({
    store: opened,
    buses,
    keys,
    consumer: `${config.NODE_NAME}-history`,
    directory,
    legChanges,
    onStored: (messages) => summaries.markMessages(messages),
    logger,
  })
  const timers = [
    setInterval(() => reportStatus(ingest), statusMillis),
    setInterval(() => void keepRetention(), retentionMillis),
  ]
  let bytes = 0
  let isKeeping = false

  async function keepRetention(): Promise<void> {
    if (isKeeping) return
    isKeeping = true
    try {
      if (config.RETENTION_BYTES !== undefined) {
        const days = await applyRetentionBytes(opened, config.RETENTION_BYTES)
        if (days.length > 0) logger.info({ days }, 'oldest days dropped: RETENTION_BYTES is reached')
      }
      await repairPins(opened)
      bytes = await readHistoryBytes(opened)
    } catch (error) {
      logger.warn({ reason: reasonOf(error) }, 'retention could not run')
    }
    isKeeping = false
  }

  function reportStatus(ingest: Ingest): void {
    send({
      type: 'status',
      status: {
        ok: ingest.storeProblem === undefined,
        detail: ingest.storeProblem === undefined ? '' : `history does not take rows: ${ingest.storeProblem}`,
        counters: { ...ingest.counters, ...summaries.counters, ...watcher.counters },
        backlog: ingest.backlog,
        callsWaiting: summaries.waiting,
        bytes,
      },
    })
  }

  reportStatus(ingest)
  void keepRetention()

  stop = async () => {
    timers.forEach((timer) => clearInterval(timer))
    directory.close()
    aliases.close()
    await Promise.all([ingest.close(), abandonHungBuses(buses)])
    await summaries.close()
    await watcher.close()
    disconnectBuses(buses)
    await opened.close()
  }
}

/** The folder may still be held by the process before this one, which is about to end; a server may be away. */
async function openStore(config: WorkerConfig, logger: Logger): Promise<Store | undefined> {
  const where = config.HISTORY_URL === undefined ? `DATA_DIR ${config.DATA_DIR}` : 'the server of HISTORY_URL'
  for (let wait = 100; !isStopping; wait = Math.min(wait * 2, maxOpenMillis)) {
    try {
      return await prepareStore(config)
    } catch (error) {
      const detail = `history in ${where} does not open: ${reasonOf(error)}`
      logger.error(
        { reason: reasonOf(error) },
        `history in ${where} does not open; trying again until it does`,
      )
      send({
        type: 'status',
        status: { ok: false, detail, counters: {}, backlog: 0, callsWaiting: 0, bytes: 0 },
      })
      await pause(wait)
    }
  }
  return undefined
}

async function prepareStore(config: WorkerConfig): Promise<Store> {
  const candidate = connect(config)
  try {
    await migrate(candidate)
    if (config.API_ROLE !== 'api') await applyRetentionDays(candidate, config.RETENTION_DAYS)
    if (config.HISTORY_URL === undefined) await makeMergesNice()
    return candidate
  } catch (error) {
    await candidate.close().catch(() => {})
    throw error
  }
}

function connect({ HISTORY_URL, HISTORY_CLUSTER, DATA_DIR }: WorkerConfig): Store {
  const [url] = HISTORY_URL ?? []
  if (HISTORY_URL === undefined || url === undefined) return openEmbeddedStore(`${DATA_DIR}/history`)
  return HISTORY_CLUSTER === undefined
    ? openServerStore(url)
    : openClusterStore({ urls: HISTORY_URL, cluster: HISTORY_CLUSTER })
}

async function answer(number: number, request: HistoryRequest): Promise<void> {
  if (!store || !files) {
    send({ type: 'failure', number, code: 'unavailable', message: 'it is still opening' })
    return
  }
  try {
    send({ type: 'answer', number, result: await handle(store, files, request) })
  } catch (error) {
    const code = isTooSlow(error)
      ? 'too-slow'
      : error instanceof StoreError || error instanceof SessionLost
        ? 'unavailable'
        : 'fault'
    send({ type: 'failure', number, code, message: reasonOf(error) })
  }
}

function handle(store: Store, files: FileSessions, request: HistoryRequest): Promise<unknown> {
  switch (request.method) {
    case 'listMessages':
      return listKeptMessages(store, request)
    case 'findMessage':
      return findKeptMessage(store, request.id)
    case 'findCall':
      return findKeptCall(store, request)
    case 'readCallEvents':
      return findKeptCall(store, request).then((call) => readKeptEvents(store, call))
    case 'readTrunkUsage':
      return readTrunkUsage(store, request)
    case 'readRtcpReports':
      return findKeptCall(store, request).then((call) => readKeptRtcpReports(store, call))
    case 'readRegistrations':
      return readRegistrations(store, request)
    case 'readRegistration':
      return readRegistration(store, request)
    case 'openCall':
      return openKeptCall(store, request).then((opened) =>
        request.withFrames ? opened : { ...opened, first: opened.first.map(withoutFrames) },
      )
    case 'readCallSpan':
      return readCallSpan(store, request).then((rows) =>
        request.withFrames ? rows : rows.map(withoutFrames),
      )
    case 'openExport':
      return files.openExport(request.session, request.order)
    case 'openImport':
      return files.openImport(request.session, request.order)
    case 'stepExport':
      return files.step(request.session)
    case 'stepImport':
      return files.step(request.session).then((step) => {
        if (step.isDone) summariser?.markStored()
        return step
      })
    case 'listCalls':
      return listKeptCalls(store, { ...request, nowMicros: nowMicros() })
    case 'findCallRecord':
      return findKeptRecord(
        store,
        request.id === undefined
          ? { callIds: request.callIds ?? [], capture: request.capture ?? '' }
          : { id: request.id },
      )
    case 'readCallStats':
      return readCallStats(store, { ...request, nowMicros: nowMicros() })
    case 'resolveCall':
      return resolveKeptCall(store, request)
    case 'closeFile':
      return files.close(request.session)
    case 'removeCapture':
      return removeCapture(store, request.capture).then(() => unpinCapture(store, request.capture))
    case 'pinCall':
      return pinCall(store, request)
    case 'unpinCall':
      return unpinCall(store, request.id)
    case 'findPin':
      return findPin(store, { names: request.names, capture: request.capture ?? '' })
    case 'listPins':
      return listPins(store)
    default:
      return request satisfies never
  }
}

/** Frames are half of what would pass between the processes, and only a capture file wants them. */
function withoutFrames(stored: StoredMessage): StoredMessage {
  return { ...stored, record: { ...stored.record, frames: [] } }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500)
}
