import type { CallRow, CallStats, LoggedCallState } from '@sip-capture/contract/rest/call-log.ts'
import { parseTime, toRfc3339 } from '@sip-capture/contract/time.ts'
import { keepScreenshot } from '@sip-capture/testing/browser.ts'
import type { Page } from 'playwright-core'
import t from 'tap'
import { startSite } from './browser.ts'
import { aCallRow } from './call-rows.ts'
import { busyCall } from './sip-calls.ts'
import { until } from './until.ts'

const site = await startSite()
t.teardown(() => site.close())
t.beforeEach(() => site.api.calls.clear())

const second = 1_000_000
const now = () => Date.now() * 1000
let count = 0

function call(secondsAgo: number, more: Partial<CallRow> = {}): CallRow {
  count += 1
  const id = count.toString(16).padStart(32, '0')
  return aCallRow({
    id,
    callIds: [`${id}@h`],
    startedAt: toRfc3339(now() - secondsAgo * second),
    ...more,
  })
}
const running = (state: LoggedCallState, secondsAgo: number) =>
  call(secondsAgo, {
    state,
    code: null,
    cause: null,
    answeredAt: null,
    endedAt: null,
    durationMillis: null,
    talkMillis: null,
    ringMillis: null,
  })
const rows = (page: Page) => page.locator('.calls-table .row')
const numbers = (page: Page) => page.locator('.calls-table .row .cell-from').allTextContents()
const search = (page: Page) => page.getByRole('combobox', { name: 'Search' })
const searched = (page: Page, text: string) =>
  until(async () => (await search(page).inputValue()) === text, `“${text}” in the search bar`)

/** In the order on the screen, whatever the order in the document. */
const inOrder = (page: Page) =>
  rows(page).evaluateAll((all) =>
    all
      .toSorted((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex')))
      .map((row) => `${row.querySelector('.cell-from')?.textContent} ${row.getAttribute('data-state')}`),
  )

t.test('an empty log says what to do, and a call comes, changes in place and ticks', async (t) => {
  const { page, faults } = await site.open('/calls')
  await page.getByText('No call yet').waitFor()
  t.match(await page.locator('.empty').textContent(), /Place a call/)
  const older = call(90, { from: { number: '1000', name: 'Ada' } })
  const ringing = { ...running('ringing', 5), from: { number: '1001', name: '' }, pddMillis: 140 }
  site.api.calls.set(older)
  site.api.calls.set(ringing)
  await rows(page).nth(1).waitFor()
  t.same(await inOrder(page), ['1001 ringing', '1000 Ada completed'])
  const duration = rows(page).first().locator('.cell-duration')
  const before = await duration.textContent()
  const ticked = await page.waitForFunction(
    (text) => document.querySelector('[data-state="ringing"] .cell-duration')?.textContent !== text,
    before,
  )
  t.ok(ticked, 'a running call counts on')
  site.api.calls.set({
    ...ringing,
    state: 'rejected',
    code: 486,
    reason: 'Busy Here',
    endedAt: toRfc3339(now()),
    durationMillis: 6000,
    ringMillis: 5860,
    verdict: {
      ruleId: 'F07-busy',
      severity: 'warning',
      title: 'The callee was <b>busy</b>\u202e',
      sentence: 'It answered 486.',
    },
    trunks: ['acme'],
  })
  await page.locator('[data-state="rejected"]').waitFor()
  t.same(await inOrder(page), ['1001 rejected', '1000 Ada completed'], 'at its place')
  const first = rows(page).first()
  t.match(await first.locator('.cell-verdict').textContent(), 'Warning: The callee was <b>busy</b>\\u{202e}')
  t.equal(await first.locator('.cell-verdict b').count(), 0, 'markup is text')
  t.match(await first.textContent(), /acme.*✕rejected486.*0:06.*5\.9 s.*140 ms/)
  site.api.calls.remove(ringing.id)
  await page.getByTestId('call-count').filter({ hasText: '1 call' }).waitFor()
  t.same(faults, [])
  await page.context().close()
})

t.test('the log is there again after the connection was lost, with what changed meanwhile', async (t) => {
  const one = running('in-call', 60)
  site.api.calls.set(one)
  const { page } = await site.open('/calls')
  await page.locator('[data-state="in-call"]').waitFor()
  site.api.setReachable(false)
  site.api.dropClients()
  await page.getByText('API away').waitFor()
  site.api.calls.set({ ...one, state: 'completed', endedAt: toRfc3339(now()), durationMillis: 60_000 })
  site.api.setReachable(true)
  await page.locator('[data-state="completed"]').waitFor()
  t.equal(await rows(page).count(), 1)
  site.api.calls.set(call(1))
  await page.getByTestId('call-count').filter({ hasText: '2 calls' }).waitFor()
  await page.context().close()
})

t.test(
  'away from the top the rows stand still and new ones are counted; older ones come by scrolling',
  async (t) => {
    site.api.calls.set(
      ...Array.from({ length: 450 }, (_, n) => call(1000 + n, { from: { number: `n${n}`, name: '' } })),
    )
    const { page } = await site.open('/calls')
    await page.getByTestId('call-count').filter({ hasText: '200 calls so far' }).waitFor()
    const scroller = page.locator('.table-scroll')
    await scroller.evaluate((element) => {
      element.scrollTop = 3000
    })
    await page.locator('.row', { hasText: 'n120' }).waitFor()
    // Between a scroll and its drawing there may be none.
    const placeOf = async () => {
      const found = await page.waitForFunction(() => {
        const row = [...document.querySelectorAll('.row')].find((one) => one.textContent?.includes('n120'))
        return row?.getBoundingClientRect().y
      })
      return found.jsonValue()
    }
    const before = await placeOf()
    site.api.calls.set(call(2), call(1))
    await page.getByText('2 new calls').waitFor()
    await until(async () => (await placeOf()) === before, 'the row under the eye to be where it was')
    await page.getByText('2 new calls').click()
    await page.locator('.row', { hasText: 'n0' }).first().waitFor()
    for (const wanted of ['402 calls so far', '452 calls']) {
      await scroller.evaluate((element) => {
        element.scrollTop = element.scrollHeight
      })
      await page.getByTestId('call-count').filter({ hasText: wanted }).waitFor()
    }
    t.equal(await page.getByRole('button', { name: 'load older' }).count(), 0)
    await page.context().close()
  },
)

t.test('a pause holds the table, and counts what waits', async (t) => {
  const one = running('ringing', 10)
  site.api.calls.set(one)
  const { page } = await site.open('/calls')
  await rows(page).first().waitFor()
  await page.keyboard.press('p')
  site.api.calls.set({ ...one, state: 'in-call' }, call(1))
  await page.getByText('2 new').waitFor()
  t.equal(await rows(page).count(), 1)
  t.equal(await rows(page).first().getAttribute('data-state'), 'ringing')
  await page.keyboard.press('p')
  await page.locator('[data-state="in-call"]').waitFor()
  await rows(page).nth(1).waitFor()
  t.equal(await rows(page).count(), 2)
  await page.context().close()
})

t.test('keys: j and Enter open the call beside, Esc closes it, e exports', async (t) => {
  const callId = 'keys@192.0.2.21'
  site.api.add(busyCall({ callId, startMicros: now() - 20 * second }))
  site.api.calls.set(call(5), call(20, { callIds: [callId], state: 'busy' }))
  const { page, faults } = await site.open('/calls')
  await rows(page).nth(1).waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  const [marked] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('e')])
  t.match(marked.url(), encodeURIComponent(callId))
  await page.keyboard.press('Enter')
  await page.locator('.arrow').nth(3).waitFor()
  t.equal(await page.locator('.arrow').count(), 4)
  await page.waitForURL((url) => url.href.includes(`callId=${encodeURIComponent(callId)}`))
  await page.keyboard.press('Escape')
  await page.getByTestId('detail').waitFor({ state: 'detached' })
  await page.waitForURL((url) => !url.href.includes('callId'))
  t.same(faults, [])
  await page.context().close()
})

t.test(
  'a search: completed by keyboard, in the address, live, in chips that take their piece out',
  async (t) => {
    site.api.calls.directory = [
      {
        node: 'pbx1',
        at: toRfc3339(now()),
        name: 'acme-west',
        kind: 'trunk',
        deviceState: 'Not in use',
        addresses: [],
        matches: [],
        contacts: [],
        registrations: [],
        registration: null,
        roundTripMicros: null,
      },
    ]
    site.api.calls.set(
      call(3, { from: { number: 'a', name: '' }, state: 'failed', trunks: ['acme-west'] }),
      call(4, { from: { number: 'b', name: '' }, state: 'failed' }),
      call(5, { from: { number: 'c', name: '' } }),
    )
    const { page, faults } = await site.open('/calls')
    await rows(page).nth(2).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('sta')
    await page.getByRole('option', { name: 'state' }).waitFor()
    await page.keyboard.press('Tab')
    await searched(page, 'state:')
    await page.keyboard.type('fa')
    await page.getByRole('option', { name: 'failed' }).waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.keyboard.type('trunk:ac')
    await page.getByRole('option', { name: 'acme-west' }).waitFor()
    await keepScreenshot(page, 'calls-completion')
    await page.keyboard.press('Tab')
    await searched(page, 'state:failed trunk:acme-west ')
    await page.keyboard.press('Enter')
    await page.getByTestId('call-count').filter({ hasText: '1 call' }).waitFor()
    await until(async () => (await numbers(page)).join() === 'a', 'only what matches')
    await page.waitForURL((url) => url.searchParams.get('q') === 'state:failed trunk:acme-west')
    const late = call(1, { from: { number: 'd', name: '' }, state: 'failed', trunks: ['acme-west'] })
    site.api.calls.set(call(1), late)
    await page.getByTestId('call-count').filter({ hasText: '2 calls' }).waitFor()
    await until(
      async () => (await inOrder(page)).map((text) => text[0]).join() === 'd,a',
      'only what matches to come live',
    )
    site.api.calls.set({ ...late, state: 'completed' })
    await page.getByTestId('call-count').filter({ hasText: '1 call' }).waitFor()
    await page.getByRole('button', { name: 'Remove filter Search trunk:acme-west' }).click()
    await searched(page, 'state:failed')
    await page.getByTestId('call-count').filter({ hasText: '2 calls' }).waitFor()
    await page.goBack()
    await page.getByTestId('call-count').filter({ hasText: '1 call' }).waitFor()
    await searched(page, 'state:failed trunk:acme-west')
    t.same(faults, [])
    await page.context().close()
  },
)

t.test(
  'a search that cannot be read: its place is marked, why is said, what was meant is taken',
  async (t) => {
    site.api.calls.set(call(3, { state: 'failed' }))
    const { page } = await site.open('/calls?q=stat%3Afailed')
    await page.getByText('This search cannot be read').waitFor()
    t.equal(await page.locator('.search-shadow mark').textContent(), 'stat')
    t.match(
      await page.locator('.search-problem').textContent(),
      /unknown field `stat`: did you mean `state`\?/,
    )
    t.equal(site.api.requests.filter((path) => path.includes('stat%3Afailed')).length, 0, 'nor asked')
    await keepScreenshot(page, 'calls-problem')
    await page.getByRole('button', { name: 'Take state' }).click()
    await searched(page, 'state:failed')
    await page.keyboard.press('Enter')
    await page.getByTestId('call-count').filter({ hasText: '1 call' }).waitFor()
    await search(page).fill('code:banana')
    await page.keyboard.press('Enter')
    await page
      .locator('.search-problem')
      .filter({ hasText: /code: `banana` wants a status code such as 486/ })
      .waitFor()
    t.equal(new URL(page.url()).searchParams.get('q'), 'state:failed', 'what cannot be read is not searched')
    await page.keyboard.press('Escape')
    await searched(page, 'state:failed')
    await page.context().close()
  },
)

t.test('a verdict is completed by what its rule is about', async (t) => {
  const { page } = await site.open('/calls')
  await search(page).fill('verdict:no-ack')
  await page.getByRole('option', { name: /no-ack/ }).waitFor()
  t.match(await page.getByRole('option', { name: /no-ack/ }).textContent(), /ACK/)
  await page.context().close()
})

t.test('a search is kept under a name, opened again, deleted, and brought back', async (t) => {
  const { page } = await site.open('/calls?q=state%3Abusy')
  await page.getByRole('button', { name: 'Saved' }).click()
  await page.getByLabel('Name of the search').fill('busy <ones>')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('link', { name: 'busy <ones>' }).waitFor()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.goto(`${site.url}/calls`)
  await page.getByRole('button', { name: 'Saved' }).click()
  await page.getByRole('link', { name: 'busy <ones>' }).click()
  await searched(page, 'state:busy')
  await page.getByRole('button', { name: 'Saved' }).click()
  await page.getByRole('button', { name: 'Delete busy <ones>' }).click()
  await page.getByText('None yet').waitFor()
  await page.getByRole('button', { name: 'Close', exact: true }).click()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('button', { name: 'Saved' }).click()
  await page.getByRole('link', { name: 'busy <ones>' }).waitFor()
  t.pass('brought back')
  await page.context().close()
})

t.test(
  'the same search bar on the capture page: searched on the server, in step with the chips',
  async (t) => {
    const { page, faults } = await site.open('/capture?q=method%3AINVITE+-from%3A1002')
    await page.getByRole('button', { name: 'Remove filter Search -from:1002' }).waitFor()
    await until(
      () =>
        site.api.received.some(
          (frame) => frame.type === 'subscribe' && frame.filter?.q === 'method:INVITE -from:1002',
        ),
      'the search at the server',
    )
    await page.getByRole('button', { name: 'Remove filter Search -from:1002' }).click()
    await searched(page, 'method:INVITE')
    await search(page).fill('status:5xx trunk:')
    await page.keyboard.press('Enter')
    await page
      .locator('.search-problem')
      .filter({ hasText: /a value is missing after trunk:/ })
      .waitFor()
    await search(page).fill('status:5xx')
    await page.keyboard.press('Enter')
    await page.waitForURL(/q=status%3A5xx/)
    await until(
      () => site.api.requests.some((path) => path.startsWith('/api/v1/messages?q=status%3A5xx')),
      'the search of the history',
    )
    t.same(faults, [])
    await page.context().close()
  },
)

t.test('numbers over time, each with the calls behind it', async (t) => {
  const until = Math.floor(now() / second) * second
  const since = until - 3600 * second
  site.api.calls.stats = statsOf(since, until)
  const { page, faults } = await site.open('/stats?q=to%3A%2B44*')
  await page.getByTestId('stats').waitFor()
  const linkOf = async (figure: string) => {
    const href = await page.locator(`[data-figure="${figure}"]`).getAttribute('href')
    return new URL(href ?? '', site.url).searchParams
  }
  t.equal(await page.locator('[data-figure="asr"]').textContent(), '62.5 %')
  t.equal(await page.locator('[data-figure="pdd95"]').textContent(), '4.1 s')
  t.equal((await linkOf('answered')).get('q'), 'to:+44* answered:yes')
  t.equal(parseTime((await linkOf('answered')).get('since') ?? ''), since, 'of the stretch that was counted')
  t.equal((await linkOf('pdd95')).get('q'), 'to:+44* pdd:>=4100ms')
  const failure = page
    .getByRole('row', { name: /acme west/ })
    .filter({ hasText: '503' })
    .getByRole('link')
  t.match(
    decodeURIComponent((await failure.getAttribute('href')) ?? ''),
    /state:failed,rejected,busy\+trunk:"acme\+west"\+code:503/,
  )
  const bars = page.locator('.chart-bars a')
  t.equal(await bars.count(), 2, 'a bar for each stretch with calls')
  await bars.first().focus()
  await page.keyboard.press('ArrowRight')
  await page.locator(':focus[aria-label*=": 6 calls (2 failed, 4 completed)"]').waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/calls\?/)
  const params = new URL(page.url()).searchParams
  t.equal(parseTime(params.get('since') ?? ''), since + 1800 * second)
  t.equal(parseTime(params.get('until') ?? ''), until)
  t.same(faults, [])
  await page.context().close()
})

t.test('both pages in both themes, wide and narrow, without a fault', async (t) => {
  const until = Math.floor(now() / second) * second
  site.api.calls.stats = statsOf(until - 3600 * second, until)
  site.api.calls.set(...mixed())
  for (const colorScheme of ['dark', 'light'] as const)
    for (const width of [1440, 390])
      for (const path of ['calls', 'stats']) {
        const viewport = { width, height: width === 390 ? 844 : 900 }
        const { page, faults } = await site.open(`/${path}`, { viewport, colorScheme })
        await (path === 'calls' ? rows(page).nth(5) : page.getByTestId('stats')).waitFor()
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        )
        t.ok(overflow <= 0, `${path} fits ${width} px`)
        await keepScreenshot(page, `${path}-${width}-${colorScheme}`)
        t.same(faults, [])
        await page.context().close()
      }
})

const party = (number: string, name = '') => ({ number, name })
const finding = (ruleId: string, severity: 'ok' | 'info' | 'warning' | 'error', title: string) => ({
  verdict: { ruleId, severity, title, sentence: title },
  ruleIds: [ruleId],
})

function mixed(): CallRow[] {
  const none = { answeredAt: null, talkMillis: null }
  return [
    { ...running('setting-up', 1), from: party('+442079460018', 'Nora Night') },
    { ...running('ringing', 9), to: party('600', 'Queue'), legs: 4, pddMillis: 210 },
    { ...running('in-call', 754), trunks: ['acme'], legs: 2, pddMillis: 180, ringMillis: 3_400 },
    call(60, {
      ...finding('C01-completed', 'ok', 'Completed; the caller hung up'),
      trunks: ['acme'],
      legs: 2,
    }),
    call(70, {
      ...none,
      state: 'busy',
      code: 486,
      cause: 17,
      ...finding('F07-busy', 'info', 'The callee was busy'),
    }),
    call(85, {
      ...none,
      state: 'failed',
      code: 503,
      cause: 34,
      trunks: ['carrier-a'],
      ...finding('F13-x', 'error', 'The trunk has no circuit free'),
    }),
    call(93, {
      ...none,
      state: 'rejected',
      code: 404,
      cause: 1,
      ...finding('F04-x', 'warning', 'The number does not exist here'),
    }),
    call(120, {
      ...none,
      state: 'cancelled',
      code: 487,
      cause: 26,
      ...finding('C02-x', 'info', 'The caller gave up while it rang'),
    }),
    call(150, {
      ...none,
      state: 'diverted',
      code: 302,
      ...finding('F16-x', 'info', 'The callee sent the caller elsewhere'),
    }),
  ]
}

function statsOf(since: number, until: number): CallStats {
  const rates = {
    calls: 10,
    answered: 5,
    asr: 0.625,
    ner: 0.875,
    acdMillis: 93_000,
    pddMedianMillis: 180,
    pddP95Millis: 4100,
  }
  const group = (key: string, buckets: number[]) => ({
    ...rates,
    key,
    buckets,
    calls: buckets.reduce((sum, one) => sum + one, 0),
  })
  return {
    since: toRfc3339(since),
    until: toRfc3339(until),
    bucketSeconds: 1800,
    total: rates,
    buckets: [
      { ...rates, at: toRfc3339(since), calls: 4 },
      { ...rates, at: toRfc3339(since + 1800 * second), calls: 6 },
    ],
    byState: [group('completed', [3, 4]), group('failed', [0, 2]), group('busy', [1, 0])],
    byCode: [group('200', [3, 4]), group('503', [0, 2]), group('486', [1, 0])],
    byVerdict: [group('C01-completed', [3, 4]), group('F13-service-unavailable', [0, 2])],
    byTrunk: [group('acme west', [2, 4]), group('carrier-a', [1, 1])],
    failures: [
      { trunk: 'acme west', code: 503, calls: 2, buckets: [0, 2] },
      { trunk: '', code: 486, calls: 1, buckets: [1, 0] },
      { trunk: '', code: null, calls: 1, buckets: [1, 0] },
    ],
  }
}
