import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { Figure } from './figures.ts'
import { openLiveClient } from './live-client.ts'
import { startPipedSidecar } from './piped-sidecar.ts'
import type { RowContext, RunRow } from './row.ts'
import { batchMessages, startApi, startBus } from './system.ts'
import { TrafficLoop, writeCaptureFile } from './traffic-loop.ts'

/**
 * On the bus and not yet in history: the feed waits above this, so that what comes out is a rate that can be kept up. Three
 * batches of history's, one that it stores, one that it reads and one that comes: with less it would wait for the feed.
 */
const maxWaitingMessages = 120_000
const chunkMessages = 2_000

/** A pipe into the sidecar, Redis, the API with its history, and one page that wants every row. */
export const run: RunRow = async (context) => {
  const ours = await chain(context)
  const seed = await seedsWay(context)
  const rate = ours[0]?.value ?? Number.NaN
  return [
    ...ours,
    { name: 'chain: the seed’s way, tshark -T ek → Redis', value: seed, unit: 'messages/s' },
    { name: 'chain: × the seed’s way', value: rate / seed, unit: '×', atLeast: 10 },
  ]
}

async function chain({ pick, folder, say }: RowContext): Promise<Figure[]> {
  const seconds = pick(4, 60, 300)
  const loop = new TrafficLoop(65_000)
  const api = await startApi(join(folder, 'data'))
  const page = await openLiveClient(api.origin, {})
  const piped = await startPipedSidecar(api.bus, folder)
  const sidecar = piped.service
  try {
    const startedAt = performance.now()
    const before = [sidecar.cpuSeconds(), api.service.cpuSeconds()] as const
    let sent = 0
    while (performance.now() - startedAt < seconds * 1_000) {
      if ((await api.bus.waiting()) * batchMessages > maxWaitingMessages) {
        await pause(5)
        continue
      }
      const stepMicros = 10
      await piped.write(loop.take(chunkMessages, Date.now() * 1_000, stepMicros))
      sent += chunkMessages
    }
    piped.end()
    while (((await api.bus.status('wire'))?.counters['published'] ?? 0) < sent) await pause(50)
    while ((await api.bus.waiting()) > 0) await pause(20)
    const took = (performance.now() - startedAt) / 1_000
    for (let n = 0; n < 100 && page.rows + page.missed < sent; n++) await pause(50)
    const after = [sidecar.cpuSeconds(), api.service.cpuSeconds()] as const
    const perMessage = (cpu: number): number => (cpu / sent) * 1e6
    const summarised = await readCounter(api.origin, 'calls_summarised')
    let stored = 0
    for (let n = 0; n < 20 && stored < sent; n++) {
      stored = await readCounter(api.origin, 'stored')
      await pause(500)
    }
    say(`${sent} messages in ${took.toFixed(1)} s: ${stored} stored, ${page.rows} on the page`)
    return [
      { name: 'chain: sustained', value: sent / took, unit: 'messages/s', atLeast: 60_000 },
      { name: 'chain: lost in history', value: sent - stored, unit: 'messages', atMost: 0 },
      { name: 'chain: lost on the page', value: sent - page.rows, unit: 'messages', atMost: 0 },
      {
        name: 'chain: CPU of the sidecar',
        value: perMessage(after[0].own - before[0].own),
        unit: 'µs/message',
      },
      { name: 'chain: CPU of the API', value: perMessage(after[1].own - before[1].own), unit: 'µs/message' },
      {
        name: 'chain: CPU of history',
        value: perMessage(after[1].below - before[1].below),
        unit: 'µs/message',
      },
      { name: 'chain: rows of the call log written meanwhile', value: summarised, unit: 'calls' },
      { name: 'chain: peak memory, sidecar', value: sidecar.memory().peak / 1e6, unit: 'MB' },
      { name: 'chain: peak memory, API', value: api.readPeaks().api / 1e6, unit: 'MB' },
      { name: 'chain: peak memory, history', value: api.readPeaks().history / 1e6, unit: 'MB' },
    ]
  } finally {
    page.close()
    await piped.stop()
    await api.stop()
  }
}

/** What the API and its history say that they have done. */
async function readCounter(origin: string, name: string): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text()
  const value = new RegExp(`^sip_capture_api_events_total\\{event="${name}"\\} (\\S+)$`, 'm').exec(text)?.[1]
  return value === undefined ? Number.NaN : Number(value)
}

const ekLayers = z.object({ layers: z.record(z.string(), z.unknown()) })

/** The seed: tshark -T ek, every line parsed, written to a Redis stream one message an entry. */
async function seedsWay({ pick, folder }: RowContext): Promise<number> {
  const messages = pick(5_000, 60_000, 300_000)
  const file = join(folder, 'seed.pcap')
  await writeCaptureFile(file, { messages, startMicros: 1_795_305_600_000_000, stepMicros: 100 })
  const bus = await startBus()
  const startedAt = performance.now()
  const tshark = spawn('tshark', ['-r', file, '-n', '-d', 'udp.port==5060,sip', '-T', 'ek'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const written: Promise<unknown>[] = []
  for await (const line of createInterface({ input: tshark.stdout })) {
    const parsed = ekLayers.safeParse(JSON.parse(line))
    if (!parsed.success) continue
    written.push(bus.client.xadd('bench:seed', '*', 'message', JSON.stringify(parsed.data.layers['sip'])))
    if (written.length >= 500) await Promise.all(written.splice(0))
  }
  await Promise.all(written)
  const rate = messages / ((performance.now() - startedAt) / 1_000)
  const stored = await bus.client.xlen('bench:seed')
  await bus.stop()
  if (stored !== messages) throw new Error(`the seed’s way stored ${stored} of ${messages} messages`)
  return rate
}
