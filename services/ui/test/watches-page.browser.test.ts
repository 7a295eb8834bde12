import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { keepScreenshot } from '@sip-capture/testing/browser.ts'
import type { Page } from 'playwright-core'
import t from 'tap'
import { startSite } from './browser.ts'
import { aCallRow } from './call-rows.ts'
import { busyCall } from './sip-calls.ts'
import { until } from './until.ts'

const site = await startSite()
t.teardown(() => site.close())
t.beforeEach(() => {
  Object.assign(site.api.watches, { watches: [], matches: [], pinned: [] })
})

let count = 0
function call(more: Partial<CallRow> = {}): CallRow {
  count += 1
  const id = count.toString(16).padStart(32, 'a')
  return aCallRow({ id, callIds: [`${id}@h`], startedAt: toRfc3339(Date.now() * 1000), ...more })
}
const notices = (page: Page) => page.getByTestId('notice')
const nasty = '<img src=x onerror=alert(1)>\u202e'

t.test('a search becomes a watch; its next call is told on whatever page is open', async (t) => {
  const { page, faults } = await site.open('/calls?q=state%3Afailed+trunk%3Aacme')
  let dialogs = 0
  page.on('dialog', (dialog) => {
    dialogs += 1
    void dialog.dismiss()
  })
  await page.getByRole('link', { name: 'Watch', exact: true }).click()
  const form = page.getByRole('form', { name: 'New watch' })
  await form.waitFor()
  t.equal(await form.getByLabel('Watched search').inputValue(), 'state:failed trunk:acme')
  t.notOk(await form.getByLabel('Running calls too').isChecked())
  await form.getByLabel('Watched search').fill('state:ringing')
  await until(() => form.getByLabel('Running calls too').isChecked(), 'the search to ask for calls that run')
  await form.getByLabel('Watched search').fill('stat:failed')
  await form.getByText('did you mean `state`').waitFor()
  await form.getByRole('button', { name: 'Watch' }).click()
  t.match(await form.getByRole('alert').textContent(), /^Search: unknown field `stat`/)
  t.equal(site.api.watches.watches.length, 0)
  await form.getByLabel('Watched search').fill('state:failed')
  await form.getByLabel('Watch name').fill(`Failed ${nasty}`)
  await form.getByLabel('Webhook').fill('https://hooks.example.org/sip')
  await form.getByLabel('Keep the calls').check()
  await keepScreenshot(page, 'watch-form')
  await form.getByRole('button', { name: 'Watch' }).click()
  await page.getByTestId('watch').waitFor()
  const [watch] = site.api.watches.watches
  if (watch === undefined) throw new Error('no watch was made')
  t.match(watch, {
    name: `Failed ${nasty}`,
    search: 'state:failed',
    url: 'https://hooks.example.org/sip',
    repeat: 'every',
    whileRunning: false,
    pin: true,
    paused: false,
  })
  // A reload does not ask again.
  await page.waitForURL((url) => url.search === '')
  t.match(
    await page.getByTestId('watch').textContent(),
    /Failed <img .*\\u\{202e\}.*keeps calls.*state:failed/,
  )

  await page.getByRole('link', { name: 'Sources' }).click()
  await page.getByRole('heading', { name: 'Sources' }).waitFor()
  const verdict = { ruleId: 'x', severity: 'error', title: `No route ${nasty}`, sentence: '' } as const
  const failed = call({ state: 'failed', code: 503, from: { number: nasty, name: nasty }, verdict })
  const match = site.api.watches.match(watch, failed)
  await notices(page).waitFor()
  t.match(
    await notices(page).locator('.notice-text').textContent(),
    /^“Failed <img src=x onerror=alert\(1\)>\\u\{202e\}” matched <img .* → 2001, failed 503: No route <img/,
  )
  t.equal(await page.locator('.notices img').count(), 0, 'markup is text')
  t.equal(
    await page.getByRole('link', { name: 'Open the call' }).getAttribute('href'),
    `/capture?call=${failed.id}`,
  )
  t.equal(await page.locator('.notices[aria-live="polite"]').count(), 1)
  // What became of the webhook is no other match.
  site.api.watches.change(match, {
    delivery: { state: 'delivered', attempts: 2, status: 204, at: toRfc3339(Date.now() * 1000) },
  })
  site.api.watches.match(watch, call({ state: 'busy', code: 486, to: { number: '404', name: '' } }))
  await notices(page).filter({ hasText: '2 calls, the last 1001 → 404, busy 486' }).waitFor()
  t.equal(await notices(page).count(), 1, 'one notice a watch')

  await page.getByRole('link', { name: 'Show all' }).click()
  await page.getByTestId('match').nth(1).waitFor()
  await page
    .getByTestId('match')
    .nth(1)
    .filter({ hasText: 'webhook delivered (204) after 2 tries' })
    .waitFor()
  await page.getByTestId('watch').filter({ hasText: '2 matches, the last' }).waitFor()
  t.equal(await page.locator('main img').count(), 0)
  await keepScreenshot(page, 'watches')
  t.equal(dialogs, 0)
  t.same(faults, [])
  await page.context().close()
})

t.test('pause, test of the webhook, edit, and a deletion that is taken back', async (t) => {
  const { page, faults } = await site.open('/watches')
  await page.getByText('No watch yet').waitFor()
  await page.getByRole('button', { name: 'New watch …' }).click()
  await page.getByLabel('Watch name').fill('one')
  await page.getByLabel('Webhook').fill('https://hooks.example.org/sip')
  await page.getByRole('button', { name: 'Watch', exact: true }).click()
  const row = page.getByTestId('watch')
  await row.getByText('every call').waitFor()
  await row.getByRole('button', { name: 'Pause' }).click()
  await row.getByText('paused').waitFor()
  await until(() => site.api.watches.watches[0]?.paused === true, 'the pause at the server')
  await row.getByRole('button', { name: 'Test webhook' }).click()
  await row.getByText('webhook given up (302): it answered 302: redirects are not followed').waitFor()
  await row.getByRole('button', { name: 'Edit one' }).click()
  await page.getByLabel('Watch name').fill('two')
  await page.getByLabel('Tell', { exact: true }).selectOption('once')
  await page.getByRole('button', { name: 'Save' }).click()
  await row.getByText('two').waitFor()
  await until(() => site.api.watches.watches[0]?.name === 'two', 'the new name at the server')
  t.match(site.api.watches.watches, [{ name: 'two', repeat: 'once', paused: true }])
  await row.getByRole('button', { name: 'Delete two' }).click()
  await page.getByText('Watch two deleted.').waitFor()
  await row.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Undo' }).click()
  await row.waitFor()
  await row.getByRole('button', { name: 'Delete two' }).click()
  await notices(page).filter({ hasText: 'deleted' }).getByRole('button', { name: 'Close' }).click()
  await page.getByText('No watch yet').waitFor()
  await until(() => site.api.watches.watches.length === 0, 'the deletion at the server')
  t.same(faults, [])
  await page.context().close()
})

t.test('an open call is kept and let go by a button, and the list says what is kept', async (t) => {
  const rows = busyCall({ callId: 'keep me <b>', startMicros: Date.now() * 1000 })
  site.api.add(rows)
  const { page, faults } = await site.open(`/capture?callId=${encodeURIComponent('keep me <b>')}`)
  const button = page.locator('.keep-button')
  await button.waitFor()
  t.equal(await button.getAttribute('aria-pressed'), 'false')
  await button.click()
  await page.locator('.keep-button[aria-pressed="true"]').waitFor()
  await until(() => site.api.watches.pinned[0]?.callId === 'keep me <b>', 'the call to be kept at the server')
  await keepScreenshot(page, 'kept-call')
  await page.setViewportSize({ width: 390, height: 844 })
  await button.scrollIntoViewIfNeeded()
  await until(async () => {
    const box = await button.boundingBox()
    return box !== null && box.x >= 0 && box.x + box.width <= 390 && box.height >= 30
  }, 'it to be in reach of a thumb')
  await keepScreenshot(page, 'kept-call-phone')
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.getByRole('link', { name: 'Watches' }).click()
  const kept = page.getByTestId('pinned-call')
  t.match(await kept.textContent(), /keep me <b>.*7 records · kept since/)
  t.match(await page.getByTestId('pinned-calls').textContent(), /1 of 1,000/)
  await kept.getByRole('button', { name: 'Let go keep me <b>' }).click()
  await notices(page).getByRole('button', { name: 'Close' }).click()
  await until(() => site.api.watches.pinned.length === 0, 'let go')
  await page.getByText('No call is kept').waitFor()
  t.same(faults, [])
  await page.context().close()
})

t.test('it reads on a phone and in the light', async (t) => {
  for (const [name, scheme, width] of [
    ['watches-dark', 'dark', 1280],
    ['watches-light', 'light', 1280],
    ['watches-phone', 'dark', 390],
    ['watches-phone-light', 'light', 390],
  ] as const) {
    Object.assign(site.api.watches, { watches: [], matches: [], pinned: [] })
    const { page } = await site.open('/watches?q=state%3Afailed', {
      colorScheme: scheme,
      viewport: { width, height: 844 },
    })
    await page.getByRole('button', { name: 'Watch', exact: true }).click()
    await page.getByTestId('watch').waitFor()
    const [watch] = site.api.watches.watches
    if (watch === undefined) throw new Error('no watch was made')
    watch.url = `https://hooks.example.org/${'long-path/'.repeat(12)}`
    watch.delivery = {
      state: 'failed',
      attempts: 10,
      status: null,
      error: 'connect ECONNREFUSED 192.0.2.9:443',
      at: toRfc3339(Date.now() * 1000),
    }
    watch.undelivered = 3
    site.api.watches.match(
      watch,
      call({ state: 'failed', code: 503, from: { number: '1'.repeat(60), name: '' } }),
      {
        pinned: true,
      },
    )
    await notices(page).waitFor()
    await page.getByTestId('match').waitFor()
    const { scroll, client } = await page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      client: document.documentElement.clientWidth,
    }))
    t.ok(scroll <= client, `${name}: nothing is cut off at the side`)
    await keepScreenshot(page, name)
    await page.getByRole('button', { name: /^Edit/ }).click()
    await keepScreenshot(page, `${name}-form`)
    await page.context().close()
  }
})
