import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { Page } from 'playwright-core'
import { runSipp, type SippOptions } from '@sip-capture/infra/test-pbx/sipp.ts'
import { dropFiles, keepScreenshot, startBrowser } from '@sip-capture/testing/browser.ts'
import { captureFile } from '../capture-file.ts'
import { settled, startSystem, until, type System } from '../system.ts'

t.setTimeout(1_800_000)

const missing = '2718281828'

/** Two answered calls and one to no number over UDP, one answered over TCP: how many messages SIPp saw in all. */
async function placeCalls(system: System): Promise<number> {
  const trunk = await system.startTrunk()
  const { pbx } = system
  const call = (options: Pick<SippOptions, 'scenario' | 'number'> & Partial<SippOptions>) =>
    runSipp({
      remote: { address: pbx.address, port: pbx.sipPort },
      address: pbx.phoneAddress,
      holdMs: 200,
      ...options,
    })
  const phones = [
    await call({ scenario: 'answered', number: '2001', calls: 2 }),
    await call({ scenario: 'not-found', number: missing }),
    await call({ scenario: 'answered', number: '2002', transport: 'tcp' }),
  ]
  const results = [...phones, await trunk.stop()]
  for (const { errors, callsFailed } of results) if (callsFailed > 0) throw new Error(errors)
  return results.reduce((sum, { messages }) => sum + messages.length, 0)
}

async function download(page: Page, link: ReturnType<Page['locator']>, file: string): Promise<string> {
  const [got] = await Promise.all([page.waitForEvent('download'), link.click()])
  await got.saveAs(file)
  return got.suggestedFilename()
}

t.test('calls on the wire go out as a file, come in again as an import, and go as a whole', async (t) => {
  const system = await startSystem(t, { hep: true, wire: true })
  const { pbx, stack } = system
  const folder = t.testdir()
  const sipPorts = [pbx.sipPort]
  const browser = await startBrowser({ context: { acceptDownloads: true } })
  t.teardown(() => browser.close())
  const sent = await placeCalls(system)
  const wire = await settled(() => system.count({ source: 'wire' }), sent)
  t.equal(wire, sent, 'REST counts what SIPp sent and received')

  const { page, faults } = await browser.open(`${stack.pageUrl}capture?source=wire`)
  const exportRow = (name: string) => page.getByTestId('export').filter({ hasText: name })
  const first = join(folder, 'first.pcapng')

  await t.test('what is seen is exported, followed on the page and downloaded', async (t) => {
    await page.locator('.row', { hasText: missing }).first().waitFor()
    await page.getByRole('button', { name: 'Export …' }).click()
    const dialog = page.getByRole('dialog', { name: 'Export what I see' })
    await dialog.getByLabel('Name', { exact: true }).fill('seen on the wire')
    await dialog.getByRole('button', { name: 'Export', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByTestId('notice').getByText(`is done: ${wire} messages`).waitFor()
    await keepScreenshot(page, 'export-done')
    await page.getByRole('link', { name: 'To the exports' }).click()
    await exportRow('seen on the wire').getByText('done').waitFor()
    const link = exportRow('seen on the wire').getByRole('link', { name: 'Download' })
    t.match(await download(page, link, first), /^[\w.-]+\.pcapng$/)
  })

  await t.test('capinfos, editcap and tshark take the file and count as REST does', async (t) => {
    const file = captureFile(first, sipPorts)
    t.equal((await file.fields(['frame.number'])).length, wire, 'SIP messages')
    t.ok((await file.packets()) <= wire, 'a TCP segment may hold several, and is there once')
    t.ok((await file.frames()).length > wire * 200)
    t.same(await file.fields(['frame.number'], '_ws.malformed'), [])
    const rows = await system.messages({ source: 'wire', order: 'asc' })
    const callIds = [...new Set(rows.map(({ callId }) => callId))]
    const comments = (await file.fields(['sip.Call-ID', 'frame.comment'], 'sip && frame.comment')).map(
      ([callId = '', comment = '']) => ({ callId, comment }),
    )
    t.same(comments.map(({ callId }) => callId).toSorted(), callIds.toSorted(), 'each call once')
    for (const { callId, comment } of comments) {
      const isMissing = rows.some((row) => row.callId === callId && row.requestUri.includes(missing))
      t.match(
        comment.split('\\n'),
        isMissing
          ? [`Call-ID: ${callId}`, 'State: rejected', new RegExp(`^Verdict: Number not found: ${missing}\\.`)]
          : [`Call-ID: ${callId}`, 'State: completed', /^Verdict: Completed normally\./],
      )
    }
  })

  let importId = ''
  await t.test('the file dropped on the page is an import: searched, drawn', async (t) => {
    await dropFiles(page, [{ name: 'again.pcapng', bytes: await readFile(first) }], () =>
      page.locator('.drop-here').waitFor(),
    )
    await page.waitForURL(/capture=[\da-f]{32}/)
    importId = new URL(page.url()).searchParams.get('capture') ?? ''
    await page.getByTestId('import-banner').getByText(`${wire} messages`).waitFor()
    t.equal(await system.count({ capture: importId }), wire)
    await keepScreenshot(page, 'import-open')

    await page.goto(`${stack.pageUrl}capture?mode=history&capture=${importId}&number=${missing}`)
    const row = page.locator('.row', { hasText: missing }).last()
    await row.waitFor()
    const found = await system.messages({ capture: importId, number: missing })
    t.ok(found.length >= 2, 'found by the number')
    t.equal(new Set(found.map(({ callId }) => callId)).size, 1)
    const shown = page.locator('.row:not(.row-gap)')
    await until(async () => (await shown.count()) === found.length, 'all rows')
    t.equal(await shown.count(), found.length, 'the others are filtered out')
    await row.click()
    await page.getByTestId('ladder').waitFor()
    const arrows = page.getByTestId('ladder').locator('.arrow')
    const ofCall = await system.messages({ capture: importId, callId: found[0]?.callId ?? '' })
    await arrows.nth(ofCall.length - 1).waitFor()
    t.equal(
      await arrows.count(),
      ofCall.length,
      'each message of the import is an arrow, and no live one beside it',
    )
    await page.getByTestId('verdict').filter({ hasText: 'Number not found' }).waitFor()
    t.match(await page.getByTestId('verdict').textContent(), /Number not found/)
    await keepScreenshot(page, 'import-ladder')
  })

  await t.test('it is exported again with the same frames and stamps', async (t) => {
    await page.goto(`${stack.pageUrl}capture?mode=history&capture=${importId}`)
    await page.locator('.row', { hasText: missing }).first().waitFor()
    await page.getByRole('button', { name: 'Export …' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name', { exact: true }).fill('out again')
    await dialog.getByRole('button', { name: 'Export', exact: true }).click()
    await page.getByTestId('notice').getByText(`is done: ${wire} messages`).waitFor()
    await page.getByRole('link', { name: 'To the exports' }).click()
    const second = join(folder, 'second.pcapng')
    await download(page, exportRow('out again').getByRole('link', { name: 'Download' }), second)
    const [before, after] = [captureFile(first, sipPorts), captureFile(second, sipPorts)]
    t.ok((await before.frames()).equals(await after.frames()), 'byte for byte')
    t.equal(await after.packets(), await before.packets())
  })

  await t.test('the import is deleted as a whole, and live traffic stays', async (t) => {
    const row = page.getByTestId('import').filter({ hasText: 'again.pcapng' })
    await row.getByRole('button', { name: 'Delete' }).click()
    await row.waitFor({ state: 'detached' })
    await page
      .getByTestId('notice')
      .filter({ hasText: 'Import again.pcapng deleted' })
      .getByRole('button', { name: 'Close this notice' })
      .click()
    await until(
      async () => (await system.get(`/api/v1/imports/${importId}`)).status === 404,
      'the import to go',
    )
    await until(
      async () => (await system.count({ capture: importId })) === 0,
      'the last of its messages to go',
    )
    t.equal(await system.count({ source: 'wire' }), wire)
  })

  await t.test('the same file as gzip is unpacked on the way in', async (t) => {
    await dropFiles(page, [{ name: 'again.pcapng.gz', bytes: gzipSync(await readFile(first)) }])
    await page.getByTestId('import-banner').getByText('again.pcapng.gz').waitFor()
    await page.getByTestId('import-banner').getByText(`${wire} messages`).waitFor()
    const capture = new URL(page.url()).searchParams.get('capture') ?? ''
    t.equal(await system.count({ capture }), wire)
  })

  await t.test('a schedule is created, run now, paused, edited and deleted on the page', async (t) => {
    await page.goto(`${stack.pageUrl}exports`)
    await page.getByRole('button', { name: 'New schedule' }).click()
    const form = page.getByRole('form', { name: 'New schedule' })
    await form.getByLabel('Schedule name').fill('every hour')
    await form.getByLabel('When').selectOption('0 * * * *')
    await form.getByLabel('Time zone').selectOption('Europe/Vienna')
    await form.getByLabel('Window').selectOption('last')
    await form.getByLabel('How many').fill('2')
    await form.getByRole('button', { name: 'Create' }).click()
    const row = page.getByTestId('schedule')
    await row.getByText('Has not run yet').waitFor()
    await row.getByText('Next run').waitFor()

    await row.getByRole('button', { name: 'Run now' }).click()
    const link = row.getByRole('link', { name: 'Download last' })
    await link.waitFor()
    const file = join(folder, 'scheduled.pcapng')
    await download(page, link, file)
    const distinct = await captureFile(file, sipPorts).fields(['frame.number'])
    t.equal(distinct.length, wire, 'seen by two sources: each message once')
    t.match(await row.textContent(), `done · ${wire} messages`, 'and counted once')
    await keepScreenshot(page, 'schedule')

    await row.getByRole('button', { name: 'Pause' }).click()
    await row.getByText('paused').waitFor()
    await row.getByText('Next run').waitFor({ state: 'detached' })
    t.equal(await row.getByText('Next run').count(), 0)
    await row.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Files to keep').fill('3')
    await page.getByRole('button', { name: 'Save' }).click()
    await row.getByText('keeps 3 files').waitFor()
    await row.getByRole('button', { name: 'Resume' }).click()
    await row.getByText('Next run').waitFor()

    await row.getByRole('button', { name: 'Delete' }).click()
    await page
      .getByTestId('notice')
      .filter({ hasText: 'every hour' })
      .getByRole('button', { name: 'Close this notice' })
      .click()
    await until(
      async () => (await (await system.get('/api/v1/export-schedules')).json()).items.length === 0,
      'the schedule to go',
    )
    await page.getByText('No schedule yet').waitFor()
  })
  t.same(faults, [])
})
