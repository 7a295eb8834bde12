/** Figures of the call log: `node --import tsx bench/call-log.ts [calls stored] [calls summarised]`, in this folder. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { callFilter } from '@sip-capture/contract/rest/call-log.ts'
import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import { createLogger } from '@sip-capture/service/logger.ts'
import { insertCalls, listCalls } from '../src/calls/call-store.ts'
import { readCallStats } from '../src/calls/call-stats.ts'
import { resolveCall } from '../src/calls/resolve.ts'
import { startSummariser } from '../src/calls/summariser.ts'
import { summariseCall, type CallSummary } from '../src/calls/summarise-call.ts'
import { openEmbeddedStore } from '../src/history/embedded-store.ts'
import { insertCallEvents } from '../src/history/leg-store.ts'
import { insertMessages } from '../src/history/message-writer.ts'
import { migrate } from '../src/history/schema.ts'
import type { Store } from '../src/history/store.ts'
import { callMessages, second, type CallScript } from '../test/calls/call-messages.ts'
import { viewOf } from '../test/message-view.ts'

const storedCalls = Number(process.argv[2] ?? 100_000)
const summarisedCalls = Number(process.argv[3] ?? 5_000)
const runs = 60

const now = Math.floor(Date.now() / 1000) * second
const start = now - 24 * 3600 * second
const outcomes: Partial<CallScript>[] = [
  { ringing: 900, final: [3000, 200, 'OK'], bye: 60_000 },
  { ringing: 1900, final: [9000, 200, 'OK'], bye: 240_000 },
  { ringing: 700, final: [6000, 486, 'Busy Here'] },
  { final: [300, 404, 'Not Found'] },
  { final: [900, 503, 'Service Unavailable'] },
]

/** Two legs, 26 messages at most. */
function legsOf(n: number, startMicros: number): [CallScript, CallScript] {
  const outcome = outcomes[n % outcomes.length] ?? {}
  const from = `+4420${String(n % 9973).padStart(6, '0')}`
  return [
    { callId: `a-${n}@bench`, startMicros, from, ...outcome },
    {
      callId: `b-${n}@bench`,
      startMicros: startMicros + 40_000,
      leg: 'trunk',
      from,
      to: '+4930123',
      ...outcome,
    },
  ]
}

async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'call-log-'))
  const store = openEmbeddedStore(folder)
  await migrate(store)
  await work(store)
  await store.close()
  await rm(folder, { recursive: true, force: true })
}

async function measure(name: string, work: (run: number) => Promise<unknown>): Promise<void> {
  for (let run = 0; run < 3; run++) await work(run)
  const millis: number[] = []
  const cpu = process.cpuUsage()
  for (let run = 0; run < runs; run++) {
    const from = performance.now()
    await work(run)
    millis.push(performance.now() - from)
  }
  millis.sort((a, b) => a - b)
  const at = (share: number) => (millis[Math.floor(millis.length * share)] ?? 0).toFixed(1)
  const { user, system } = process.cpuUsage(cpu)
  const cpuMillis = ((user + system) / 1000 / runs).toFixed(1)
  console.log(`${name.padEnd(34)} cpu ${cpuMillis} ms  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms`)
}

/** One summary as a pattern, moved in time and renamed. */
function storedSummaries(): CallSummary[] {
  const patterns = outcomes.map((_, n) => {
    const legs = legsOf(n, start)
    const callIds = legs.map(({ callId }) => callId)
    const summary = summariseCall(
      {
        call: { callIds, legs: [], node: 'pbx1', linkedids: [] },
        views: legs.flatMap(callMessages).map((record) => viewOf(record)),
        ends: [],
        capture: '',
        isTrunk: (name) => name === 'acme',
      },
      { nowMicros: now },
    )
    if (!summary) throw new Error('no call')
    return summary
  })
  return Array.from({ length: storedCalls }, (_, n) => {
    const pattern = patterns[n % patterns.length]
    if (!pattern) throw new Error('no pattern')
    const startedAtMicros = start + Math.floor((n * (now - start)) / storedCalls)
    const number = `+4420${String(n % 9973).padStart(6, '0')}`
    return {
      ...pattern,
      startedAtMicros,
      numbers: [number.slice(1)],
      row: {
        ...pattern.row,
        id: n.toString(16).padStart(32, '0'),
        from: { number, name: `User ${n % 500}` },
        callIds: [`a-${n}@bench`, `b-${n}@bench`],
      },
    }
  })
}

await withStore(async (store) => {
  const calls = storedSummaries()
  // As the summariser writes them: a first version while it rings, a second one at the end.
  for (const version of [1, 2])
    for (let at = 0; at < calls.length; at += 1_000)
      await insertCalls(store, { summaries: calls.slice(at, at + 1_000), tombstones: [], version })
  console.log(`${storedCalls} calls stored, each twice`)
  const list =
    (words: object, limit = 100) =>
    () =>
      listCalls(store, { filter: callFilter.parse(words), order: 'desc', limit, nowMicros: now })
  await measure('newest 100', list({}))
  await measure('state=failed', list({ state: 'failed' }))
  await measure('q=code:5xx trunk:acme since:-1h', list({ q: 'code:5xx trunk:acme since:-1h' }))
  await measure('q=from:+44200001* (rare)', list({ q: 'from:+44200001*' }))
  await measure('q=number:xyz (no match)', list({ q: 'number:xyz' }))
  await measure('q=user 77 talk:>1m', list({ q: '"user 77" talk:>1m' }))
  await measure('page behind the 500th', (run) =>
    listCalls(store, {
      filter: {},
      order: 'desc',
      limit: 100,
      nowMicros: now,
      after: {
        atMicros: calls.at(-500 - run)?.startedAtMicros ?? 0,
        id: calls.at(-500 - run)?.row.id ?? '',
      },
    }),
  )
  await measure('resolve number and time', (run) =>
    resolveCall(store, { from: calls[run * 97]?.row.from.number, at: calls[run * 97]?.startedAtMicros }),
  )
  await measure('stats of 24 h', () =>
    readCallStats(store, { filter: {}, since: start, until: now, bucketSeconds: 1_800, nowMicros: now }),
  )
})

await withStore(async (store) => {
  const events: CallEvent[] = []
  let messages = 0
  for (let n = 0; n < summarisedCalls; n += 500) {
    const views = []
    for (let call = n; call < Math.min(n + 500, summarisedCalls); call++) {
      const legs = legsOf(call, start + call * 50_000)
      views.push(...legs.flatMap(callMessages).map((record) => viewOf(record)))
      for (const [leg, { callId, startMicros }] of legs.entries())
        events.push({
          v: 1,
          kind: 'leg-linked',
          node: 'pbx1',
          atMicros: startMicros,
          channel: `PJSIP/x-${call}-${leg}`,
          uniqueid: `${call}.${leg}`,
          linkedid: `${call}.0`,
          callId,
          from: 'getvar',
          reason: '',
        })
    }
    messages += views.length
    await insertMessages(store, views)
  }
  await insertCallEvents(store, events)
  const from = performance.now()
  const summariser = startSummariser({
    store,
    isTrunk: (name) => name === 'acme',
    onNews: () => {},
    logger: createLogger({ name: 'bench', level: 'warn' }),
  })
  while (summariser.counters.callsSummarised < summarisedCalls)
    await new Promise((resolve) => setTimeout(resolve, 5))
  const seconds = (performance.now() - from) / 1000
  await summariser.close()
  console.log(
    `${summarisedCalls} calls of two legs, ${messages} messages: ${Math.round(summarisedCalls / seconds)} calls/s, ` +
      `${Math.round(messages / seconds)} messages/s (${summariser.counters.callsSummarised} rows written)`,
  )
})
