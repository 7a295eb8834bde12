import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { runSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { keepScreenshot, startBrowser } from '@sip-capture/testing/browser.ts'
import { startSystem, until } from '../system.ts'

t.setTimeout(1_800_000)

const run = promisify(execFile)

t.test('a call through a real Asterisk, from the live row to the exported file', async (t) => {
  const system = await startSystem(t, { hep: true, wire: true })
  const { open, close } = await startBrowser()
  t.teardown(close)
  await system.startTrunk()
  const { page, faults } = await open(`${system.stack.pageUrl}capture`)
  await page.getByText('place a call', { exact: false }).first().waitFor()
  await keepScreenshot(page, 'empty')

  const phone = await runSipp({
    scenario: 'answered',
    remote: { address: system.pbx.address, port: system.pbx.sipPort },
    address: system.pbx.phoneAddress,
    number: '2001',
    caller: { number: '1001', name: 'Nora Night' },
    holdMs: 300,
  })
  await runSipp({
    scenario: 'not-found',
    remote: { address: system.pbx.address, port: system.pbx.sipPort },
    address: system.pbx.phoneAddress,
    number: '999999',
  })
  const callId = /^Call-ID: (.*)\r$/m.exec(phone.messages[0]?.text ?? '')?.[1] ?? ''
  const row = page.locator('.row', { hasText: callId }).filter({ hasText: 'INVITE' }).last()

  await t.test('its rows appear live, each message once, with the badges of both paths', async (t) => {
    await row.waitFor()
    const rows = page.locator('.row', { hasText: callId })
    await t.resolves(
      page.waitForFunction(
        ([id, count]) =>
          [...document.querySelectorAll('.row')].filter((one) => one.textContent?.includes(id)).length ===
          count,
        [callId, phone.messages.length] as [string, number],
      ),
    )
    t.equal(await rows.count(), phone.messages.length)
    // The two paths bring their sightings one after the other.
    await row
      .locator('.cell-source')
      .filter({ hasText: /wire/i })
      .filter({ hasText: /hep|ami/i })
      .waitFor()
    const badges = await row.locator('.cell-source').textContent()
    t.match(badges, /wire/i)
    t.match(badges, /hep|ami/i)
    await keepScreenshot(page, 'live')
  })

  await t.test('the filter leaves only what matches, and clearing it brings the rest back', async (t) => {
    await page.getByRole('button', { name: /^✕ Errors$|^Errors$/ }).click()
    // The table is empty for a moment between two filters.
    const filtered = page.waitForFunction(() => {
      const rows = [...document.querySelectorAll('.row')]
      return rows.length > 0 && rows.every((one) => one.textContent?.includes('404'))
    })
    await t.resolves(filtered, 'only the 404 is left')
    await page.getByRole('button', { name: /^✕ Errors$|^Errors$/ }).click()
    await row.waitFor()
  })

  await t.test('one click shows ladder, verdict and headers', async (t) => {
    await row.click()
    const ladder = page.getByTestId('ladder')
    await ladder.locator('.arrow').nth(6).waitFor()
    t.ok((await ladder.locator('.arrow').count()) >= 7, 'arrows are drawn')
    const verdict = page.getByTestId('verdict').filter({ hasText: /completed|ended/i })
    await verdict.waitFor()
    t.match(await verdict.textContent(), /completed|ended/i)
    await keepScreenshot(page, 'detail-1440')
    const header = page.locator('details.header[data-header="from"]').first()
    await header.locator('summary').click()
    t.match(await header.locator('.header-raw').textContent(), /Nora Night/)
    await page.getByTestId('message').getByRole('tab', { name: 'SDP' }).click()
    t.match(await page.getByTestId('message').textContent(), /PCMU/)
  })

  await t.test('the dialog is exported as a file that tshark reads', async (t) => {
    // What is live may be in the history a moment later.
    await until(
      async () => (await system.count({ callId, source: 'wire' })) === phone.messages.length,
      'all of the call in the history',
    )
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('[data-export="pcapng"]').click(),
    ])
    const file = await download.path()
    const decode = ['-d', `udp.port==${system.pbx.sipPort},sip`]
    const { stdout } = await run('tshark', [
      '-n',
      '-r',
      file,
      ...decode,
      '-Y',
      'sip',
      '-T',
      'fields',
      '-e',
      'sip.Call-ID',
    ])
    const callIds = stdout.trim().split('\n')
    t.equal(callIds.filter((id) => id === callId).length, phone.messages.length)
  })

  await t.test("a deep link opens the same dialog, and a wrong one never somebody else's", async (t) => {
    const linked = await open(`${system.stack.pageUrl}capture?callId=${encodeURIComponent(callId)}`)
    await linked.page.getByTestId('ladder').waitFor()
    await linked.page.getByTestId('detail').filter({ hasText: callId }).waitFor()
    t.match(await linked.page.getByTestId('detail').textContent(), new RegExp(callId.split('@')[0] ?? ''))
    const wrong = await open(`${system.stack.pageUrl}capture?callId=nobody-has-this-one`)
    await wrong.page.getByText('nobody-has-this-one').first().waitFor()
    t.equal(await wrong.page.getByTestId('ladder').count(), 0)
    await keepScreenshot(wrong.page, 'unknown-call')
    t.same([...linked.faults, ...wrong.faults], [])
  })

  await t.test('every page and both themes, wide and narrow, without a fault', async (t) => {
    for (const colorScheme of ['dark', 'light'] as const)
      for (const width of [1440, 390]) {
        const viewport = { width, height: width === 390 ? 844 : 900 }
        for (const path of ['capture', `capture?callId=${encodeURIComponent(callId)}`, 'sources']) {
          const seen = await open(`${system.stack.pageUrl}${path}`, { viewport, colorScheme })
          if (path.includes('callId')) await seen.page.getByTestId('ladder').waitFor()
          else await seen.page.locator('main, [role=main]').first().waitFor()
          const overflow = await seen.page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          )
          t.ok(overflow <= 0, `${path} fits ${width} px`)
          const name = path.includes('callId') ? 'call' : path
          await keepScreenshot(seen.page, `${name}-${width}-${colorScheme}`)
          t.same(seen.faults, [], `${path} ${width} ${colorScheme}`)
          await seen.page.context().close()
        }
      }
  })
  t.same(faults, [])
})
