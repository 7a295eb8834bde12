import t from 'tap'
import type { Page } from 'playwright-core'
import { startSite } from './browser.ts'
import { goodSources } from './fake-api.ts'
import { busyCall } from './sip-calls.ts'

const site = await startSite()
t.teardown(() => site.close())

const now = () => Date.now() * 1000
const rows = (page: Page) => page.locator('.row:not(.row-gap)')
t.test('when the API goes away the page says so, and comes back by itself', async () => {
  const { page } = await site.open('/capture?trunk=nobody')
  await page.getByTestId('status-line').filter({ hasText: 'Asterisk (hep)' }).waitFor()
  site.api.setReachable(false)
  site.api.dropClients()
  await page.getByText('API away, reconnecting').waitFor()
  await page.getByText('The API does not answer').waitFor()
  site.api.setReachable(true)
  await page.getByText('API away, reconnecting').waitFor({ state: 'detached' })
  await page.context().close()
})

t.test('an empty table without any source names the settings', async (t) => {
  const empty = await startSite()
  t.teardown(() => empty.close())
  empty.api.setSources({ ...goodSources, items: [] })
  const { page } = await empty.open('/capture')
  await page.getByText('No source is connected').waitFor()
  t.match(await page.locator('.empty').textContent(), /AMI_HOST.*TSHARK_ENABLED=true/)
  empty.api.setSources(goodSources)
  await page.getByText('Listening. No SIP message yet').waitFor()
  t.match(await page.locator('.empty').textContent(), /Place a call/)
  await page.goto(`${empty.url}/sources`)
  await page.locator('.source-card').nth(2).waitFor()
  t.match(await page.locator('.sources').textContent(), /Why this tap.*HEP.*tshark ended with code 255/s)
})

t.test('an API with tokens is asked for one, once, and everything then works', async (t) => {
  const token = 'a-token-of-24-characters'
  const guarded = await startSite({ token })
  t.teardown(() => guarded.close())
  guarded.api.add(busyCall({ callId: 'guarded@h', startMicros: now() }))
  const { page } = await guarded.open('/capture')
  await page.getByText('This API wants a token').waitFor()
  for (let n = 0; n < 3; n += 1) await page.keyboard.press('Escape')
  await t.resolves(
    page.getByRole('dialog', { name: 'Access token' }).waitFor(),
    'nothing can be had without it',
  )
  await page.getByRole('textbox', { name: 'Token' }).fill('wrong-wrong-wrong-wrong')
  await page.keyboard.press('Enter')
  await page.getByText('The token was refused').waitFor()
  await page.getByRole('textbox', { name: 'Token' }).fill(token)
  await page.keyboard.press('Enter')
  await rows(page).nth(3).waitFor()
  await page.getByTestId('status-line').filter({ hasText: 'Asterisk (hep)' }).waitFor()
  await rows(page).first().click()
  await page.getByTestId('ladder').waitFor()
  const waiting = page.waitForEvent('download')
  await page.locator('[data-export="pcap"]').click()
  t.equal((await waiting).suggestedFilename(), 'call-1.pcapng')
  t.notOk(
    guarded.api.requests.some((url) => url.includes(token)),
    'the token is in no address',
  )
  await page.reload()
  await rows(page).nth(3).waitFor()
})
