import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { Page } from 'playwright-core'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { dropFiles } from '@sip-capture/testing/browser.ts'
import { startSite } from './browser.ts'
import { anExport, anImport } from './fake-jobs.ts'
import { answeredCall, busyCall } from './sip-calls.ts'
import { until } from './until.ts'

const site = await startSite()
t.teardown(() => site.close())
const { jobs } = site.api

t.beforeEach(() => {
  jobs.exports = []
  jobs.schedules = []
  jobs.imports = []
  jobs.onImport = null
  jobs.refuseImport = null
})

const now = () => Date.now() * 1000
const pcap = (rest = 'frames') => Buffer.concat([Buffer.from('d4c3b2a1', 'hex'), Buffer.from(rest)])
const rows = (page: Page) => page.locator('.row:not(.row-gap)')
const notice = (page: Page) => page.getByTestId('notice')

/** Drops files on the page, which says meanwhile that it takes them. */
const drop = (page: Page, files: readonly { name: string; bytes: Buffer }[]) =>
  dropFiles(page, files, () => page.locator('.drop-here').waitFor())

t.test('the script of the first load is at most 60 kB gzipped', async (t) => {
  const html = await (await fetch(`${site.url}/capture`)).text()
  const paths = [...html.matchAll(/\/assets\/[^"]+\.js/g)].map(([path]) => path)
  t.ok(paths.length > 0)
  let bytes = 0
  for (const path of paths)
    bytes += gzipSync(Buffer.from(await (await fetch(`${site.url}${path}`)).arrayBuffer())).length
  t.ok(bytes <= 60_000, `${bytes} bytes`)
})

t.test('what is seen is exported with its filter, and its progress is told to the end', async (t) => {
  const { page, faults } = await site.open('/capture?status=4xx&trunk=carrier-a')
  await page.getByRole('button', { name: 'Export …' }).click()
  const dialog = page.getByRole('dialog', { name: 'Export what I see' })
  await dialog.waitFor()
  t.match(await dialog.textContent(), /Status 4xx · Trunk or endpoint carrier-a|Trunk.*carrier-a/)
  t.equal(await dialog.getByLabel('Time range of the export').inputValue(), '60', 'live: the last hour')
  await dialog.getByLabel('Name', { exact: true }).fill('failed <b>calls</b>')
  await dialog.getByLabel('Whole calls').check()
  await dialog.getByLabel('Mask for sharing').check()
  await dialog.getByRole('button', { name: 'Export', exact: true }).click()
  await notice(page).filter({ hasText: 'failed <b>calls</b>' }).waitFor()
  await dialog.waitFor({ state: 'detached' })
  const [made] = jobs.exports
  if (made === undefined) return t.fail('nothing was ordered')
  t.match(made.request, {
    filter: { status: ['4xx'], trunk: ['carrier-a'] },
    wholeCalls: true,
    mask: true,
    format: 'pcapng',
  })
  const { since, until } = made.request as { since: number; until: number }
  t.ok(until - since >= 3_600_000_000 && until - since < 3_660_000_000, 'an hour, ended')
  jobs.change(made.id, { state: 'active', progress: 0.5, messages: 120 })
  await notice(page).getByText('50 %').waitFor()
  jobs.change(made.id, { state: 'completed', progress: 1, messages: 240, sizeBytes: 123_456 })
  await notice(page).getByText('is done: 240 messages, 123.5 kB').waitFor()
  await notice(page).getByRole('link', { name: 'To the exports' }).click()
  await page.getByTestId('export').getByRole('link', { name: 'Download' }).waitFor()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download' }).click(),
  ])
  t.equal(download.suggestedFilename(), 'export-1.pcapng')
  t.same(faults, [])
  await page.context().close()
})

t.test('history is exported over the range that is filtered; hidden noise is said to be in', async (t) => {
  const since = toRfc3339(now() - 7_200_000_000)
  const { page } = await site.open(`/capture?since=${since}&noise=hide`)
  await page.getByRole('button', { name: 'Export …' }).click()
  const dialog = page.getByRole('dialog')
  t.equal(await dialog.getByLabel('Time range of the export').inputValue(), 'filter')
  t.match(await dialog.textContent(), /will be in the file/)
  await dialog.getByLabel('Time range of the export').selectOption('own')
  await dialog.getByLabel('Export from').fill('2026-11-23T10:00:00')
  await dialog.getByLabel('Export until').fill('2026-11-23T09:00:00')
  await dialog.getByRole('button', { name: 'Export', exact: true }).click()
  await dialog.getByText('needs a beginning before its end').waitFor()
  t.same(jobs.exports, [])
  await dialog.getByLabel('Time range of the export').selectOption('filter')
  await dialog.getByRole('button', { name: 'Export', exact: true }).click()
  await notice(page).waitFor()
  t.equal(toRfc3339(jobs.exports[0]?.request['since'] as number), since)
  await page.context().close()
})

t.test('the list says state, reason and expiry; cancel, again, and delete with undo', async (t) => {
  jobs.exports = [
    anExport({ name: 'going', state: 'active', progress: 0.25 }),
    anExport({ name: 'broken', state: 'failed', error: 'The disk is full (EXPORT_DIR).' }),
    anExport({
      name: 'ready',
      state: 'completed',
      messages: 12,
      sizeBytes: 9000,
      expiresAt: toRfc3339(now() + 23 * 3_600_000_000),
      request: { filter: { status: ['5xx'] }, wholeCalls: true, since: now() - 60_000_000, until: now() },
    }),
  ]
  const { page, faults } = await site.open('/exports')
  const row = (name: string) => page.getByTestId('export').filter({ hasText: name })
  await row('going').getByText('25 %').waitFor()
  t.match(await row('broken').textContent(), /✕ failed.*The disk is full/)
  t.match(
    await row('ready').textContent(),
    /✓ done.*12 messages · 9.0 kB.*deleted in 23 h.*Status 5xx · whole calls/,
  )
  t.equal(await row('broken').getByRole('link', { name: 'Download' }).count(), 0)
  await row('going').getByRole('button', { name: 'Cancel' }).click()
  await row('going').getByText('cancelled').waitFor()
  await row('ready').getByRole('button', { name: 'Again' }).click()
  await page.getByTestId('export').nth(3).waitFor()
  t.match(jobs.exports[0]?.request, { filter: { status: ['5xx'] }, wholeCalls: true })
  await row('broken').getByRole('button', { name: 'Delete' }).click()
  await row('broken').waitFor({ state: 'detached' })
  await notice(page).getByRole('button', { name: 'Undo' }).click()
  await row('broken').waitFor()
  t.ok(
    jobs.exports.some(({ name }) => name === 'broken'),
    'nothing was deleted',
  )
  await row('broken').getByRole('button', { name: 'Delete' }).click()
  await notice(page)
    .filter({ hasText: 'Export broken deleted' })
    .getByRole('button', { name: 'Close this notice' })
    .click()
  await until(() => !jobs.exports.some(({ name }) => name === 'broken'), 'the export is deleted')
  t.same(faults, [])
  await page.context().close()
})

t.test('empty lists say how to make the first', async (t) => {
  const { page } = await site.open('/exports')
  for (const [list, text] of [
    ['exports', /No export yet.*Export …/],
    ['schedules', /No schedule yet/],
    ['imports', /No import yet.*Drop a pcap/],
  ] as const) {
    const part = page.getByTestId(list)
    await part.filter({ hasText: text }).waitFor()
    t.match(await part.textContent(), text)
  }
  await page.context().close()
})

t.test(
  'a schedule takes the filter of the capture page, is read in words, paused, run, edited',
  async (t) => {
    const { page, faults } = await site.open('/capture?status=5xx&trunk=carrier-a')
    await page.getByRole('link', { name: 'Exports' }).click()
    await page.getByRole('button', { name: 'New schedule' }).click()
    const form = page.getByRole('form', { name: 'New schedule' })
    t.match(await form.getByTestId('schedule-filter').textContent(), /Status 5xx/)
    await form.getByRole('button', { name: 'Create' }).click()
    await form.getByText('Name: is needed').waitFor()
    await form.getByLabel('Schedule name').fill('night')
    await form.getByLabel('Cron').fill('0 25 * * *')
    await form.getByText('hour: “25” cannot be read').waitFor()
    await form.getByLabel('Cron').fill('30 6 * * 1-5')
    await form.getByLabel('Time zone').selectOption('America/New_York')
    const reading = form.getByTestId('cron-reading')
    await reading.filter({ hasText: /06:30, America\/New_York/ }).waitFor()
    t.match(
      await reading.textContent(),
      /Monday to Friday at 06:30, America\/New_York.*06:30 = .* Europe\/Vienna/,
    )
    await form.getByLabel('Window').selectOption('last')
    await form.getByLabel('How many').fill('7')
    await form.getByLabel('Unit').selectOption('d')
    await form.getByRole('button', { name: 'Create' }).click()
    const row = page.getByTestId('schedule')
    await row.waitFor()
    t.match(jobs.schedules[0], {
      name: 'night',
      cron: '30 6 * * 1-5',
      timeZone: 'America/New_York',
      window: 'last 7 d',
      filter: { status: ['5xx'], trunk: ['carrier-a'] },
      keep: 30,
      paused: false,
    })
    await row.getByRole('button', { name: 'Pause' }).click()
    await row.getByText('paused').waitFor()
    await row.getByRole('button', { name: 'Run now' }).click()
    await row.getByText('7 messages').waitFor()
    await page.getByTestId('export').getByText('by schedule').waitFor()
    await row.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Files to keep').fill('0')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('a whole number from 1 to 1000').waitFor()
    await page.getByLabel('Files to keep').fill('3')
    await page.getByRole('button', { name: 'Save' }).click()
    await row.getByText('keeps 3 files').waitFor()
    t.match(jobs.schedules[0], { keep: 3, paused: true, filter: { status: ['5xx'] } })
    t.same(faults, [])
    await page.context().close()
  },
)

t.test(
  'a dropped file is sent, read and opened; its calls are drawn and exported from it alone',
  async (t) => {
    const callId = 'imported@192.0.2.9'
    site.api.add(busyCall({ callId, startMicros: now() - 5_000_000 }))
    jobs.onImport = () => ({
      rows: answeredCall({ callId, startMicros: now() - 90_000_000_000 }),
      change: { state: 'completed', progress: 1, messages: 10, frames: 12 },
    })
    const { page, faults } = await site.open('/capture')
    await drop(page, [{ name: 'from <i>site</i>.pcap', bytes: pcap() }])
    await page.waitForURL(/mode=history|capture=/)
    const banner = page.getByTestId('import-banner')
    await banner.getByText('from <i>site</i>.pcap').waitFor()
    await rows(page).nth(9).waitFor()
    t.equal(await rows(page).count(), 10)
    t.same([...jobs.uploads.values()].at(-1)?.bytes, pcap(), 'byte for byte')
    await rows(page).first().click()
    await page.locator('.arrow').nth(9).waitFor()
    t.equal(await page.locator('.arrow').count(), 10, 'the import has ten, live four under the same Call-ID')
    const id = jobs.imports[0]?.id ?? ''
    t.match(await page.locator('[data-export="pcap"]').getAttribute('href'), `format=pcap&capture=${id}`)
    await page.reload()
    await page.locator('.arrow').nth(9).waitFor()
    t.equal(await page.locator('.arrow').count(), 10)
    await page.getByRole('button', { name: /Close details/ }).click()
    await page.getByRole('button', { name: 'Export …' }).click()
    await page.getByRole('dialog').getByText('the whole import').waitFor({ state: 'attached' })
    await page.getByRole('dialog').getByRole('button', { name: 'Export', exact: true }).click()
    await notice(page).filter({ hasText: 'Export' }).first().waitFor()
    t.match(jobs.exports[0]?.request, { filter: { capture: [id] }, since: undefined, until: undefined })
    await banner.getByRole('button', { name: 'Delete' }).click()
    await banner.waitFor({ state: 'detached' })
    await notice(page).filter({ hasText: 'deleted' }).getByRole('button', { name: 'Undo' }).click()
    t.equal(jobs.imports.length, 1)
    await page.goBack()
    await banner.getByRole('button', { name: 'Back to live' }).click()
    await banner.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Live', pressed: true }).waitFor()
    t.same(faults, [])
    await page.context().close()
  },
)

t.test('files that are no captures, are compressed, empty or refused are said so by name', async (t) => {
  const { page } = await site.open('/capture')
  await drop(page, [
    { name: 'letter.docx', bytes: Buffer.from('504b0304', 'hex') },
    { name: 'notes.txt', bytes: Buffer.from('hello') },
    { name: 'nothing.pcap', bytes: Buffer.alloc(0) },
  ])
  await notice(page).getByText('letter.docx was not opened. It is compressed').waitFor()
  await notice(page).getByText('notes.txt was not opened. It is not a capture file').waitFor()
  await notice(page).getByText('nothing.pcap was not opened. It is empty').waitFor()
  t.equal(jobs.imports.length, 0)
  jobs.refuseImport = { status: 413, message: 'The file is larger than 2 GiB (IMPORT_MAX_BYTES).' }
  await drop(page, [{ name: 'big.pcap', bytes: pcap() }])
  await notice(page).getByText('big.pcap was not opened. The file is larger than 2 GiB').waitFor()
  await page.context().close()
})

t.test('a file that is broken in the middle keeps what was read, and says so', async (t) => {
  jobs.onImport = (id) => ({
    rows: busyCall({ callId: `part-${id}@h`, startMicros: now() - 1_000_000 }),
    change: { state: 'completed', messages: 4, frames: 5, error: 'The file ends inside packet 6.' },
  })
  const { page } = await site.open('/exports')
  await page.setInputFiles('input[type=file]', {
    name: 'cut.pcapng',
    mimeType: '',
    buffer: Buffer.from('0a0d0d0a', 'hex'),
  })
  await notice(page)
    .getByText('cut.pcapng could be read in part: 4 SIP messages in 5 packets are kept.')
    .waitFor()
  await page.getByTestId('import-banner').getByText('! The file ends inside packet 6.').waitFor()
  await rows(page).nth(3).waitFor()
  await page.getByRole('link', { name: 'Exports' }).click()
  const row = page.getByTestId('import')
  await row.getByText('read in part').waitFor()
  t.match(await row.textContent(), /4 SIP messages in 5 packets.*ends inside packet 6/)
  await page.context().close()
})

t.test('an unknown import says so, and offers the way back', async (t) => {
  jobs.imports = [anImport()]
  const { page } = await site.open(`/capture?capture=${'f'.repeat(32)}`)
  await page.getByText('No SIP message of this import is here').waitFor()
  await page.getByTestId('import-banner').getByText('No such import').waitFor()
  await page.getByRole('button', { name: 'Back to live' }).click()
  await page.getByTestId('import-banner').waitFor({ state: 'detached' })
  await page.waitForURL((url) => !url.searchParams.has('capture'))
  t.notMatch(page.url(), /capture=/)
  await page.context().close()
})
