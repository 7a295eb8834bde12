import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { measure, type Service } from './processes.ts'
import type { RunRow } from './row.ts'
import { startBus, startSidecar, type Bus } from './system.ts'
import { writeCaptureFile } from './traffic-loop.ts'

const execute = promisify(execFile)
const packetsPerSecond = 100_000
const fileMessages = 100_000
const settledMillis = 6_000

/** tcpreplay puts frames on loopback; the sidecar captures them there as it does on a network card. */
export const run: RunRow = async ({ pick, folder, say }) => {
  const rounds = pick(2, 10, 30)
  const messages = rounds * fileMessages
  const file = join(folder, 'live.pcap')
  const port = await findFreePort()
  await writeCaptureFile(file, { messages: fileMessages, startMicros: 0, stepMicros: 10, port })
  const bus = await startBus()
  const sidecar = await startSidecar(bus, { TSHARK_INTERFACE: 'lo', TSHARK_PORT: String(port) })
  try {
    sidecar.resetPeaks()
    const before = sidecar.cpuSeconds()
    const { stdout } = await execute('tcpreplay', [
      '-q',
      '-i',
      'lo',
      '--preload-pcap',
      `--loop=${rounds}`,
      `--pps=${packetsPerSecond}`,
      file,
    ])
    const rate = Number(/([\d.]+) pps/.exec(stdout)?.[1])
    const counters = await settledCounters(bus)
    const after = sidecar.cpuSeconds()
    say(`${stdout.trim().split('\n').slice(0, 2).join('; ')}; ${JSON.stringify(counters)}`)
    return [
      { name: 'live: offered on loopback', value: rate, unit: 'packets/s', atLeast: 99_000 },
      {
        name: `live: lost of ${messages.toLocaleString('en-US')}`,
        value: messages - (counters['published'] ?? 0),
        unit: 'packets',
        atMost: 0,
      },
      {
        name: 'live: CPU of the sidecar',
        value: ((after.own - before.own) / messages) * 1e6,
        unit: 'µs/message',
      },
      {
        name: 'live: CPU of its packet reader',
        value: ((after.below - before.below) / messages) * 1e6,
        unit: 'µs/message',
      },
      ...peaks(sidecar),
    ]
  } finally {
    await sidecar.stop()
    await bus.stop()
  }
}

function peaks(sidecar: Service): { name: string; value: number; unit: string }[] {
  const { peak, peaksBelow } = measure(sidecar.pid).memory()
  return [
    { name: 'live: peak memory, sidecar', value: peak / 1e6, unit: 'MB' },
    {
      name: 'live: peak memory, packet reader and the kernel’s ring in it',
      value: peaksBelow.reduce((a, b) => a + b, 0) / 1e6,
      unit: 'MB',
    },
  ]
}

/** The sidecar's counters once a heartbeat has not changed what is published. */
async function settledCounters(bus: Bus): Promise<Record<string, number>> {
  let before = -1
  for (;;) {
    await pause(settledMillis)
    const counters = (await bus.status('wire'))?.counters ?? {}
    if (counters['published'] === before) return counters
    before = counters['published'] ?? 0
  }
}
