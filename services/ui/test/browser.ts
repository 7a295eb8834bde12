import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLogger } from '@sip-capture/service/logger.ts'
import { type OpenPage, startBrowser } from '@sip-capture/testing/browser.ts'
import type { BrowserContextOptions } from 'playwright-core'
import { build } from 'vite'
import { startPageServer } from '../server/page-server.ts'
import { type FakeApi, startFakeApi } from './fake-api.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface Site {
  readonly api: FakeApi
  readonly url: string
  /** A fresh page in a fresh context. */
  open(path: string, options?: BrowserContextOptions): Promise<OpenPage>
  close(): Promise<void>
}

let pages: Promise<string> | undefined
let sites = 0

/** The folder of the built page: built once for all sites of one test file. */
async function buildPages(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-ui-'))
  await build({ root, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } })
  return folder
}

/** The built page, served by the real page server in front of a fake API, and a real browser. */
export async function startSite(
  options: { token?: string; allowedOrigins?: readonly string[] } = {},
): Promise<Site> {
  sites += 1
  const folder = await (pages ??= buildPages())
  const api = await startFakeApi(options)
  const server = await startPageServer(
    {
      config: {
        UI_HOST: '127.0.0.1',
        UI_PORT: 3000,
        ALLOWED_ORIGINS: [...(options.allowedOrigins ?? [])],
        API_URL: api.url,
        LOG_LEVEL: 'silent',
      },
      logger: createLogger({ name: 'ui', level: 'silent' }),
    },
    { folder, port: 0 },
  )
  const browser = await startBrowser({
    context: { timezoneId: 'Europe/Vienna', locale: 'en-GB' },
    isHarmless: /WebSocket connection/,
  })
  return {
    api,
    url: server.url,
    open: (path, context) => browser.open(`${server.url}${path}`, context),
    async close() {
      await browser.close()
      await server.close()
      await api.close()
      sites -= 1
      if (sites > 0) return
      pages = undefined
      await rm(folder, { recursive: true, force: true })
    },
  }
}
