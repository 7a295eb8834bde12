import { readFile } from 'node:fs/promises'
import type { CDPSession, Page } from 'playwright-core'

export interface Renderer {
  /** Of the page's scripts. */
  readonly heapBytes: number
  /** Peak resident memory of the largest renderer process of the browser, which is that of the page in use. */
  readonly peakBytes: number
}

export async function readRenderers(page: Page, session: CDPSession): Promise<Renderer> {
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  const browser = page.context().browser()
  if (browser === null) throw new Error('the browser is gone')
  const ofBrowser = await browser.newBrowserCDPSession()
  const { processInfo } = await ofBrowser.send('SystemInfo.getProcessInfo')
  await ofBrowser.detach()
  const peaks = await Promise.all(
    processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => readPeakBytes(id)),
  )
  return { heapBytes: usedSize, peakBytes: Math.max(...peaks) }
}

async function readPeakBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024
}
