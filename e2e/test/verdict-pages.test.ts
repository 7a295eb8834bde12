import t from 'tap'
import { runSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { keepScreenshot, startBrowser } from '@sip-capture/testing/browser.ts'
import { verdictRules } from '@sip-capture/sip/verdict-rules.ts'
import { startSystem, until } from '../system.ts'

t.setTimeout(1_800_000)

t.test('from the verdict of a call to its rule, its calls, the options and a good call', async (t) => {
  const system = await startSystem(t, { services: ['ami-bridge', 'api', 'ui'] })
  const { pbx, stack } = system
  const { open, close } = await startBrowser()
  t.teardown(close)
  await system.startTrunk()
  const call = (scenario: 'answered' | 'not-found', number: string) =>
    runSipp({
      scenario,
      address: pbx.phoneAddress,
      remote: { address: pbx.address, port: pbx.sipPort },
      number,
      caller: { number: '1001', name: 'Nora Night' },
      holdMs: 300,
    })
  // The history learns the names of the endpoints a moment after the bridge has told them.
  await until(async () => {
    await call('answered', '2001')
    return (await system.count({ trunk: 'phone', status: '200' })) > 0
  }, 'a good call of the phone')
  await call('not-found', '9999')
  await until(async () => {
    const calls = await (await system.get('/api/v1/calls?verdict=F01-number-not-found-here')).text()
    return calls.includes('9999')
  }, 'the bad call in the log')
  const [row] = await system.messages({ status: '404' })
  const callId = row?.callId ?? ''

  const { page, faults } = await open(`${stack.pageUrl}capture?callId=${encodeURIComponent(callId)}`)
  await t.test('the banner says what the option is set to', async (t) => {
    const option = page.locator('.finding-options li', { hasText: 'context' })
    // A bridge that is asked and has no processor for a second is asked again.
    await until(async () => {
      await page.reload()
      await page.getByRole('button', { name: /^Why, / }).click()
      await option.waitFor()
      return (await option.textContent()) === 'context is from-phone on endpoint phone'
    }, 'the value of the option')
    t.equal(await option.textContent(), 'context is from-phone on endpoint phone')
    t.equal(await page.locator('.finding-options b').first().textContent(), 'from-phone')
    await keepScreenshot(page, 'verdict-options')
  })

  await t.test('the good call stands beside it', async (t) => {
    await page.getByRole('link', { name: 'Compare with a good call' }).click()
    await page.getByText('The last good call over phone before this one.').waitFor()
    const outcome = page.locator('tr[data-aspect=outcome]').first()
    t.match(await outcome.textContent(), /Final answer\s*404 Not Found\s*200 OK/)
    await keepScreenshot(page, 'comparison')
    await page.goBack()
  })

  await t.test('the rule is explained, with all others, and leads to its calls', async (t) => {
    await page.getByRole('button', { name: /^Why, / }).click()
    await page.getByRole('link', { name: 'F01-number-not-found-here' }).click()
    const rule = page.locator('[data-rule=F01-number-not-found-here]')
    await rule.waitFor()
    t.match(await rule.getAttribute('class'), /is-wanted/)
    t.equal(await page.locator('[data-rule]').count(), verdictRules.length)
    await keepScreenshot(page, 'rules')
    await page.getByRole('searchbox', { name: 'Find a rule' }).fill('rewrite_contact nat')
    await page.locator('[data-rule=A01-private-contact]').waitFor()
    t.ok((await page.locator('[data-rule]').count()) < 20)
    await page.getByRole('searchbox', { name: 'Find a rule' }).fill('')
    await rule.getByRole('link', { name: 'Calls that have it' }).click()
    await page.getByText('9999').first().waitFor()
    t.equal(new URL(page.url()).searchParams.get('q'), 'verdict:F01-number-not-found-here')
    await keepScreenshot(page, 'calls-of-rule')
  })

  await t.test('on a phone nothing is cut off', async (t) => {
    const small = await open(`${stack.pageUrl}comparison?callId=${encodeURIComponent(callId)}`, {
      viewport: { width: 390, height: 800 },
    })
    await small.page.locator('tr[data-aspect=outcome]').first().waitFor()
    const width = await small.page.evaluate(() => document.documentElement.scrollWidth)
    t.ok(width <= 390, `${width} px`)
    await keepScreenshot(small.page, 'comparison-phone')
    t.same(small.faults, [])
  })
  t.same(faults, [])
})
