import { setTimeout as pause } from 'node:timers/promises'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { createLogger, type Logger } from '@sip-capture/service/logger.ts'
import { restoreStringMethods } from '@sip-capture/service/string-methods.ts'
import { readCallStats } from '../calls/call-stats.ts'
import { readTrunkUsage } from '../calls/trunk-usage.ts'
import { readRegistration, readRegistrations } from '../registrations/aor-history.ts'
import { reasonOf, toAnswer } from './answer.ts'
import { letMergesWait } from './background-threads.ts'
import { connectStore } from './connect-store.ts'
import { openEngine, type Engine } from './engine.ts'
import { removeCapture } from './files/capture-removal.ts'
import { findPin, listPins, pinCall, unpinCall, unpinCapture } from './pins/pin-store.ts'
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
import {
  isFileRequest,
  toWorker,
  type FileRequest,
  type FromWorker,
  type HistoryRequest,
  type WorkerConfig,
} from './requests.ts'
import { applyRetentionDays, readHistoryBytes } from './retention.ts'
import { migrate } from './schema.ts'
import type { Store } from './store.ts'
import { startWriterThread, type WriterThread } from './writer-thread.ts'

/**
 * The history process: engine and ingest, apart from the API so that a crash of the native engine or a long insert never
 * touches the live feed. This thread answers questions; `writer.ts` beside it does what takes long. Ends when the API does: the
 * channel closes.
 */

const lookMillis = 5_000
const maxOpenMillis = 5_000

interface Opened {
  readonly store: Store
  /** Where it is embedded. */
  readonly engine: Engine | undefined
}

let store: Store | undefined
let writer: WriterThread | undefined
let stop: (() => Promise<void>) | undefined
let isStopping = false

process.on('message', (raw) => {
  const message = toWorker.safeParse(raw)
  if (!message.success) return
  if (message.data.type === 'start') void run(message.data.config)
  if (message.data.type === 'request') answer(message.data.number, message.data.request)
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
  store = opened.store
  const thread = startWriterThread({
    config,
    engine: opened.engine,
    onMessage: send,
    onDeath(error) {
      logger.fatal({ err: error }, 'the thread that writes history ended')
      process.exit(1)
    },
  })
  writer = thread
  const looking = config.API_ROLE === 'api' ? tellStatus(opened.store) : undefined
  stop = async () => {
    looking?.close()
    await thread.stop()
    await opened.store.close()
  }
}

/** Of a process that questions alone are put to: another one writes, and tells of itself. */
function tellStatus(opened: Store): { close(): void } {
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
  void look()
  return { close: () => clearTimeout(timer) }
}

/** The folder may still be held by the process before this one, which is about to end; a server may be away. */
async function openStore(config: WorkerConfig, logger: Logger): Promise<Opened | undefined> {
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

async function prepareStore(config: WorkerConfig): Promise<Opened> {
  let engine: Engine | undefined
  const candidate = connectStore(config, (folder) => (engine = openEngine(folder)))
  try {
    await migrate(candidate)
    if (config.API_ROLE !== 'api') await applyRetentionDays(candidate, config.RETENTION_DAYS)
    if (engine) await letMergesWait()
    return { store: candidate, engine }
  } catch (error) {
    await candidate.close().catch(() => {})
    throw error
  }
}

function answer(number: number, request: HistoryRequest): void {
  if (!store || !writer)
    send({ type: 'failure', number, code: 'unavailable', message: 'it is still opening' })
  else if (isFileRequest(request)) writer.ask(number, request)
  else void toAnswer(number, handle(store, request)).then(send)
}

function handle(store: Store, request: Exclude<HistoryRequest, FileRequest>): Promise<unknown> {
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
