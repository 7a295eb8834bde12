import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { keepScreenshot } from '@sip-capture/testing/browser.ts'
import t from 'tap'
import { startSite } from './browser.ts'
import { aCallRow } from './call-rows.ts'
import { answeredCall, busyCall } from './sip-calls.ts'
import { until } from './until.ts'

/** A page of another origin with the viewer in a frame. */
async function startHost(): Promise<{ origin: string; show: (src: string, width?: number) => string }> {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://host')
    const src = (searchParams.get('src') ?? '').replaceAll('&', '&amp;').replaceAll('"', '&quot;')
    response.setHeader('content-type', 'text/html')
    response.end(
      `<!doctype html><title>crm</title><h1>Customer</h1><iframe src="${src}" width="${searchParams.get('width')}" height="640"></iframe>`,
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    show: (src, width = 800) => `${origin}/?${new URLSearchParams({ src, width: String(width) })}`,
  }
}

const [friend, stranger] = [await startHost(), await startHost()]
const site = await startSite({ allowedOrigins: [friend.origin] })
t.teardown(() => site.close())
const now = () => Date.now() * 1000

site.api.add(answeredCall({ callId: 'right@host', startMicros: now() - 60_000_000 }))
site.api.add(busyCall({ callId: 'other@host', startMicros: now() - 50_000_000 }))
const candidate = (callId: string, distanceSeconds: number, why: string[]) => ({
  call: aCallRow({
    id: callId.padEnd(32, '0').replaceAll('@', '0'),
    callIds: [callId],
    legs: 2,
    trunks: ['acme'],
  }),
  distanceSeconds,
  why,
})
site.api.setResolution('1795.7', { match: 'linked', callId: 'right@host', candidates: [] })
site.api.setResolution('1001', {
  match: 'proximity',
  callId: null,
  candidates: [
    candidate('other@host', 0, ['from is 1001', 'it was going on then']),
    candidate('right@host', 0, ['from is 1001', 'it was going on then']),
  ],
})

t.test('a link by an id of Asterisk opens the call, and Esc leads back to the table', async (t) => {
  const { page, faults } = await site.open('/capture?call=1795.7&at=1795442587')
  await page.getByTestId('ladder').waitFor()
  t.match(await page.getByTestId('detail').textContent(), /right@host/)
  await page.keyboard.press('Escape')
  await page.getByTestId('detail').waitFor({ state: 'detached' })
  await page.waitForURL((url) => !/call|at=/.test(url.href))
  t.same(faults, [])
})

t.test('two equal candidates are a list; the keyboard chooses, and back is the list again', async (t) => {
  const { page, faults } = await site.open('/capture?call=1001&at=1795442587')
  const list = page.getByTestId('candidates')
  await list.waitFor()
  t.match(await list.textContent(), /2 calls are equally near/)
  t.equal(await page.getByTestId('ladder').count(), 0, 'none is opened by itself')
  await page.keyboard.press('Enter')
  t.equal(await page.getByTestId('ladder').count(), 0, 'nor by Enter before one is chosen')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('j')
  await page.waitForFunction(() => document.activeElement?.getAttribute('href')?.includes('right%40host'))
  await page.keyboard.press('Enter')
  await page.getByTestId('ladder').waitFor()
  t.match(await page.getByTestId('detail').textContent(), /right@host/)
  await page.goBack()
  await list.waitFor()
  t.same(faults, [])
})

t.test('what nobody knows: what was looked for, and since when anything is kept', async (t) => {
  const { page, faults } = await site.open('/capture?call=gone%3Cb%3E&at=2001-01-01')
  const missing = page.getByTestId('call-missing')
  await missing.waitFor()
  t.match(await missing.textContent(), /gone<b>.*could not be read.*Uniqueid, Linkedid.*RETENTION_DAYS/s)
  await page.getByText(/oldest message here is of/).waitFor()
  await missing.getByRole('button', { name: 'Search the history' }).click()
  await page.waitForURL(/text=gone/)
  t.same(faults, [])
})

t.test('a Call-ID of the older kind that is gone, but says when, shows what was near', async (t) => {
  site.api.setResolution('vanished@host', {
    match: 'proximity',
    callId: null,
    candidates: [candidate('right@host', 3.2, ['3.2 s later'])],
  })
  const { page } = await site.open('/capture?callId=vanished%40host&at=1795442587')
  await page.getByTestId('candidates').waitFor()
  t.match(
    await page.getByTestId('candidates').textContent(),
    /One call may be meant.*vanished@host.*3\.2 s later/s,
  )
  t.equal(await page.getByTestId('ladder').count(), 0)
})

t.test('the help page fills in the address, copies, and says what a link would open', async (t) => {
  const { page, faults } = await site.open('/links', { permissions: ['clipboard-read', 'clipboard-write'] })
  const line = page.locator('[data-snippet="dialplan-linkedid"]')
  await line.waitFor()
  t.match(await line.locator('pre').textContent(), `${site.url}/capture?call=`)
  await page.getByLabel('Address of this page').fill('https://sip.example.org/')
  await line.getByRole('button', { name: 'Copy' }).click()
  await line.getByRole('button', { name: 'Copied' }).waitFor()
  t.equal(
    await page.evaluate(() => navigator.clipboard.readText()),
    ' same => n,Set(CDR(userfield)=https://sip.example.org/capture?call=${URIENCODE(${CHANNEL(linkedid)})}&at=${EPOCH})',
  )
  await page.getByLabel('Address of this page').fill('https://x"><script>')
  await line.waitFor({ state: 'detached' })
  t.equal(await line.count(), 0, 'what is no address is in no line')
  await page.getByTestId('framing').filter({ hasText: friend.origin }).waitFor()
  t.match(await page.getByTestId('framing').textContent(), friend.origin)
  await page.getByLabel('Uniqueid, Linkedid').fill('1001')
  await page.getByRole('button', { name: 'Resolve' }).click()
  await page
    .getByTestId('tried')
    .filter({ hasText: /Near: .*a person chooses/ })
    .waitFor()
  t.same(faults, [])
})

t.test('an allowed page frames the viewer down to 360 pixels; another gets nothing', async (t) => {
  for (const theme of ['dark', 'light'])
    for (const width of [360, 1000]) {
      const { page, faults } = await site.open('/healthz')
      await page.goto(friend.show(`${site.url}/embed/call?call=right%40host&theme=${theme}`, width))
      const frame = page.frameLocator('iframe')
      await frame.getByTestId('ladder').waitFor()
      await frame.getByTestId('verdict').waitFor()
      t.equal(await frame.locator('header.top').count(), 0, 'without the bars of the application')
      const overflow = await frame
        .locator('html')
        .evaluate((html) => [html.scrollWidth - html.clientWidth, html.dataset['theme']])
      t.same(overflow, [0, theme])
      await keepScreenshot(page, `embed-${width}-${theme}`)
      t.same(faults, [])
      await page.context().close()
    }
  const { page, faults } = await site.open('/healthz')
  await page.goto(stranger.show(`${site.url}/embed/call?call=right%40host`))
  await page.waitForFunction(() => document.querySelector('iframe') !== null)
  await until(() => /frame-ancestors|Framing/i.test(faults.join(' ')), 'the browser to say why')
  t.equal(await page.frameLocator('iframe').getByTestId('ladder').count(), 0)
  const before = faults.length
  await page.goto(friend.show(`${site.url}/capture?callId=right%40host`))
  await until(() => faults.length > before, 'the browser to refuse this one too')
  t.equal(await page.frameLocator('iframe').getByTestId('ladder').count(), 0, 'the application: by nobody')
})

t.test(
  'in a frame, two equal candidates are a list too, and what leads to the application opens beside',
  async (t) => {
    const { page, faults } = await site.open('/healthz')
    await page.goto(friend.show(`${site.url}/embed/call?call=1001&at=1795442587&theme=dark`, 360))
    const frame = page.frameLocator('iframe')
    await frame.getByTestId('candidates').waitFor()
    await keepScreenshot(page, 'embed-candidates-360-dark')
    await frame.locator('.candidate').nth(1).click()
    await frame.getByTestId('ladder').waitFor()
    const [beside] = await Promise.all([
      page.waitForEvent('popup'),
      frame.getByRole('link', { name: 'Open in SIP Capture' }).click(),
    ])
    await beside.getByTestId('ladder').waitFor()
    t.match(beside.url(), /\/capture\?callId=right%40host$/)
    t.same(faults, [])
  },
)

t.test('with API_TOKENS the frame asks for a token inside, and the address never holds it', async (t) => {
  const token = 'a-token-of-24-characters'
  const guarded = await startSite({ token, allowedOrigins: [friend.origin] })
  t.teardown(() => guarded.close())
  guarded.api.add(answeredCall({ callId: 'right@host', startMicros: now() - 60_000_000 }))
  const { page } = await guarded.open('/healthz')
  await page.goto(friend.show(`${guarded.url}/embed/call?call=right%40host`, 360))
  const frame = page.frameLocator('iframe')
  await frame.getByRole('textbox', { name: 'Token' }).fill(token)
  await keepScreenshot(page, 'embed-token-360')
  await frame.getByRole('button', { name: 'Use token' }).click()
  await frame.getByTestId('ladder').waitFor()
  t.notMatch(guarded.api.requests.join('\n'), token)
})

t.test('pictures of the pages, wide and narrow, in both themes', async (t) => {
  for (const colorScheme of ['dark', 'light'] as const)
    for (const width of [1440, 390])
      for (const [name, path] of [
        ['links', '/links'],
        ['candidates', '/capture?call=1001&at=1795442587'],
        ['missing', '/capture?call=gone&at=1795442587'],
      ] as const) {
        const viewport = { width, height: width === 390 ? 844 : 900 }
        const { page, faults } = await site.open(path, { viewport, colorScheme })
        await page.locator('.snippet, .candidates, [data-testid=call-missing]').first().waitFor()
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        )
        t.ok(overflow <= 0, `${name} fits ${width} px`)
        await keepScreenshot(page, `${name}-${width}-${colorScheme}`)
        t.same(faults, [])
        await page.context().close()
      }
})
