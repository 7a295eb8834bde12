import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { webhookBody, type WebhookBody } from '@sip-capture/contract/rest/watch.ts'
import { runSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { keepScreenshot, startBrowser } from '@sip-capture/testing/browser.ts'
import t from 'tap'
import { startSystem, until } from '../system.ts'

t.setTimeout(1_800_000)

t.test('a watched search tells of a real call: on the page, by webhook, and the call is kept', async (t) => {
  const hooks: WebhookBody[] = []
  const receiver = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      hooks.push(webhookBody.parse(JSON.parse(Buffer.concat(parts).toString())))
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => receiver.close())
  const { port } = receiver.address() as AddressInfo
  const system = await startSystem(t, { hep: true, env: { PUBLIC_URL: 'https://sip.example.org' } })
  const { open, close } = await startBrowser()
  t.teardown(close)
  const { page, faults } = await open(`${system.stack.pageUrl}calls?q=state%3Abusy`)
  await page.getByRole('link', { name: 'Watch', exact: true }).click()
  await page.getByLabel('Webhook').fill(`http://127.0.0.1:${port}/`)
  await page.getByLabel('Keep the calls').check()
  await page.getByRole('button', { name: 'Watch', exact: true }).click()
  await page.getByTestId('watch').waitFor()

  const from = {
    remote: { address: system.pbx.address, port: system.pbx.sipPort },
    address: system.pbx.phoneAddress,
  }
  await runSipp({ ...from, scenario: 'not-found', number: '999999' })
  await runSipp({ ...from, scenario: 'busy', number: '602' })
  const notice = page.getByTestId('notice')
  await notice.filter({ hasText: /“state:busy” matched .* → 602, busy 486/ }).waitFor()
  await until(() => hooks.length > 0, 'the webhook is called')
  const [hook] = hooks
  t.match(hook, {
    type: 'call.matched',
    call: { to: { number: '602' }, state: 'busy', code: 486 },
    link: `https://sip.example.org/capture?call=${hook?.call?.id}`,
  })
  await page.getByTestId('match').getByText('webhook delivered').waitFor()
  t.match(await page.getByTestId('pinned-call').textContent(), /→ 602.*by the watch “state:busy”/)
  await keepScreenshot(page, 'watches')
  await notice.getByRole('link', { name: 'Open the call' }).click()
  await page.locator('.keep-button[aria-pressed="true"]').waitFor()
  t.match(await page.locator('.detail-parties').textContent(), /602.*busy/)
  t.equal(hooks.length, 1, 'the call that nobody asked for is not told')
  t.same(faults, [])
})
