import { readFile } from 'node:fs/promises'
import { keepScreenshot } from '@sip-capture/testing/browser.ts'
import {
  pbxHost,
  storyOfNoAck,
  storyOfRingAll,
  storyOfTransfer,
  storyStart,
} from '@sip-capture/testing/sip-stories.ts'
import { type SeenText, SipStory } from '@sip-capture/testing/sip-story.ts'
import type { Page } from 'playwright-core'
import t from 'tap'
import { startSite } from './browser.ts'
import { holdAfter } from './call-lines.ts'
import { longCall } from './sip-calls.ts'
import { storyRows } from './story-rows.ts'
import { until } from './until.ts'

const site = await startSite()
t.teardown(() => site.close())

const minutesAgo = (minutes: number) => (Date.now() - minutes * 60_000) * 1000
const add = (seen: readonly SeenText[]) => {
  const rows = storyRows(seen, minutesAgo(10))
  site.api.add(rows)
  site.api.link([...new Set(rows.map(({ callId }) => callId))])
}
add(storyOfTransfer())
add(storyOfRingAll())
add(storyOfNoAck())

const openCall = async (callId: string, options: Parameters<typeof site.open>[1] = {}) => {
  const opened = await site.open(`/capture?callId=${encodeURIComponent(callId)}`, {
    viewport: { width: 1440, height: 1400 },
    ...options,
  })
  await opened.page.locator('.arrow').first().waitFor()
  return opened
}
/** Opens it and waits until all of it is drawn: then it can be saved. */
const openWhole = async (callId: string, options: Parameters<typeof site.open>[1] = {}) => {
  const opened = await openCall(callId, options)
  await opened.page.getByRole('button', { name: 'SVG', exact: true }).waitFor()
  return opened
}
/** A key is answered by the next drawing. */
const activeIs = (page: Page, label: RegExp) =>
  until(
    async () => label.test((await page.locator('.arrow.is-active').getAttribute('aria-label')) ?? ''),
    `${label} to be chosen`,
  )

t.test('a transfer between users behind one address: lanes, numbered legs, changes, media', async (t) => {
  const { page, faults } = await openWhole('leg-b@pbx')
  await keepScreenshot(page, 'ladder-transfer')
  t.same(await page.locator('.lane-head b').allTextContents(), ['1001', '203.0.113.2', '1002', '192.0.2.30'])
  t.same(
    (await page.locator('.leg-chip').allTextContents()).map((text) => text.replaceAll(/\s+/g, ' ').trim()),
    ['11001 →to 203.0.113.2', '2203.0.113.2 →to 1002', '3203.0.113.2 →to 192.0.2.30'],
  )
  t.same(await page.locator('.arrow').first().locator('.leg-number').textContent(), '1')
  await page.locator('.pause-text', { hasText: '12.4 s' }).waitFor()
  await page.locator('.arrow-detail.is-change', { hasText: 'hold (sendonly)' }).waitFor()
  await page.locator('.media-text', { hasText: 'RTP PCMA' }).first().waitFor()
  t.match(await page.locator('.media title').first().textContent(), /By SDP, not captured/)
  await page.locator('.leg-chip').nth(1).click()
  await page.locator('.arrow.leg-1.is-aside').first().waitFor()
  t.equal(await page.locator('.arrow.leg-1:not(.is-aside)').count(), 0, 'other legs recede')
  t.same(faults, [])
  await page.context().close()
})

t.test('repeats are counted at the first sending, and drawn on demand', async (t) => {
  const { page } = await openWhole('no-ack@phone')
  await page.locator('.arrow-label', { hasText: '200 OK (INVITE) ⟳+10' }).waitFor()
  t.equal(await page.locator('.arrow.is-retransmission').count(), 0)
  await page.getByRole('button', { name: 'Repeats 20' }).click()
  await page.locator('.arrow.is-retransmission').nth(19).waitFor()
  t.equal(await page.locator('.arrow.is-retransmission').count(), 20)
  await page.context().close()
})

t.test('a missing ACK is a ghost that tells why; clicking it shows the reason', async (t) => {
  const { page } = await openWhole('no-ack@phone')
  const ghost = page.locator('.arrow.is-ghost')
  t.equal(await ghost.count(), 2)
  await ghost.first().click()
  t.match(
    await page.getByTestId('ghost').textContent(),
    /Missing: no ACK.*sent 11 times.*RFC 3261 13\.3\.1\.4/,
  )
  await activeIs(page, /^Missing: no ACK/)
  await page.context().close()
})

t.test('a running call has no ghosts', async (t) => {
  const seen = storyOfNoAck('running@phone').slice(0, 6)
  site.api.add(storyRows(seen, Date.now() * 1000 - 5_000_000))
  const { page } = await openWhole('running@phone')
  t.equal(await page.locator('.arrow.is-ghost').count(), 0)
  await page.context().close()
})

t.test('by keyboard from message to message, to the message itself, and two compared', async (t) => {
  const { page, faults } = await openWhole('leg-a@phone')
  await page.getByTestId('ladder').focus()
  await page.keyboard.press('Home')
  await activeIs(page, /^1: INVITE · to 1002/)
  await page.keyboard.press('j')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('k')
  await activeIs(page, /^2: 401 Unauthorized/)
  t.equal(
    await page.getByTestId('ladder').getAttribute('aria-activedescendant'),
    await page.locator('.arrow.is-active').getAttribute('id'),
  )
  await page.keyboard.press('End')
  await activeIs(page, /^40: 200 OK \(BYE\)/)
  await until(async () => {
    const ladder = await page.getByTestId('ladder').boundingBox()
    const last = await page.locator('.arrow.is-active').boundingBox()
    return (last?.y ?? 0) + (last?.height ?? 0) <= (ladder?.y ?? 0) + (ladder?.height ?? 0) + 1
  }, 'it to be seen')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement?.classList.contains('detail-right'))
  await page.getByTestId('ladder').focus()
  await page.keyboard.press('Home')
  await page.keyboard.press(' ')
  await page.getByText('One message marked').waitFor()
  for (const key of ['j', 'j', 'j', ' ']) await page.keyboard.press(key)
  await page.getByTestId('diff').waitFor()
  t.match(await page.getByTestId('diff').textContent(), /3 of 20 lines differ.*\+34\.0 ms apart/)
  t.same(await page.locator('tr.differs ins').allTextContents(), ['2', '2', '2'])
  await page.keyboard.press('Escape')
  await page.getByTestId('diff').waitFor({ state: 'detached' })
  t.equal(await page.getByTestId('detail').count(), 1, 'Esc unmarks before it closes the call')
  t.same(faults, [])
  await page.context().close()
})

t.test('to scale and back is one click, and the message stays in sight', async (t) => {
  const { page } = await openWhole('leg-a@phone', { viewport: { width: 1440, height: 900 } })
  const height = () => page.locator('.ladder-canvas').evaluate((el) => el.clientHeight)
  await page.getByTestId('ladder').focus()
  await page.keyboard.press('End')
  const compact = await height()
  await page.getByRole('button', { name: 'To scale' }).click()
  await page.waitForFunction(
    (before) => (document.querySelector('.ladder-canvas')?.clientHeight ?? 0) > before + 1000,
    compact,
  )
  await activeIs(page, /^40:/)
  await page.locator('.arrow.is-active').waitFor()
  t.ok(await page.locator('.arrow.is-active').isVisible())
  await page.context().close()
})

async function save(page: Page, name: string) {
  const waiting = page.waitForEvent('download')
  await page.getByRole('button', { name, exact: true }).click()
  const download = await waiting
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) }
}

t.test('a saved SVG stands alone and is whole: no style sheet, no variable, all text escaped', async (t) => {
  const evil = '</text><script>alert(1)</script>&\u0007'
  const callId = 'saved@phone'
  const story = new SipStory(pbxHost, storyStart)
  const host = { address: '192.0.2.9', port: 5060, name: evil }
  story
    .leg(callId, { user: '../../x', host }, { user: '4315550100', host: pbxHost })
    .request('INVITE')
    .answer(486, evil, 'INVITE')
    .request('ACK')
  site.api.add(storyRows(story.seen, minutesAgo(5)))
  const { page, faults } = await openCall(callId)
  const { name, bytes } = await save(page, 'SVG')
  t.match(name, /^ladder-x-4315550100-\d{8}T\d{6}\.svg$/)
  const svg = bytes.toString('utf8')
  t.notMatch(svg, /var\(|class=|<script|<style|href|aria-/)
  t.match(svg, '&lt;script&gt;')
  t.match(svg, /fill="rgb\(/)
  const read = await page.evaluate((text) => {
    const parsed = new DOMParser().parseFromString(text, 'image/svg+xml')
    return {
      root: parsed.documentElement.tagName,
      faults: parsed.querySelectorAll('parsererror').length,
      titles: parsed.querySelectorAll('title').length,
    }
  }, svg)
  t.same(read, { root: 'svg', faults: 0, titles: 3 })
  t.same(faults, [])
  await page.context().close()
})

t.test('a saved PNG has all rows in the colours of the theme', async (t) => {
  for (const colorScheme of ['dark', 'light'] as const) {
    const { page, faults } = await openCall('in@carrier', { colorScheme })
    const { bytes } = await save(page, 'PNG')
    t.same([...bytes.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47])
    const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
    t.ok(width > 2000 && height > 1800, `${width} x ${height}`)
    const corner = await page.evaluate(async (base64) => {
      const data = Uint8Array.from(atob(base64), (character) => character.codePointAt(0) ?? 0)
      const bitmap = await createImageBitmap(new Blob([data], { type: 'image/png' }))
      const canvas = new OffscreenCanvas(1, 1)
      const context = canvas.getContext('2d')
      context?.drawImage(bitmap, 0, 0)
      return [...(context?.getImageData(0, 0, 1, 1).data ?? [])]
    }, bytes.toString('base64'))
    t.same(corner, colorScheme === 'dark' ? [0x14, 0x17, 0x1c, 255] : [255, 255, 255, 255])
    t.same(faults, [])
    await page.context().close()
  }
})

t.test('a ladder too long for a PNG says so, and is saved as SVG', async (t) => {
  const callId = 'too-long@phone'
  site.api.add(longCall({ callId, startMicros: minutesAgo(5) }, 700))
  const { page } = await openCall(callId)
  await page.getByRole('button', { name: 'PNG', exact: true }).click()
  await page.getByText('too long for a PNG: save it as SVG').waitFor()
  const { bytes } = await save(page, 'SVG')
  t.equal(bytes.toString('utf8').match(/<title>/g)?.length, 1400)
  await page.context().close()
})

t.test(
  'of a long call the window is there while the rest is read, and no verdict before its end',
  async (t) => {
    const callId = 'long@phone'
    site.api.add(longCall({ callId, startMicros: minutesAgo(5) }, 700))
    const { gate, release } = holdAfter(500)
    site.api.setCallGate(gate)
    t.teardown(() => site.api.setCallGate(undefined))
    const { page, faults } = await openCall(callId)
    const reading = page.getByTestId('reading')
    await reading
      .filter({ hasText: /message 500 of 1,400\s*\. The verdict comes with the last one/ })
      .waitFor()
    t.equal(await page.getByText('Nothing to remark on yet').count(), 0)
    t.equal(
      await page.getByRole('button', { name: 'SVG', exact: true }).count(),
      0,
      'only a whole one is saved',
    )
    await page.getByTestId('ladder').focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('j')
    await activeIs(page, /^2: 200 OK \(INFO\)/)
    await keepScreenshot(page, 'ladder-reading')
    release()
    await page.getByText('Nothing to remark on yet').waitFor()
    await reading.waitFor({ state: 'detached' })
    await activeIs(page, /^2: 200 OK \(INFO\)/)
    await page.keyboard.press('End')
    await activeIs(page, /^1400: 200 OK/)
    t.same(faults, [])
    await page.context().close()
  },
)

t.test(
  'End pressed while the rest is read goes on to the real end, unless something else is chosen',
  async (t) => {
    for (const { callId, key, reached } of [
      { callId: 'to-end@phone', key: null, reached: /^1400: 200 OK/ },
      { callId: 'to-end-not@phone', key: 'Home', reached: /^1: INFO/ },
    ]) {
      site.api.add(longCall({ callId, startMicros: minutesAgo(5) }, 700))
      const { gate, release } = holdAfter(500)
      site.api.setCallGate(gate)
      t.teardown(() => site.api.setCallGate(undefined))
      const { page, faults } = await openCall(callId)
      await page.getByText('message 500 of 1,400').waitFor()
      await page.getByTestId('ladder').focus()
      await page.keyboard.press('End')
      // The last that is here.
      await activeIs(page, /^(?!1: |1400: )\d+: /)
      if (key !== null) await page.keyboard.press(key)
      release()
      await page.getByText('Nothing to remark on yet').waitFor()
      await page
        .locator('.arrow.is-active')
        .and(page.getByRole('option', { name: reached }))
        .waitFor()
      t.same(faults, [])
      await page.context().close()
    }
  },
)

t.test('the text for a ticket is shown and copied', async (t) => {
  const { page } = await openWhole('leg-a@phone', { permissions: ['clipboard-read', 'clipboard-write'] })
  await page.getByRole('button', { name: 'Text', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Text for a ticket' })
  await dialog.getByRole('button', { name: 'Copy' }).click()
  await dialog.getByRole('button', { name: 'Copied' }).waitFor()
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  t.equal(copied, await dialog.locator('.share-text').textContent())
  t.match(copied, /Europe\/Vienna, UTC\+01:00/)
  t.match(copied, /#15 \[2\] +18\.838 .*\|<-+ INVITE -+\|.*re-INVITE; hold \(sendonly\)/)
  await page.keyboard.press('Escape')
  await page.context().close()
})
