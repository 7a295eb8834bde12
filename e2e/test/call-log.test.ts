import t from 'tap'
import { runSipp, startSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { keepScreenshot, startBrowser } from '@sip-capture/testing/browser.ts'
import { startSystem } from '../system.ts'

t.setTimeout(1_800_000)

t.test('calls through a real Asterisk in the call log: live, with state, code and verdict', async (t) => {
  const system = await startSystem(t, { hep: true })
  const { open, close } = await startBrowser()
  t.teardown(close)
  await system.startTrunk()
  const { page, faults } = await open(`${system.stack.pageUrl}calls`)
  await page.getByText('No call yet').waitFor()
  const row = (state: string) => page.locator(`.calls-table .row[data-state="${state}"]`)
  const from = {
    remote: { address: system.pbx.address, port: system.pbx.sipPort },
    address: system.pbx.phoneAddress,
  }
  const talk = await startSipp({
    ...from,
    scenario: 'answered',
    number: '2001',
    caller: { number: '1001', name: 'Nora Night' },
    // It is hung up when it was seen to go on.
    holdMs: 100_000,
    calls: 1,
  })
  t.teardown(() => talk.stop(1_000))

  await t.test('a call that goes on says so, and becomes completed at its place', async (t) => {
    // Until Asterisk has told that they are of one call, its legs may be two rows.
    await row('in-call')
      .filter({ has: page.locator('.cell-legs', { hasText: '2' }) })
      .waitFor()
    await row('in-call').nth(1).waitFor({ state: 'detached' })
    t.match(await row('in-call').locator('.cell-from').textContent(), '1001 Nora Night')
    t.match(await row('in-call').locator('.cell-duration').textContent(), /^\d+:\d\d$/)
    await system.pbx.cli('channel request hangup all')
    await row('completed').waitFor()
    t.match(await row('completed').textContent(), /2001.*completed200/)
    await row('completed').filter({ hasText: 'trunk' }).waitFor()
    await row('completed').locator('.cell-legs', { hasText: '2' }).waitFor()
    t.match(await row('completed').locator('.cell-legs').textContent(), '2')
  })

  await t.test('refused calls tell their code and a verdict with its severity', async (t) => {
    await runSipp({ ...from, scenario: 'not-found', number: '999999' })
    await runSipp({ ...from, scenario: 'busy', number: '602' })
    await row('rejected').waitFor()
    t.match(await row('rejected').locator('.cell-code').textContent(), /^404/)
    t.match(await row('rejected').locator('.cell-verdict').textContent(), /^.(Warning|Problem): \S/)
    await row('busy').waitFor()
    t.match(await row('busy').locator('.cell-code').textContent(), /^486/)
    t.match(await row('busy').locator('.cell-verdict').textContent(), /busy/i)
    t.same(
      await page
        .locator('.calls-table .row')
        .evaluateAll((all) =>
          all
            .toSorted(
              (a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex')),
            )
            .map((one) => one.getAttribute('data-state')),
        ),
      ['busy', 'rejected', 'completed'],
      'newest first',
    )
    await keepScreenshot(page, 'call-log')
  })

  await t.test('a search of the bar is the search of the API', async (t) => {
    await page.keyboard.press('/')
    await page.keyboard.type('code:4xx -state:busy')
    await page.keyboard.press('Enter')
    await page
      .getByTestId('call-count')
      .filter({ hasText: /^1 call$/ })
      .waitFor()
    await row('busy').waitFor({ state: 'detached' })
    t.equal(await row('rejected').count(), 1)
    await runSipp({ ...from, scenario: 'not-found', number: '888888' })
    await page
      .getByTestId('call-count')
      .filter({ hasText: /^2 calls$/ })
      .waitFor()
    await row('rejected').nth(1).waitFor()
    t.equal(await row('rejected').count(), 2, 'a new one that matches comes live')
  })

  await t.test('each number of the statistics opens as many calls as it says', async (t) => {
    await page.goto(`${system.stack.pageUrl}stats`)
    await page.getByTestId('stats').waitFor()
    const links = await page
      .locator('[data-figure="calls"], [data-figure="answered"], .legend a, .stats-part td.is-numeric a')
      .evaluateAll((all) => all.map((link) => [link.getAttribute('href') ?? '', link.textContent ?? '']))
    let checked = 0
    for (const [href = '', text = ''] of links) {
      const said = /^(?:\D*\s)?(\d+)$/.exec(text)?.[1]
      // Shares and times are not counts.
      if (said === undefined) continue
      const { search } = new URL(href, system.stack.pageUrl)
      const answer = (await (await system.get(`/api/v1/calls${search}`)).json()) as { items: unknown[] }
      t.equal(answer.items.length, Number(said), `${text}: ${decodeURIComponent(search)}`)
      checked += 1
    }
    t.ok(checked >= 8, `${checked} numbers`)
    t.equal(await page.locator('[data-figure="calls"]').textContent(), '4')
    t.equal(await page.locator('[data-figure="asr"]').textContent(), '25.0 %')
    await keepScreenshot(page, 'statistics')
  })
  t.same(faults, [])
})
