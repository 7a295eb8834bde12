import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Resolution, resolution } from '@sip-capture/contract/rest/call-log.ts'
import { parseTime } from '@sip-capture/contract/time.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { runSipp, type SippResult } from '@sip-capture/infra/test-pbx/sipp.ts'
import { keepScreenshot, startBrowser } from '@sip-capture/testing/browser.ts'
import type { Test } from 'tap'
import t from 'tap'
import { snippetGroups } from '../../services/ui/src/views/links/snippets.ts'
import { startSystem, type System, until } from '../system.ts'

t.setTimeout(1_800_000)

const callIdOf = (phone: SippResult) => /^Call-ID: (.*)\r$/m.exec(phone.messages[0]?.text ?? '')?.[1] ?? ''

async function placeCall(system: System, number: string, caller: string, holdMs = 500): Promise<string> {
  const phone = await runSipp({
    scenario: 'answered',
    remote: { address: system.pbx.address, port: system.pbx.sipPort },
    address: system.pbx.phoneAddress,
    number,
    caller: { number: caller, name: caller },
    holdMs,
  })
  if (phone.callsOk !== 1) throw new Error(phone.errors)
  return callIdOf(phone)
}

async function resolve(system: System, words: Record<string, string>): Promise<Resolution> {
  const answer = await system.get(`/api/v1/resolve?${new URLSearchParams(words)}`)
  if (!answer.ok) throw new Error(await answer.text())
  return resolution.parse(await answer.json())
}

/** Waits until both legs are one call, and the call log has it. */
async function linkedCall(system: System, callId: string) {
  await until(async () => {
    const [call, found] = [await system.call(callId).catch(() => null), await resolve(system, { id: callId })]
    return call !== null && call.legs.length === 2 && found.candidates[0]?.call.legs === 2
  }, `both legs of ${callId}`)
  return system.call(callId)
}

/** A page of another origin that shows `/embed/…` in a frame. */
async function startHost(t: Test, port: number): Promise<string> {
  const server = createServer((request, response) => {
    const src = new URL(request.url ?? '/', 'http://host').searchParams.get('src') ?? ''
    response.setHeader('content-type', 'text/html')
    response.end(
      `<!doctype html><title>crm</title><iframe src="${encodeURI(src)}" width="900" height="600"></iframe>`,
    )
  })
  await new Promise<void>((listening) => {
    server.listen(port, '127.0.0.1', listening)
  })
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('links from a CDR tool open the right call of a real Asterisk, and never one of two', async (t) => {
  const uiPort = await findFreePort()
  const [friend, stranger] = [await startHost(t, 0), await startHost(t, 0)]
  const system = await startSystem(t, {
    env: { UI_PORT: String(uiPort), ALLOWED_ORIGINS: `http://127.0.0.1:${uiPort},${friend}` },
  })
  const base = system.stack.pageUrl.replace(/\/$/, '')
  const { open, close } = await startBrowser()
  t.teardown(close)
  await system.startTrunk()
  // Others, before and after, that must not be taken for it.
  await placeCall(system, '2001', '1001')
  const callId = await placeCall(system, '2002', '1777')
  await placeCall(system, '2003', '1003')
  const call = await linkedCall(system, callId)
  const startedSeconds = Math.floor((parseTime(call.startedAt) ?? 0) / 1_000_000)

  /** Opens the link and gives the text of the pane once the ladder of the wanted call is drawn. */
  const openLink = async (t: Test, query: string): Promise<string> => {
    const { page, faults } = await open(`${base}/capture?${query}`)
    await page.getByTestId('ladder').waitFor()
    // It comes last, when all of the call has been read.
    await page.getByTestId('verdict').waitFor()
    const text = (await page.getByTestId('detail').textContent()) ?? ''
    t.same(faults, [])
    await page.context().close()
    return text
  }

  await t.test('by Call-ID of either leg, Uniqueid, Linkedid and channel', async (t) => {
    const ids = new Map<string, 'exact' | 'linked'>()
    for (const leg of call.legs) {
      ids.set(leg.callId, 'exact')
      for (const id of [leg.uniqueid, leg.linkedid, leg.channel]) if (id !== null) ids.set(id, 'linked')
    }
    t.equal(ids.size, 6, 'two Call-IDs, two Uniqueids (one is the Linkedid), two channels')
    for (const [id, match] of ids) {
      const found = await resolve(system, { id })
      t.equal(found.match, match, id)
      const named = call.legs.find((leg) => [leg.callId, leg.uniqueid, leg.channel].includes(id))
      t.equal(found.callId, named?.callId, 'the leg that is named')
      t.same(found.candidates[0]?.call.callIds.toSorted(), call.legs.map((leg) => leg.callId).toSorted(), id)
      for (const name of ['call', 'callId']) {
        const text = await openLink(t, `${name}=${encodeURIComponent(id)}&at=${startedSeconds}`)
        t.match(text, /1777.*→.*2002/s, `${name}=${id}`)
        if (match === 'linked')
          t.ok(text.includes(`Opened by a link: ${id} is the `), `says how ${id} led there`)
        else t.notMatch(text, /Opened by a link/)
      }
    }
  })

  await t.test('by number and time: candidates to choose from, also when there is one', async (t) => {
    const { page, faults } = await open(`${base}/capture?call=1777&at=${startedSeconds}`)
    await page.getByTestId('candidates').waitFor()
    t.equal(await page.locator('.candidate').count(), 1)
    t.equal(await page.getByTestId('ladder').count(), 0, 'it is not opened by itself')
    t.match(await page.locator('.candidate').textContent(), /from is 1777/)
    await keepScreenshot(page, 'deep-link-one-candidate')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByTestId('ladder').waitFor()
    t.ok((await page.getByTestId('detail').textContent())?.includes(callId))
    t.same(faults, [])
  })

  await t.test('two calls of one number at one time: a list of two', async (t) => {
    const twins = await Promise.all([1, 2].map(() => placeCall(system, '2004', '1888', 8000)))
    for (const twin of twins) await linkedCall(system, twin)
    const starts = await Promise.all(
      twins.map(async (twin) => parseTime((await system.call(twin)).startedAt) ?? 0),
    )
    // A second after the later one began both were going on.
    const at = Math.max(...starts) + 1_000_000
    const found = await resolve(system, { id: '1888', at: String(at) })
    t.equal(found.match, 'proximity')
    t.equal(found.callId, null)
    t.same(
      found.candidates.map(({ distanceSeconds }) => distanceSeconds),
      [0, 0],
    )
    const { page, faults } = await open(`${base}/capture?call=1888&at=${at}`)
    await page.getByTestId('candidates').waitFor()
    t.equal(await page.locator('.candidate').count(), 2)
    t.equal(await page.getByTestId('ladder').count(), 0)
    t.match(await page.getByTestId('candidates').textContent(), /2 calls are equally near/)
    await keepScreenshot(page, 'deep-link-two-candidates')
    t.same(faults, [])
  })

  await t.test('an id that nobody knows, far from any call: nothing, and what was looked for', async (t) => {
    const { page, faults } = await open(`${base}/capture?call=1234567890.1&at=1234567890`)
    await page.getByTestId('call-missing').waitFor()
    await page.getByText('It is older than anything here').waitFor()
    t.equal(await page.getByTestId('ladder').count(), 0)
    t.same(faults, [])
  })

  await t.test(
    "the help page's lines for the dialplan write CDRs whose links open their calls",
    async (t) => {
      const snippets = snippetGroups(base).flatMap((group) => group.snippets)
      const lines = snippets.filter(({ id }) => id.startsWith('dialplan-'))
      t.equal(lines.length, 3)
      const extensions = lines.map(
        ({ text }, index) =>
          `exten => 201${index},1,NoOp()\n${text}\n same => n,Dial(PJSIP/201${index}@trunk,60)\n`,
      )
      await appendFile(
        join(system.pbx.configFolder, 'extensions.conf'),
        `\n[from-phone](+)\n${extensions.join('')}`,
      )
      await writeFile(
        join(system.pbx.configFolder, 'cdr.conf'),
        '[general]\nenable=yes\n[csv]\nusegmtime=yes\nloguniqueid=yes\nloguserfield=yes\n',
      )
      await system.pbx.cli('dialplan reload')
      await system.pbx.cli('module reload cdr')
      await system.pbx.cli('module reload cdr_csv.so')
      for (const [index, { id }] of lines.entries()) {
        const caller = `166${index}`
        const placed = await placeCall(system, `201${index}`, caller)
        await linkedCall(system, placed)
        let link = ''
        await until(async () => {
          const csv = await readFile(join(system.pbx.logFolder, 'cdr-csv/Master.csv'), 'utf8').catch(() => '')
          const record = csv
            .split('\n')
            .find((line) => line.includes(`"201${index}"`) && line.includes('/capture?'))
          link = /"(http[^"]*)"/.exec(record ?? '')?.[1] ?? ''
          return link !== ''
        }, `the CDR of ${id}`)
        t.comment(`${id}: ${link}`)
        t.ok(link.startsWith(`${base}/capture?call=`))
        const text = await openLink(t, new URL(link).search.slice(1))
        t.ok(text.includes(caller) && text.includes(`201${index}`), id)
      }
    },
  )

  await t.test('the viewer is framed by an allowed origin, and by no other', async (t) => {
    const linkedid = call.legs[0]?.linkedid ?? ''
    const src = `${base}/embed/call?call=${encodeURIComponent(linkedid)}&theme=dark`
    const { page, faults } = await open(`${friend}/?src=${encodeURIComponent(src)}`)
    const frame = page.frameLocator('iframe')
    await frame.getByTestId('ladder').waitFor()
    t.match(await frame.locator('main').textContent(), /1777.*→.*2002.*Opened by a link/s)
    await keepScreenshot(page, 'embed-allowed')
    t.same(faults, [])
    const refused = await open(`${stranger}/?src=${encodeURIComponent(src)}`)
    await until(() => refused.faults.length > 0, 'Chromium to refuse the frame')
    t.match(refused.faults.join(' '), /frame-ancestors|Framing/i)
    t.equal(await refused.page.frameLocator('iframe').getByTestId('ladder').count(), 0)
  })
})
