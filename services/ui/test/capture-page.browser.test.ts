import t from 'tap'
import type { Page } from 'playwright-core'
import { startSite } from './browser.ts'
import { answeredCall, busyCall, longCall, optionsPing } from './sip-calls.ts'
import { until } from './until.ts'

const site = await startSite()
t.teardown(() => site.close())

const now = () => Date.now() * 1000
const rows = (page: Page) => page.locator('.row:not(.row-gap)')
let calls = 0
const freshId = () => `page-${(calls += 1)}@192.0.2.21`

/** A page on a filter of its own, so that rows of other tests stay out of the way. */
const onlyCall = (callId: string) => `/capture?onlyCallId=${encodeURIComponent(callId)}`

t.test('a live row appears, opens by click, and shows verdict, ladder and headers', async (t) => {
  const callId = freshId()
  const { page, faults } = await site.open(onlyCall(callId))
  await page.getByText('Nothing that passes the filter yet').waitFor()
  site.api.add(busyCall({ callId, startMicros: now() - 3_000_000, sources: ['wire', 'ami-hep'] }))
  // The second source comes in a frame of its own.
  await until(async () => (await rows(page).locator('.badge').count()) === 8, 'both sources of four rows')
  t.equal(await rows(page).count(), 4, 'two sources, one row each message')
  t.same(await rows(page).first().locator('.badge').allTextContents(), ['WIRE', 'HEP'])
  await rows(page).filter({ hasText: '486 Busy Here' }).click()
  await page.locator('.arrow').nth(3).waitFor()
  t.equal(await page.locator('.arrow').count(), 4)
  t.same(await page.locator('.lane-head b').allTextContents(), ['1001', '192.0.2.10'])
  t.match(await page.getByTestId('verdict').textContent(), /[Bb]usy/)
  t.match(await page.locator('.arrow.is-active').getAttribute('aria-label'), /486 Busy Here/)
  await page.locator('.header[data-header="call-id"] summary').click()
  t.match(
    await page.locator('.header[data-header="call-id"] .header-raw').textContent(),
    `Call-ID: ${callId}`,
  )
  await page.locator('.arrow').first().click()
  await page.getByRole('tab', { name: 'SDP' }).click()
  t.match(await page.locator('.sdp').textContent(), /audio.*PCMA 8000 Hz/)
  await page.getByRole('tab', { name: 'Raw' }).click()
  t.match(await page.locator('pre.raw').textContent(), /^INVITE sip:/)
  await page.waitForURL((url) => url.href.includes(`callId=${encodeURIComponent(callId)}`))
  await page.waitForFunction(() => document.title.includes('1001 → 4315550100'))
  t.same(faults, [])
  await page.context().close()
})

t.test('ladder and verdict follow the call while it goes on', async (t) => {
  const callId = freshId()
  const call = busyCall({ callId, startMicros: now() - 1_000_000 })
  site.api.add(call.slice(0, 2))
  const { page } = await site.open(`/capture?callId=${encodeURIComponent(callId)}`)
  await page.locator('.arrow').nth(1).waitFor()
  site.api.add(call.slice(2))
  await page.locator('.arrow').nth(3).waitFor()
  await page.locator('.state-busy').waitFor()
  t.pass('followed')
  await page.context().close()
})

t.test('a deep link opens exactly its call from history', async (t) => {
  const callId = 'deep/link?%2e "x"@h'
  site.api.add(answeredCall({ callId, startMicros: now() - 40_000_000 }))
  const { page } = await site.open(`/capture?callId=${encodeURIComponent(callId)}`)
  await page.locator('.arrow').nth(9).waitFor()
  t.equal(await page.locator('.arrow').count(), 10)
  t.equal(await page.locator('.detail-id').textContent(), callId)
  await page.reload()
  await page.getByTestId('ladder').waitFor()
  await page.context().close()
})

t.test(
  'a deep link to an unknown call says so, offers what to do, and shows nobody else (C10)',
  async (t) => {
    site.api.add(busyCall({ callId: freshId(), startMicros: now() }))
    const { page } = await site.open('/capture?callId=unknown%40nowhere')
    await page.getByTestId('call-missing').waitFor()
    t.match(await page.getByTestId('call-missing').textContent(), /unknown@nowhere/)
    t.equal(await page.getByTestId('ladder').count(), 0)
    await page.getByRole('button', { name: 'Search the history for this text' }).click()
    await page.getByText('Nothing in the history passes the filter').waitFor()
    await page.context().close()
  },
)

t.test('pause holds the table, resume lets the rows in once, also over a reconnect (C14)', async (t) => {
  const callId = freshId()
  const { page } = await site.open(onlyCall(callId))
  await page.getByText('Nothing that passes the filter yet').waitFor()
  const long = longCall({ callId, startMicros: now() - 9_000_000 }, 6)
  site.api.add(long.slice(0, 4))
  await rows(page).nth(3).waitFor()
  await page.keyboard.press('p')
  await page.getByRole('button', { name: 'Resume' }).waitFor()
  site.api.add(long.slice(4, 8))
  await page.getByText('4 new').waitFor()
  site.api.dropClients()
  site.api.add(long.slice(8))
  await page.getByText('8 new').waitFor()
  t.equal(await rows(page).count(), 4)
  await page.keyboard.press('p')
  await page.getByTestId('row-count').filter({ hasText: '12 rows' }).waitFor()
  await rows(page).nth(11).waitFor()
  const shown = await rows(page).evaluateAll((all) => all.map((row) => row.getAttribute('data-message-id')))
  t.equal(new Set(shown).size, 12)
  await page.context().close()
})

t.test('a gap is a row with a button that fills it', async (t) => {
  const callId = freshId()
  const { page } = await site.open(onlyCall(callId))
  await page.getByText('Nothing that passes the filter yet').waitFor()
  site.api.skip(busyCall({ callId, startMicros: now() }))
  await page.locator('.row-gap').waitFor()
  t.match(await page.locator('.row-gap').textContent(), /4 rows not sent to this page.*too slow/)
  await page.getByRole('button', { name: 'Fill' }).click()
  await page.locator('.gap-filled').waitFor()
  await rows(page).nth(3).waitFor()
  t.equal(await rows(page).count(), 4)
  await page.context().close()
})

t.test('filters become chips and part of the address, and a chip takes its filter away', async (t) => {
  const callId = freshId()
  site.api.add([
    ...busyCall({ callId, startMicros: now() }),
    ...optionsPing({ callId: `${callId}-o`, startMicros: now() }),
  ])
  const { page } = await site.open('/capture')
  await rows(page).first().waitFor()
  await page.getByLabel('Call-ID', { exact: true }).fill(callId)
  await page.keyboard.press('Enter')
  await page.getByTestId('row-count').filter({ hasText: '4 rows' }).waitFor()
  await page.getByRole('button', { name: 'Errors' }).click()
  await page.getByTestId('row-count').filter({ hasText: '1 row' }).waitFor()
  await page.waitForURL(/status=4xx&status=5xx&status=6xx/)
  await page.getByLabel('Method', { exact: true }).selectOption('BYE')
  await page.getByText('Nothing that passes the filter yet').waitFor()
  await page.getByLabel('Remove filter Method BYE').click()
  await page.getByTestId('row-count').filter({ hasText: '1 row' }).waitFor()
  await page.getByLabel('Status', { exact: true }).fill('errors')
  await page.keyboard.press('Enter')
  t.match(await page.locator('.field-problem').textContent(), /486/)
  await page.getByRole('button', { name: 'Clear all filters' }).click()
  await page.waitForURL((url) => url.search === '')
  await page.context().close()
})

t.test('a time range is date and time in the viewer zone and goes over midnight (C9)', async (t) => {
  const callId = freshId()
  // 23:59:58 in Vienna on the 20th: the call ends on the 21st.
  const startMicros = Date.parse('2026-11-20T22:59:58Z') * 1000
  site.api.add(answeredCall({ callId, startMicros }))
  const { page } = await site.open(onlyCall(callId))
  await page.getByLabel('From time').fill('2026-11-20T23:59:59')
  await page.keyboard.press('Enter')
  await page.getByLabel('Until time').fill('2026-11-21T00:00:05')
  await page.keyboard.press('Enter')
  await page.getByTestId('row-count').filter({ hasText: '2 rows' }).waitFor()
  await page.waitForURL(/since=2026-11-20T22%3A59%3A59.000000Z&until=2026-11-20T23%3A00%3A05.000000Z/)
  t.match(await page.locator('.chips').textContent(), /Europe\/Vienna, UTC\+01:00/)
  await rows(page).first().locator('.cell-time', { hasText: '00:00:01.120' }).waitFor()
  t.match(await rows(page).first().locator('.cell-time').textContent(), /Nov.*00:00:01\.120|00:00:01\.120/)
  await page.context().close()
})

t.test('everything is reached by keyboard', async (t) => {
  const callId = freshId()
  site.api.add(busyCall({ callId, startMicros: now() - 2_000_000 }))
  const { page } = await site.open(onlyCall(callId))
  await rows(page).nth(3).waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('ArrowDown')
  await page.locator('.row.is-active', { hasText: '486 Busy Here' }).waitFor()
  await page.keyboard.press(' ')
  await page.keyboard.press('k')
  await page.keyboard.press(' ')
  await page.keyboard.press('c')
  await page.getByTestId('compare').locator('tr.differs').first().waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Enter')
  await page.getByTestId('ladder').waitFor()
  await page.getByTestId('ladder').focus()
  await page.keyboard.press('Home')
  await page.locator('.arrow.is-active[aria-label^="1: INVITE"]').waitFor()
  await page.keyboard.press('End')
  await page.locator('.arrow.is-active[aria-label^="4: ACK"]').waitFor()
  await page.keyboard.press('Escape')
  await page.getByTestId('detail').waitFor({ state: 'detached' })
  await page.keyboard.press('/')
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Search')
  await page.keyboard.press('p')
  const search = page.getByRole('combobox', { name: 'Search' })
  await until(async () => (await search.inputValue()) === 'p', 'keys to be text while one types')
  await page.getByRole('listbox', { name: 'Completions' }).waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await until(async () => (await search.inputValue()) === '', 'the text to go')
  t.equal(await page.locator('.chip').count(), 1, 'Esc leaves a field without taking its text')
  await page.keyboard.press('f')
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Method')
  await page.keyboard.press('Escape')
  await page.locator('.table-scroll').focus()
  await page.keyboard.press('?')
  t.match(await page.locator('dialog').textContent(), /pause and resume/)
  await page.keyboard.press('Escape')
  await page.locator('dialog').waitFor({ state: 'detached' })
  await page.context().close()
})

t.test("Esc is the dialog's from the moment it is there", async (t) => {
  const { page } = await site.open('/capture')
  await page.getByRole('button', { name: /Pause/ }).waitFor()
  // Once while its script is loaded, and once when that is there.
  for (const time of ['first', 'second']) {
    // In a handle: it is there before the key is sent.
    const atOnce = await page.evaluateHandle(() => ({
      promise: new Promise<{ isModal: boolean; isTaken: boolean }>((resolve) => {
        const observer = new MutationObserver(() => {
          const dialog = document.querySelector('dialog')
          if (dialog === null) return
          observer.disconnect()
          const esc = new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true })
          dialog.dispatchEvent(esc)
          resolve({ isModal: dialog.matches(':modal'), isTaken: esc.defaultPrevented })
        })
        observer.observe(document.body, { childList: true, subtree: true })
      }),
    }))
    await page.keyboard.press('?')
    await page.locator('dialog').waitFor()
    t.same(await atOnce.evaluate(({ promise }) => promise), { isModal: true, isTaken: false }, time)
    await page.keyboard.press('Escape')
    await page.locator('dialog').waitFor({ state: 'detached' })
  }
  await page.context().close()
})

t.test('export is a download from the API', async (t) => {
  const callId = freshId()
  site.api.add(busyCall({ callId, startMicros: now() }))
  const { page } = await site.open(`/capture?callId=${encodeURIComponent(callId)}`)
  await page.getByTestId('ladder').waitFor()
  const waiting = page.waitForEvent('download')
  await page.keyboard.press('e')
  const download = await waiting
  t.equal(download.suggestedFilename(), 'call-1.pcapng')
  t.match(download.url(), `/api/v1/calls/${encodeURIComponent(callId)}/pcap?format=pcapng`)
  await page.context().close()
})

t.test('on a phone every page is reached from the top, and its link is in sight', async (t) => {
  const { page } = await site.open('/links', { viewport: { width: 390, height: 844 } })
  const links = page.getByRole('navigation', { name: 'Pages' })
  const current = links.locator('[aria-current=page]')
  await current.waitFor()
  const inside = () =>
    current.evaluate((link) => {
      const { left, right } = link.getBoundingClientRect()
      const nav = link.parentElement?.getBoundingClientRect()
      return nav !== undefined && left >= nav.left && right <= nav.right && nav.right <= window.innerWidth
    })
  t.equal(await current.textContent(), 'Links')
  await until(inside, 'the last one to be swiped to')
  t.ok(await inside(), 'the last one is swiped to')
  t.equal(await page.locator('header.top').evaluate((top) => top.clientHeight), 37, 'one line')
  await links.getByText('Capture', { exact: true }).click()
  await page.locator('.capture').waitFor()
  await current.filter({ hasText: 'Capture' }).waitFor()
  await until(inside, 'the first one to be swiped to')
  t.ok(await inside(), 'and the first one')
  await page.context().close()
})
