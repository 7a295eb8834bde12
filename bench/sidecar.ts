import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Figure } from './figures.ts'
import { cpuDuring } from './processes.ts'
import type { RowContext, RunRow } from './row.ts'
import { startBus, startSidecar, type Bus } from './system.ts'
import { pcapHeader, TrafficLoop } from './traffic-loop.ts'
import { openSink, sendDatagrams } from './udp-sender.ts'

const perSecond = 1_000

export const run: RunRow = async (context) => {
  const bus = await startBus()
  try {
    return [...(await costAtRate(bus, context)), ...(await growth(bus, context))]
  } finally {
    await bus.stop()
  }
}

async function costAtRate(bus: Bus, { pick }: RowContext): Promise<Figure[]> {
  const seconds = pick(4, 30, 60)
  const sink = await openSink()
  const loop = new TrafficLoop(13_000)
  const sidecar = await startSidecar(bus, { TSHARK_INTERFACE: 'lo', TSHARK_PORT: String(sink.port) })
  try {
    const send = (duration: number) =>
      sendDatagrams({ port: sink.port, perSecond, seconds: duration, next: () => loop.takePayload() })
    // Until Node has compiled what is run often.
    await send(pick(3, 20, 20))
    const used = await cpuDuring(sidecar, () => send(seconds))
    const { own, peak, peaksBelow } = sidecar.memory()
    return [
      {
        name: 'sidecar: CPU at 1,000 messages/s',
        value: (used.own / used.seconds) * 100,
        unit: '% of a core',
        atMost: 3,
      },
      {
        name: 'sidecar: CPU of its packet reader',
        value: (used.below / used.seconds) * 100,
        unit: '% of a core',
      },
      { name: 'sidecar: memory at 1,000 messages/s', value: own / 1e6, unit: 'MB', atMost: 120 },
      { name: 'sidecar: its peak since the start', value: peak / 1e6, unit: 'MB' },
      {
        name: 'sidecar: peak memory of its packet reader, the kernel’s ring in it',
        value: peaksBelow.reduce((a, b) => a + b, 0) / 1e6,
        unit: 'MB',
      },
    ]
  } finally {
    await sidecar.stop()
    sink.close()
  }
}

/** Resident memory after a tenth of the messages and after all of them. */
async function growth(bus: Bus, { pick, folder, say }: RowContext): Promise<Figure[]> {
  const messages = pick(50_000, 2_000_000, 10_000_000)
  const chunk = 5_000
  const fifo = join(folder, 'growth.pcap')
  await once(spawn('mkfifo', [fifo]), 'exit')
  const loop = new TrafficLoop(65_000)
  const starting = startSidecar(bus, { TSHARK_INTERFACE: fifo, TSHARK_PORT: '5060' })
  const pipe = createWriteStream(fifo)
  pipe.write(pcapHeader)
  const sidecar = await starting
  const startedAt = performance.now()
  let early = 0
  for (let sent = 0; sent < messages; sent += chunk) {
    if (!pipe.write(loop.take(chunk, Date.now() * 1_000, 10))) await once(pipe, 'drain')
    if (sent >= messages / 10) early ||= sidecar.memory().own
  }
  pipe.end()
  while (((await bus.status('wire'))?.counters['published'] ?? 0) < messages) await pause(100)
  const seconds = (performance.now() - startedAt) / 1_000
  const { own, peak } = sidecar.memory()
  await sidecar.stop()
  say(
    `${messages} messages through a pipe in ${seconds.toFixed(1)} s; ${early / 1e6} MB, then ${own / 1e6} MB`,
  )
  return [
    {
      name: 'sidecar: as fast as it reads a pipe, with Redis',
      value: messages / seconds,
      unit: 'messages/s',
    },
    {
      name: `sidecar: memory after ${messages.toLocaleString('en-US')} messages, to that after a tenth`,
      value: own / early,
      unit: '×',
      atMost: 1.2,
    },
    { name: 'sidecar: peak memory at full speed', value: peak / 1e6, unit: 'MB' },
  ]
}
