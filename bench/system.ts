import { setTimeout as pause } from 'node:timers/promises'
import { encodeBatch, encodeRecords, decodeBatch } from '@sip-capture/contract/codec.ts'
import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { sourceStatus, type SourceStatus } from '@sip-capture/contract/bus/source-status.ts'
import { callStats } from '@sip-capture/contract/rest/call-log.ts'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { startTestRedis, type TestRedis } from '@sip-capture/testing/test-redis.ts'
import { Redis } from 'ioredis'
import { z } from 'zod'
import { startService, type Service } from './processes.ts'

/** A real Redis with a connection of the benchmark's own. */
export interface Bus {
  readonly redis: TestRedis
  readonly client: Redis
  /** Entries of the capture stream that history has not acknowledged. */
  waiting(): Promise<number>
  /** The newest heartbeat of a sidecar (`wire`) or a bridge (`ami`). */
  status(kind: SourceStatus['kind']): Promise<SourceStatus | undefined>
  /** What Asterisk told, as the bridge publishes it. */
  publishCalls(events: readonly CallEvent[]): Promise<void>
  stop(): Promise<void>
}

/** A real API process with its history process, on free loopback ports. */
export interface ApiSystem {
  readonly origin: string
  readonly service: Service
  readonly bus: Bus
  get(path: string): Promise<Response>
  post(path: string, body: object): Promise<Response>
  delete(path: string): Promise<void>
  /** Puts records on the bus as the sidecar does and waits until history has acknowledged all. */
  store(records: Iterable<SipRecord>, onProgress?: (stored: number) => void): Promise<void>
  /** Peak resident memory of the API and of its history process since `resetPeaks`, bytes. */
  readPeaks(): { api: number; history: number }
  resetPeaks(): void
  stop(): Promise<void>
}

export const batchMessages = 64
/** Waiting on the bus at most: Redis holds what history has not taken yet. */
const maxWaiting = 40_000
/** In two seconds. */
const restCpuSeconds = 0.1
const restSeconds = 5
const { capture, calls, sources } = createBusKeys()

export async function startBus(): Promise<Bus> {
  const redis = await startTestRedis()
  const client = new Redis(redis.url, { maxRetriesPerRequest: null })
  return {
    redis,
    client,
    waiting: () => waitingOn(client),
    async status(kind) {
      const entries = await client.xrevrangeBuffer(sources, '+', '-', 'COUNT', 20)
      return entries
        .flatMap(([, fields]) => decodeBatch(sourceStatus, fields).items)
        .find((status) => status.kind === kind)
    },
    async publishCalls(events) {
      await client.xadd(calls, '*', ...encodeBatch(events))
    },
    async stop() {
      client.disconnect()
      await redis.stop()
    },
  }
}

export async function startApi(dataDir: string, settings: Record<string, string> = {}): Promise<ApiSystem> {
  const bus = await startBus()
  const port = await findFreePort()
  const service = startService('api', {
    REDIS_URL: bus.redis.url,
    API_PORT: String(port),
    DATA_DIR: dataDir,
    RETENTION_DAYS: '3650',
    ...settings,
  })
  const origin = `http://127.0.0.1:${port}`
  await ready(service, origin)
  return {
    origin,
    service,
    bus,
    get: (path) => fetch(`${origin}${path}`),
    post: (path, body) =>
      fetch(`${origin}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    async delete(path) {
      await fetch(`${origin}${path}`, { method: 'DELETE' })
    },
    store: (records, onProgress) => store(bus, records, onProgress),
    readPeaks() {
      const { peak, peaksBelow } = service.memory()
      return { api: peak, history: Math.max(0, ...peaksBelow) }
    },
    resetPeaks: () => service.resetPeaks(),
    async stop() {
      await service.stop()
      await bus.stop()
    },
  }
}

/** Until the call log gets no more calls, so that nothing but what is measured is at work. */
export async function callLogAtRest(api: ApiSystem, since: Date, until: Date): Promise<void> {
  const query = new URLSearchParams({
    since: since.toISOString(),
    until: until.toISOString(),
    bucket: '3600',
  })
  let calls = -1
  for (let unchanged = 0; unchanged < restSeconds;) {
    const { total } = callStats.parse(await (await api.get(`/api/v1/stats?${query.toString()}`)).json())
    unchanged = total.calls === calls ? unchanged + 1 : 0
    calls = total.calls
    await pause(1_000)
  }
}

/** Until API and history take hardly any processor time: the engine merges what was stored for a while. */
export async function servicesAtRest({ service }: ApiSystem): Promise<void> {
  for (let before = Number.NEGATIVE_INFINITY; ;) {
    const { own, below } = service.cpuSeconds()
    if (own + below - before < restCpuSeconds) return
    before = own + below
    await pause(2_000)
  }
}

/** A sidecar that works: its heartbeat says so. */
export async function startSidecar(bus: Bus, settings: Record<string, string>): Promise<Service> {
  const service = startService('capture-sidecar', {
    REDIS_URL: bus.redis.url,
    TSHARK_ENABLED: 'true',
    ...settings,
  })
  for (;;) {
    if (service.child.exitCode !== null) throw new Error(`the sidecar ended with ${service.child.exitCode}`)
    const status = await bus.status('wire')
    if (status?.state === 'failed') throw new Error(status.detail)
    if (status?.state === 'up') return service
    await pause(50)
  }
}

async function ready({ child }: Service, origin: string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the API ended with ${child.exitCode}`)
    const isReady = await fetch(`${origin}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return
    await pause(50)
  }
}

async function store(
  bus: Bus,
  records: Iterable<SipRecord>,
  onProgress: ((stored: number) => void) | undefined,
): Promise<void> {
  const { client } = bus
  let sent = 0
  let batch: SipRecord[] = []
  let pipeline = client.pipeline()
  const flush = async (): Promise<void> => {
    await pipeline.exec()
    pipeline = client.pipeline()
    while ((await bus.waiting()) * batchMessages > maxWaiting) await pause(20)
    onProgress?.(sent)
  }
  for (const record of records) {
    if (batch.push(record) < batchMessages) continue
    pipeline.xadd(capture, '*', ...encodeRecords(batch))
    sent += batch.length
    batch = []
    if (pipeline.length >= 64) await flush()
  }
  if (batch.length > 0) pipeline.xadd(capture, '*', ...encodeRecords(batch))
  sent += batch.length
  await flush()
  while ((await bus.waiting()) > 0) await pause(50)
  onProgress?.(sent)
}

const groupState = z.tuple([z.array(z.unknown())]).rest(z.unknown())

/** Entries that the history group has not acknowledged. */
async function waitingOn(client: Redis): Promise<number> {
  const [state] = groupState.parse(await client.xinfo('GROUPS', capture))
  const field = (name: string): number => Number(state[state.indexOf(name) + 1] ?? 0)
  return field('lag') + field('pending')
}
