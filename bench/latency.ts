import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { percentile, type Figure } from './figures.ts'
import { isSoon, startPageSystem } from './page-system.ts'
import type { RunRow } from './row.ts'
import { startSidecar } from './system.ts'
import { TrafficLoop } from './traffic-loop.ts'
import { openSink, sendDatagrams } from './udp-sender.ts'

const perSecond = 1_000

/** From the kernel's stamp on the frame to the WebSocket event in Chromium on the live table, by what captures unless told, and through tshark
 *  and tcpdump beside it. */
export const run: RunRow = async ({ pick, folder, say }) => {
  const seconds = pick(3, 30, 60)
  const warmUpSeconds = pick(2, 5, 5)
  const system = await startPageSystem(folder)
  const sink = await openSink()
  const loop = new TrafficLoop(13_000)
  const send = (duration: number): Promise<number> =>
    sendDatagrams({ port: sink.port, perSecond, seconds: duration, next: () => loop.takePayload() })

  async function measure(command: string): Promise<{ received: number[]; painted: number[] }> {
    const page = await system.newPage()
    const sidecar = await startSidecar(system.api.bus, {
      TSHARK_COMMAND: command,
      TSHARK_INTERFACE: 'lo',
      TSHARK_PORT: String(sink.port),
    })
    try {
      await page.addInitScript(watchRows)
      await page.goto(`${system.url}/capture`)
      await send(warmUpSeconds)
      // What is late of the warm-up must not count as measured.
      for (let [before, count] = [-1, 0]; count === 0 || count !== before;) {
        before = count
        await pause(1_000)
        count = z.number().parse(await page.evaluate('benchRows.length'))
      }
      await page.evaluate('benchRows.length = 0; benchPainted.length = 0')
      const sent = await send(seconds)
      // Late rows are late, not missing.
      await isSoon(page, `benchRows.length >= ${sent}`, 30_000)
      await pause(200)
      const [received, painted] = z
        .tuple([z.array(z.number()), z.array(z.number())])
        .parse(await page.evaluate('[benchRows, benchPainted]'))
      say(`${command}: ${received.length} of ${sent} rows came`)
      if (received.length !== sent) throw new Error(`${sent} frames, ${received.length} rows`)
      return { received, painted }
    } finally {
      await sidecar.stop()
      await page.close()
    }
  }

  try {
    const figures: Figure[] = []
    for (const command of ['auto', 'tshark', 'tcpdump']) {
      const { received, painted } = await measure(command)
      const isUsual = command === 'auto'
      const name = isUsual ? 'latency' : `latency with TSHARK_COMMAND=${command}`
      const [p50, p99] = [percentile(received, 0.5), percentile(received, 0.99)]
      figures.push(
        { name: `${name}: frame → browser p50`, value: p50, unit: 'ms', ...(isUsual && { atMost: 30 }) },
        { name: `${name}: frame → browser p99`, value: p99, unit: 'ms', ...(isUsual && { atMost: 100 }) },
        { name: `${name}: frame → drawn p50`, value: percentile(painted, 0.5), unit: 'ms' },
        { name: `${name}: frame → drawn p99`, value: percentile(painted, 0.99), unit: 'ms' },
      )
    }
    return figures
  } finally {
    sink.close()
    await system.stop()
  }
}

/** Runs in the page, before its own scripts: notes the age of each row when it comes, and when the next frame is drawn. */
const watchRows = `{
  globalThis.benchRows = []
  globalThis.benchPainted = []
  const Socket = globalThis.WebSocket
  const micros = (at) => Date.parse(at.slice(0, 19) + 'Z') * 1000 + Number(at.slice(20, 26))
  globalThis.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given)
      this.addEventListener('message', ({ data }) => {
        const now = performance.timeOrigin + performance.now()
        const frame = JSON.parse(data)
        if (frame.type !== 'sip:capture-packet') return
        const ages = frame.items.map(({ at }) => now - micros(at) / 1000)
        benchRows.push(...ages)
        requestAnimationFrame(() => {
          const channel = new MessageChannel()
          channel.port1.onmessage = () => {
            const later = performance.timeOrigin + performance.now() - now
            benchPainted.push(...ages.map((age) => age + later))
          }
          channel.port2.postMessage(0)
        })
      })
    }
  }
}`
