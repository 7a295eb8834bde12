import { type BrowserContextOptions, chromium, type Page } from 'playwright-core'

export interface OpenPage {
  readonly page: Page
  /** What must not happen: script errors, dialogs, refused scripts or styles (Content-Security-Policy). */
  readonly faults: string[]
}

export interface TestBrowser {
  /** A page of a fresh context. */
  readonly open: (url: string, options?: BrowserContextOptions) => Promise<OpenPage>
  readonly close: () => Promise<void>
}

const programs = {
  /** Chromium's engine without its windows: half the processor time, and the same pages. */
  headless: '/usr/bin/chromium-headless-shell',
  /** What people use. */
  desktop: '/usr/bin/chromium',
}

/** A real Chromium, or what `CHROMIUM_PATH` names. `isHarmless`: lines the console may have as errors. */
export async function startBrowser(
  options: { program?: keyof typeof programs; context?: BrowserContextOptions; isHarmless?: RegExp } = {},
): Promise<TestBrowser> {
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? programs[options.program ?? 'headless'],
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  return {
    async open(url, contextOptions = {}) {
      const context = await browser.newContext({
        viewport: { width: 1440, height: 900 },
        ...options.context,
        ...contextOptions,
      })
      const page = await context.newPage()
      // Ends a test that would hang; a busy machine may take long for what usually is there at once.
      page.setDefaultTimeout(300_000)
      const faults: string[] = []
      page.on('pageerror', (error) => faults.push(String(error)))
      page.on('dialog', (dialog) => {
        faults.push(`dialog: ${dialog.message()}`)
        void dialog.dismiss()
      })
      page.on('console', (line) => {
        // A refused request is told by the browser itself; the page's own answer to it is what tests look at.
        if (line.type() !== 'error' || line.text().startsWith('Failed to load resource')) return
        if (options.isHarmless?.test(line.text()) !== true) faults.push(line.text())
      })
      await page.goto(url)
      return { page, faults }
    },
    close: () => browser.close(),
  }
}

/** Drops files on the page as a file manager does; `dragged` looks at the page meanwhile. */
export async function dropFiles(
  page: Page,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  dragged: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const given = files.map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString('base64') }))
  const dataTransfer = await page.evaluateHandle((list) => {
    const transfer = new DataTransfer()
    for (const { name, base64 } of list) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      transfer.items.add(new File([bytes], name))
    }
    return transfer
  }, given)
  await page.dispatchEvent('body', 'dragover', { dataTransfer })
  await dragged()
  await page.dispatchEvent('body', 'drop', { dataTransfer })
}

/** With SCREENSHOTS=<folder>, keeps a picture for people to look at. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS']
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` })
}
