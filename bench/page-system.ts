import { setTimeout as pause } from 'node:timers/promises'
import { ensurePageBuilt } from '@sip-capture/infra/build/page.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { startBrowser, type TestBrowser } from '@sip-capture/testing/browser.ts'
import type { Page } from 'playwright-core'
import { startService } from './processes.ts'
import { startApi, type ApiSystem } from './system.ts'

/** The API, the page server in front of it, and a real Chromium. */
export interface PageSystem {
  readonly api: ApiSystem
  readonly url: string
  /** An empty page in a fresh context. */
  newPage(): Promise<Page>
  stop(): Promise<void>
}

export async function startPageSystem(dataDir: string): Promise<PageSystem> {
  await ensurePageBuilt()
  const api = await startApi(dataDir)
  const port = await findFreePort()
  const ui = startService('ui', { UI_PORT: String(port), API_URL: api.origin })
  const url = `http://127.0.0.1:${port}`
  while (!(await isAnswering(url))) await new Promise((resolve) => setTimeout(resolve, 50))
  const browser: TestBrowser = await startBrowser({ program: 'desktop' })
  return {
    api,
    url,
    async newPage() {
      const { page } = await browser.open('about:blank')
      // tsx names functions with a helper of its own that pages do not have.
      await page.addInitScript('globalThis.__name = (one) => one')
      return page
    },
    async stop() {
      await browser.close()
      await ui.stop()
      await api.stop()
    },
  }
}

const isAnswering = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )

/** Asks until it is so, or says that it never was. `waitForFunction` evaluates text in the page, whose policy forbids that. */
export async function isSoon(page: Page, expression: string, timeoutMillis: number): Promise<boolean> {
  const endAt = performance.now() + timeoutMillis
  while ((await page.evaluate(expression)) !== true) {
    if (performance.now() > endAt) return false
    await pause(100)
  }
  return true
}
