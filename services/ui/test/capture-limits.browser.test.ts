import { createHash } from 'node:crypto'
import t from 'tap'
import type { Page } from 'playwright-core'
import { startSite } from './browser.ts'
import { busyCall, longCall, pbx, phone, toRow } from './sip-calls.ts'
import { until } from './until.ts'

const site = await startSite()
t.teardown(() => site.close())

const now = () => Date.now() * 1000
const rows = (page: Page) => page.locator('.row:not(.row-gap)')
let calls = 0
const freshId = () => `page-${(calls += 1)}@192.0.2.21`

/** A page on a filter of its own, so that rows of other tests stay out of the way. */
const onlyCall = (callId: string) => `/capture?onlyCallId=${encodeURIComponent(callId)}`

t.test('markup and script in every field are text everywhere (S1)', async (t) => {
  const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>"><svg onload=alert(3)>'
  const callId = `${evil}\u202e@h`
  site.api.add(
    busyCall({
      callId,
      startMicros: now() - 1_000_000,
      from: 'x<svg/onload=alert(4)>',
      fromName: '<b onmouseover=alert(5)>Boss</b>',
      userAgent: evil,
      subject: `javascript:alert(6) ${evil}`,
      sources: ['wire', 'ami-hep'],
    }),
  )
  site.api.add([
    toRow({ text: `${evil}\u0007\u001b]0;pwned`, atMicros: now(), src: { ...phone, name: evil }, dst: pbx }),
  ])
  const { page, faults } = await site.open(onlyCall(callId))
  await rows(page).nth(3).waitFor()
  await rows(page).last().click()
  await page.getByTestId('ladder').waitFor()
  for (const tab of ['SDP', 'Raw', 'Headers']) await page.getByRole('tab', { name: tab, exact: true }).click()
  for (const summary of await page.locator('.header summary').all()) await summary.click()
  await page.getByRole('tab', { name: 'Messages', exact: true }).click()
  const count = (selector: string) => page.locator(selector).count()
  t.equal(await count('img, script:not([src]), iframe, object'), 0)
  t.equal(await count('[onerror], [onload], [onmouseover]'), 0)
  t.equal(await count('a[href^="javascript"], a[href^="sip:"], a[href^="http"]'), 0)
  t.match(await page.locator('.detail-id').textContent(), /<img src=x onerror=alert\(1\)>.*\\u\{202e\}/)
  t.notMatch(await page.title(), /\u202e/)
  await page.getByRole('button', { name: 'Close details (Esc)' }).click()
  await page.goto(`${site.url}/capture`)
  await page.locator('.look-unparsed').first().waitFor()
  await page
    .locator('.row', { has: page.locator('.look-unparsed') })
    .first()
    .click()
  await page.locator('pre.raw').waitFor()
  t.match(await page.locator('pre.raw').textContent(), /\\x07\\x1b\]0;pwned/)
  await page.goto(`${site.url}/capture?callId=${encodeURIComponent(`${evil}-unknown`)}`)
  await page.getByTestId('call-missing').waitFor()
  t.equal(await count('img, [onerror], [onload]'), 0)
  t.same(faults, [], 'nothing ran, and the Content-Security-Policy had nothing to refuse')
  await page.context().close()
})

t.test('a dialog of ten thousand messages opens, and only the arrows near the window exist', async (t) => {
  const callId = freshId()
  site.api.add(longCall({ callId, startMicros: now() - 60_000_000 }, 5000))
  const { page } = await site.open(`/capture?callId=${encodeURIComponent(callId)}`)
  // It can be saved when all of it is there.
  await page.getByRole('button', { name: 'SVG' }).waitFor()
  await page.getByTestId('ladder').focus()
  await page.keyboard.press('End')
  await page.locator('#arrow-9999').waitFor()
  t.ok((await page.locator('.arrow').count()) < 80)
  await page.context().close()
})

t.test(
  'thousands of rows are drawn by a few dozen elements, newest on top, and scrolled rows hold still',
  async (t) => {
    const callId = freshId()
    const { page, faults } = await site.open(onlyCall(callId))
    await page.getByText('Nothing that passes the filter yet').waitFor()
    const long = longCall({ callId, startMicros: now() - 60_000_000 }, 2500)
    site.api.add(long.slice(0, 4000))
    await page.getByTestId('row-count').filter({ hasText: '4,000 rows' }).waitFor()
    t.ok((await rows(page).count()) < 80)
    await page.locator('.table-scroll').evaluate((el) => el.scrollTo({ top: 26 * 1000 }))
    // Between a scroll and its drawing there may be none.
    const topId = async () => {
      const found = await page.waitForFunction(() => {
        const box = document.querySelector('.table-scroll')?.getBoundingClientRect()
        const at = box && document.elementFromPoint(box.left + 40, box.top + 300)
        return at?.closest('.row')?.getAttribute('data-message-id')
      })
      return found.jsonValue()
    }
    await page.waitForFunction(() => document.querySelector('.row[aria-rowindex="1001"]') !== null)
    const before = await topId()
    site.api.add(long.slice(4000))
    await page.getByTestId('row-count').filter({ hasText: '5,000 rows' }).waitFor()
    await page.getByRole('button', { name: /1,000 new rows/ }).waitFor()
    await until(async () => (await topId()) === before, 'the same row at the same place')
    t.same(faults, [])
    await page.context().close()
  },
)

t.test('a phone gets cards and a full-screen call, not "desktop required" (C17)', async (t) => {
  const callId = freshId()
  site.api.add(busyCall({ callId, startMicros: now() - 1_000_000 }))
  const { page } = await site.open(onlyCall(callId), {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
  })
  await rows(page).nth(3).waitFor()
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  t.equal(await overflow(), 0)
  await rows(page).filter({ hasText: '486 Busy Here' }).tap()
  await page.getByTestId('ladder').waitFor()
  const box = await page.getByTestId('detail').boundingBox()
  t.match(box, { x: 0, y: 0, width: 390, height: 844 })
  t.equal(await overflow(), 0)
  await page.locator('.arrow').first().tap()
  await page.locator('.message').waitFor()
  await page.getByRole('button', { name: 'Close details (Esc)' }).tap()
  await page.getByTestId('detail').waitFor({ state: 'detached' })
  await page.context().close()
})

t.test('the ladder of a call over three hosts fits a phone without sideways scrolling', async (t) => {
  const callId = freshId()
  const carrier = { address: '203.0.113.5', port: 5060, name: 'carrier-a' }
  const leg = busyCall({ callId, startMicros: now() - 2_000_000 })
  const onward = leg.map((row) => ({
    ...row,
    id: createHash('sha256').update(row.id).digest('hex').slice(0, 32),
    sightingKey: `b ${row.sightingKey}`,
    src: row.src.address === pbx.address ? carrier : pbx,
    dst: row.dst.address === pbx.address ? carrier : pbx,
  }))
  site.api.add([...leg, ...onward])
  const { page } = await site.open(`/capture?callId=${encodeURIComponent(callId)}`, {
    viewport: { width: 390, height: 844 },
  })
  await page.locator('.lane-head').nth(2).waitFor()
  await page.locator('.arrow').nth(7).waitFor()
  const { inside, outside } = await page
    .getByTestId('ladder')
    .evaluate((ladder) => ({ inside: ladder.scrollWidth, outside: ladder.clientWidth }))
  t.ok(inside <= outside, `${inside} in ${outside}`)
  await page.context().close()
})
