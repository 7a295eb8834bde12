import { z } from 'zod'
import { median } from './figures.ts'
import { startPageSystem } from './page-system.ts'
import type { RunRow } from './row.ts'

/** `/capture` with an empty cache. Interactive: the search bar takes text and the browser has drawn it. */
export const run: RunRow = async ({ pick, folder }) => {
  const system = await startPageSystem(folder)
  try {
    const kilobytes: number[] = []
    const millis: number[] = []
    // The first run warms up the browser and the server, not the page's cache.
    for (let n = 0; n <= pick(3, 15, 30); n++) {
      const page = await system.newPage()
      const session = await page.context().newCDPSession(page)
      await session.send('Network.enable')
      let scriptBytes = 0
      const scripts = new Set<string>()
      session.on('Network.responseReceived', ({ requestId, type }) => {
        if (type === 'Script') scripts.add(requestId)
      })
      session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
        if (scripts.has(requestId)) scriptBytes += encodedDataLength
      })
      await page.addInitScript(noteInteractive)
      await page.goto(`${system.url}/capture`)
      const interactive = z
        .number()
        .parse(await page.waitForFunction('globalThis.benchInteractive').then((handle) => handle.jsonValue()))
      await page.waitForLoadState('networkidle')
      await page.context().close()
      if (n === 0) continue
      kilobytes.push(scriptBytes / 1_000)
      millis.push(interactive)
    }
    return [
      { name: 'load: script, as it travels', value: median(kilobytes), unit: 'kB', atMost: 60 },
      { name: 'load: cold, until interactive', value: median(millis), unit: 'ms', atMost: 1_000 },
    ]
  } finally {
    await system.stop()
  }
}

const noteInteractive = `{
  const look = () => {
    const input = document.querySelector('input')
    if (input === null) requestAnimationFrame(look)
    else requestAnimationFrame(() => setTimeout(() => (globalThis.benchInteractive = performance.now())))
  }
  requestAnimationFrame(look)
}`
