import { mkdtemp, writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { RecordLoop } from './bus-feed.ts'
import { createLongCall } from './long-call.ts'
import { startPageSystem } from './page-system.ts'
import { callLogAtRest } from './system.ts'
const second = 1_000_000
const startMicros = (Date.now() - 7_200_000) * 1_000
const long = createLongCall({ name: 'long', messages: 5_000, legs: 2, startMicros })
const short = createLongCall({ name: 'short', messages: 10, legs: 1, startMicros: startMicros - 5 * second })
const system = await startPageSystem(await mkdtemp('/tmp/x/zz-'))
const { api } = system
await api.store(new RecordLoop(13_000).spread(6_500, startMicros - 600 * second, (1_200 * second) / 6_500))
for (const call of [short, long]) {
  await api.bus.publishCalls(call.events)
  await api.store(call.records)
}
await pause(3000)
await callLogAtRest(api, new Date(startMicros / 1_000 - 3_600_000), new Date(startMicros / 1_000 + 3_600_000))
for (let run = 0; run < 8; run++) {
  const page = await system.newPage()
  const first = long.records[0]!,
    other = short.records[0]!
  const query = new URLSearchParams({
    since: toRfc3339(Math.min(first.atMicros, other.atMicros)),
    until: toRfc3339(first.atMicros + second),
  })
  for (const callId of [...long.callIds, ...short.callIds]) query.append('onlyCallId', callId)
  await page.goto(`${system.url}/capture?${query}`)
  await page.locator(`[data-message-id="${other.id}"]`).click()
  await page.getByTestId('verdict').waitFor()
  await page.keyboard.press('Escape')
  await page.getByTestId('detail').waitFor({ state: 'detached' })
  await pause(500)
  if (run === 7)
    await page
      .context()
      .browser()!
      .startTracing(page, {
        categories: [
          'devtools.timeline',
          'toplevel',
          'blink.user_timing',
          'disabled-by-default-v8.cpu_profiler',
          'v8',
        ],
      })
  await page.evaluate(
    `{ globalThis.o = new Promise((resolve) => document.addEventListener('click', ({ timeStamp: begin }) => { performance.clearResourceTimings(); const log = []; let d = 0; const f = () => { const now = performance.now(); log.push(Math.round(now - begin)); if (d && log.length > d) { resolve({ log: log.slice(0, 40), drawn: now - begin, res: performance.getEntriesByType('resource').map((r) => [r.name.slice(-30), Math.round(r.startTime - begin), Math.round(r.requestStart - begin), Math.round(r.responseStart - begin), Math.round(r.responseEnd - begin)]) }); return } if (!d && document.querySelector('.ladder .arrow')) d = log.length; requestAnimationFrame(f) }; requestAnimationFrame(f) }, { once: true, capture: true })) ; void 0 }`,
  )
  await page.locator(`[data-message-id="${first.id}"]`).click()
  console.log(JSON.stringify(await page.evaluate('o')))
  if (run === 7) {
    const trace = await page.context().browser()!.stopTracing()
    await writeFile('/tmp/x/trace.json', trace)
  }
  await page.context().close()
}
await system.stop()
