import { MessagePort } from 'node:worker_threads'
import { callFilter, type CallStats, type Resolution } from '@sip-capture/contract/rest/call-log.ts'
import type { TrunkUsage } from '@sip-capture/contract/rest/directory.ts'
import { messageFilter } from '@sip-capture/contract/rest/message.ts'
import type { PinnedCall } from '@sip-capture/contract/rest/watch.ts'
import { maxMicros } from '@sip-capture/contract/time.ts'
import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import { z } from 'zod'
import type { RtcpReports } from '../quality/rtcp-store.ts'
import type { AorTimeline, RegistrationHistory } from '../registrations/aor-history.ts'
import type { CallRecord } from '../calls/call-record.ts'
import type { CallPage } from '../calls/call-store.ts'
import type { ExportStep } from './files/export-session.ts'
import type { ImportStep } from './files/import-session.ts'
import type { FoundCall } from './leg-store.ts'
import type { Pin, PinOutcome } from './pins/pin-store.ts'
import type { OpenedCall } from './pins/pinned-reader.ts'
import type { MessagePage } from './message-page.ts'
import { messageTables, type StoredMessage } from './record-rows.ts'

/** What passes between the API and its history process. Both sides are ours, yet each checks what it takes. */

const rowKey = z.object({ atMicros: z.int().min(0).max(maxMicros), id: z.string().regex(/^[0-9a-f]{32}$/) })
const micros = z.int().min(0).max(maxMicros).optional()

const session = z.string().regex(/^[0-9a-f]{32}$/)
const capture = z.string().regex(/^[0-9a-f]{32}$/)

export const historyRequest = z.discriminatedUnion('method', [
  z.object({
    method: z.literal('listMessages'),
    filter: messageFilter,
    since: micros,
    until: micros,
    order: z.enum(['asc', 'desc']),
    limit: z.int().min(1).max(1000),
    after: rowKey.optional(),
  }),
  z.object({ method: z.literal('findMessage'), id: z.string().regex(/^[0-9a-f]{32}$/) }),
  z.object({
    method: z.literal('findCall'),
    id: z.string().min(1).max(65_535),
    capture: z.string().optional(),
  }),
  z.object({
    method: z.literal('listCalls'),
    filter: callFilter,
    since: micros,
    until: micros,
    order: z.enum(['asc', 'desc']),
    limit: z.int().min(1).max(1000),
    after: rowKey.optional(),
  }),
  /** By our own id, else by Call-IDs. */
  z.object({
    method: z.literal('findCallRecord'),
    id: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .optional(),
    callIds: z.array(z.string()).max(500).optional(),
    capture: z.string().optional(),
  }),
  z.object({
    method: z.literal('readCallStats'),
    filter: callFilter,
    since: z.int().min(0).max(maxMicros),
    until: z.int().min(0).max(maxMicros),
    bucketSeconds: z.int().min(1),
  }),
  z.object({
    method: z.literal('resolveCall'),
    id: z.string().max(65_535).optional(),
    at: micros,
    from: z.string().max(512).optional(),
    to: z.string().max(512).optional(),
  }),
  z.object({ method: z.literal('readTrunkUsage'), since: z.int().min(0).max(maxMicros) }),
  z.object({ method: z.literal('readRtcpReports'), id: z.string().min(1).max(65_535) }),
  z.object({
    method: z.literal('readRegistrations'),
    since: z.int().min(0).max(maxMicros),
    until: z.int().min(0).max(maxMicros),
  }),
  z.object({
    method: z.literal('readRegistration'),
    aor: z.string().min(1).max(1024),
    node: z.string().max(256).optional(),
    /** Names under which Asterisk may tell of it. */
    subjects: z.array(z.string().max(1024)).max(100),
    since: z.int().min(0).max(maxMicros),
    until: z.int().min(0).max(maxMicros),
    limit: z.int().min(1).max(1000),
  }),
  z.object({ method: z.literal('readCallEvents'), id: z.string().min(1).max(65_535) }),
  /** Which call this is, how much there is of it, and its first messages. */
  z.object({
    method: z.literal('openCall'),
    id: z.string().min(1).max(65_535),
    capture: z.string().optional(),
    max: z.int().min(1).max(100_000),
    rows: z.object({ first: z.int().min(1).max(10_000), others: z.int().min(1).max(10_000) }),
    withFrames: z.boolean(),
  }),
  z.object({
    method: z.literal('readCallSpan'),
    callIds: z.array(z.string()).max(500),
    capture: z.string(),
    from: z.enum(messageTables),
    fromMicros: z
      .int()
      .min(0)
      .max(maxMicros + 1),
    untilMicros: z
      .int()
      .min(0)
      .max(maxMicros + 1),
    limit: z.int().min(1).max(100_001),
    withFrames: z.boolean(),
  }),
  z.object({
    method: z.literal('openExport'),
    session,
    order: z.object({
      filter: messageFilter,
      since: micros,
      until: micros,
      wholeCalls: z.boolean(),
      format: z.enum(['pcapng', 'pcap']),
      mask: z.boolean(),
      file: z.string(),
      maxBytes: z.number(),
    }),
  }),
  z.object({
    method: z.literal('openImport'),
    session,
    order: z.object({
      capture,
      file: z.string(),
      node: z.string(),
      maxBytes: z.number(),
      isFirst: z.boolean(),
    }),
  }),
  z.object({ method: z.literal('stepExport'), session }),
  z.object({ method: z.literal('stepImport'), session }),
  z.object({ method: z.literal('closeFile'), session }),
  z.object({ method: z.literal('removeCapture'), capture }),
  z.object({
    method: z.literal('pinCall'),
    id: z.string().min(1).max(65_535),
    capture: z.string().optional(),
    /** Name of the watch; `''`: a person. */
    by: z.string().max(200),
    max: z.int().min(0),
  }),
  z.object({ method: z.literal('unpinCall'), id: session }),
  /** By any name of the call. */
  z.object({
    method: z.literal('findPin'),
    names: z.array(z.string()).max(1_000),
    capture: z.string().optional(),
  }),
  z.object({ method: z.literal('listPins') }),
])
export type HistoryRequest = z.output<typeof historyRequest>

const fileMethods = ['openExport', 'openImport', 'stepExport', 'stepImport', 'closeFile'] as const
/** What is done step by step, by the thread that writes. */
export type FileRequest = Extract<HistoryRequest, { method: (typeof fileMethods)[number] }>

export const isFileRequest = (request: HistoryRequest): request is FileRequest =>
  fileMethods.some((method) => method === request.method)

export interface HistoryAnswers {
  listMessages: MessagePage
  findMessage: StoredMessage | undefined
  findCall: FoundCall
  listCalls: CallPage
  findCallRecord: CallRecord | undefined
  readCallStats: CallStats
  resolveCall: Resolution
  readCallEvents: CallEvent[]
  readRtcpReports: RtcpReports
  readTrunkUsage: TrunkUsage[]
  readRegistrations: RegistrationHistory
  readRegistration: AorTimeline
  openCall: OpenedCall
  readCallSpan: StoredMessage[]
  openExport: ExportStep
  stepExport: ExportStep
  openImport: ImportStep
  stepImport: ImportStep
  closeFile: void
  removeCapture: void
  pinCall: PinOutcome
  /** False: there was none. */
  unpinCall: boolean
  findPin: Pin | undefined
  listPins: PinnedCall[]
}

/** The settings that history needs. */
const workerConfig = z.object({
  REDIS_URL: z.string(),
  CAPTURE_REDIS_URLS: z.array(z.string()).readonly().optional(),
  BUS_PREFIX: z.string(),
  LOG_LEVEL: z.string(),
  NODE_NAME: z.string(),
  API_ROLE: z.enum(['all', 'api', 'worker']),
  HISTORY_URL: z.array(z.string()).readonly().optional(),
  HISTORY_CLUSTER: z.string().optional(),
  DATA_DIR: z.string(),
  ALIASES_FILE: z.string().optional(),
  RETENTION_DAYS: z.number(),
  RETENTION_BYTES: z.number().optional(),
})
export type WorkerConfig = z.output<typeof workerConfig>

/** To the history process. */
export const toWorker = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('start'),
    config: workerConfig,
  }),
  z.object({ type: z.literal('request'), number: z.int(), request: historyRequest }),
  z.object({ type: z.literal('stop') }),
])
export type ToWorker = z.output<typeof toWorker>

export const historyStatus = z.object({
  ok: z.boolean(),
  detail: z.string(),
  counters: z.record(z.string(), z.number()),
  backlog: z.number(),
  /** Calls that wait to be summarised. */
  callsWaiting: z.number(),
  bytes: z.number(),
})
export type HistoryStatus = z.infer<typeof historyStatus>

/** From the history process. */
export const fromWorker = z.discriminatedUnion('type', [
  z.object({ type: z.literal('status'), status: historyStatus }),
  z.object({ type: z.literal('answer'), number: z.int(), result: z.unknown() }),
  z.object({
    type: z.literal('failure'),
    number: z.int(),
    /** `too-slow`: the search took too long; `unavailable`: the store does not answer; `fault`: a mistake of ours. */
    code: z.enum(['too-slow', 'unavailable', 'fault']),
    message: z.string(),
  }),
])
export type FromWorker = z.infer<typeof fromWorker>

/** What the thread that writes begins with. `engine`: the embedded one, where it is that. */
export const writerData = z.object({
  config: workerConfig,
  engine: z.object({ port: z.instanceof(MessagePort), exchange: z.string() }).optional(),
})
export type WriterData = z.infer<typeof writerData>

/** To the thread that writes; it answers as the process does. */
export const toWriter = z.discriminatedUnion('type', [
  z.object({ type: z.literal('request'), number: z.int(), request: historyRequest.refine(isFileRequest) }),
  z.object({ type: z.literal('stop') }),
])
export type ToWriter = z.infer<typeof toWriter>
