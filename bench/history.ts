import { setTimeout as pause } from 'node:timers/promises'
import { median, percentile, type Figure } from './figures.ts'
import { RecordLoop } from './bus-feed.ts'
import { feedSidecar, startPipedSidecar, type PipedSidecar } from './piped-sidecar.ts'
import type { RowContext, RunRow } from './row.ts'
import { callLogAtRest, servicesAtRest, startApi, type ApiSystem } from './system.ts'
import { TrafficLoop } from './traffic-loop.ts'

const perSecond = 5_000
const dayMicros = 86_400_000_000

/** One filter each, over the newest page. */
const filters = [
  'method=INVITE',
  'number=44201',
  'status=4xx',
  'status=401',
  'address=198.51.100.33',
  'from=44201',
  'userAgent=FPBX',
  'source=wire',
  'text=nonce',
]

export const run: RunRow = async (context) => {
  const { pick, folder, say } = context
  const messages = pick(20_000, 1_000_000, 10_000_000)
  const tenth = messages / 10
  const stepMicros = dayMicros / messages
  const startMicros = Date.now() * 1_000 - dayMicros
  const api = await startApi(folder)
  let sidecar: PipedSidecar | undefined
  try {
    const records = new RecordLoop(65_000)
    const callIds: string[] = []
    const startedAt = performance.now()
    await api.store(noting(records.spread(tenth, startMicros, stepMicros), tenth, callIds))
    const small = await lookUps(api, context, callIds.slice())
    await api.store(
      noting(
        records.spread(messages - tenth, startMicros + tenth * stepMicros, stepMicros),
        messages,
        callIds,
      ),
    )
    const size = messages.toLocaleString('en-US')
    say(`${size} stored after ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`)
    // What comes in within a day leaves nothing behind; what is stored in minutes leaves work for as long again: calls, then merges.
    await callLogAtRest(api, new Date(startMicros / 1_000), new Date(Date.now() + 60_000))
    say(`its calls are in the call log after ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`)
    if (context.size !== 'quick') await servicesAtRest(api)
    say(`and all is merged after ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`)
    const disk = context.size === 'quick' ? Number.NaN : (await settledBytes(api)) / messages
    // Both sizes without inserts beside them.
    const grown = await lookUps(api, context, callIds)
    const stop = new AbortController()
    // By a sidecar, as it is: a feed in this process would hold up the answers that are timed here.
    sidecar = await startPipedSidecar(api.bus, folder)
    const feeding = feedSidecar(sidecar, api.bus, new TrafficLoop(65_000, { seed: 8 }), {
      perSecond,
      maxWaiting: 60_000,
      signal: stop.signal,
    })
    const feedingSince = performance.now()
    await pause(1_000)
    const large = await lookUps(api, context, callIds)
    const pages = await pageTimes(api, context)
    const since = new Date(Date.now() - 86_400_000).toISOString()
    const nothing = await times(api, pick(5, 100, 100), () => `text=no-such-word-anywhere&since=${since}`)
    stop.abort()
    const inserted = (await feeding) / ((performance.now() - feedingSince) / 1_000)
    return [
      { name: 'history: inserted meanwhile', value: inserted, unit: 'messages/s', atLeast: 4_900 },
      ...spread(`history: a call by Call-ID, ${size}`, large, 30),
      ...pages,
      ...spread(`history: a text that matches nothing, a day, ${size}`, nothing, 250),
      {
        name: `history: Call-ID look-up, ${size} against a tenth of them`,
        value: median(grown) / median(small),
        unit: '×',
        atMost: 1.5,
      },
      {
        name: 'history: disk a message',
        value: disk,
        unit: 'B',
        atMost: 90,
        ...(Number.isNaN(disk) ? { note: 'merges take longer than a quick run' } : {}),
      },
      { name: 'history: peak memory', value: api.readPeaks().history / 1e6, unit: 'MB' },
    ]
  } finally {
    await sidecar?.stop()
    await api.stop()
  }
}

/** Passes records on and keeps the Call-ID of one in two thousand. */
function* noting<T extends { readonly payload: Uint8Array }>(
  records: Iterable<T>,
  messages: number,
  callIds: string[],
): Generator<T> {
  const every = Math.max(1, Math.floor(messages / 500))
  let n = 0
  for (const record of records) {
    if (n++ % every === 0) {
      const callId = /^Call-ID: (\S+)/m.exec(Buffer.from(record.payload).toString('latin1'))?.[1]
      if (callId !== undefined) callIds.push(callId)
    }
    yield record
  }
}

/** A look-up of a call's messages answers with at least one. */
async function lookUps(api: ApiSystem, { pick }: RowContext, callIds: readonly string[]): Promise<number[]> {
  const count = pick(15, 200, 400)
  const chosen = Array.from(
    { length: count },
    (_, n) => callIds[Math.floor((n * callIds.length) / count)] ?? '',
  )
  let at = 0
  return times(api, count - warmUp, () => `callId=${encodeURIComponent(chosen[at++] ?? '')}`, true)
}

async function pageTimes(api: ApiSystem, { pick, say }: RowContext): Promise<Figure[]> {
  const count = pick(5, 60, 200)
  const all: number[] = []
  let worst = { filter: '', p99: 0 }
  for (const filter of filters.slice(0, pick(3, filters.length, filters.length))) {
    const millis = await times(api, count, () => filter, true)
    const p99 = percentile(millis, 0.99)
    say(`${filter}: p50 ${median(millis).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`)
    if (p99 > worst.p99) worst = { filter, p99 }
    all.push(...millis)
  }
  return [
    ...spread('history: newest page with any one filter', all, 50),
    { name: `history: the slowest of them, p99 (${worst.filter})`, value: worst.p99, unit: 'ms' },
  ]
}

const warmUp = 5

/** Milliseconds of requests one after the other, the first few left out. */
async function times(
  api: ApiSystem,
  count: number,
  query: () => string,
  mustFind = false,
): Promise<number[]> {
  const millis: number[] = []
  for (let n = -warmUp; n < count; n++) {
    const path = `/api/v1/messages?limit=100&${query()}`
    const startedAt = performance.now()
    const answer = await api.get(path)
    const text = await answer.text()
    if (n >= 0) millis.push(performance.now() - startedAt)
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text.slice(0, 200)}`)
    if (mustFind !== text.includes('"callId":')) throw new Error(`${path}: ${text.slice(0, 200)}`)
  }
  return millis
}

function spread(name: string, millis: readonly number[], atMost: number): Figure[] {
  return [
    { name: `${name}, p50`, value: median(millis), unit: 'ms' },
    { name: `${name}, p99`, value: percentile(millis, 0.99), unit: 'ms', atMost },
  ]
}

/** Bytes of history as the metrics tell them each minute, once merges change them by less than a hundredth. */
export async function settledBytes(system: ApiSystem): Promise<number> {
  let before = 0
  for (;;) {
    await pause(61_000)
    const text = await (await system.get('/metrics')).text()
    const bytes = Number(/^sip_capture_api_state\{what="history_bytes"\} (\S+)$/m.exec(text)?.[1])
    if (Number.isNaN(bytes)) throw new Error('the metrics do not tell the bytes of history')
    if (bytes > 0 && Math.abs(bytes - before) < bytes / 100) return bytes
    before = bytes
  }
}
