import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { directoryAnswer } from '@sip-capture/contract/rest/directory.ts'
import { callQuality } from '@sip-capture/contract/rest/quality.ts'
import {
  registrationDetail,
  type RegistrationRow,
  registrationsAnswer,
} from '@sip-capture/contract/rest/registration.ts'
import { runSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { keepScreenshot, startBrowser } from '@sip-capture/testing/browser.ts'
import { startSystem, type System, until } from '../system.ts'

t.setTimeout(1_800_000)

const briefly = fileURLToPath(new URL('../sipp/register-briefly.xml', import.meta.url)) as `${string}.xml`

const phone = (user: string, aor: string) => `
[${user}]
type=endpoint
context=from-phone
disallow=all
allow=ulaw
auth=${user}
aors=${user}

[${user}]
type=auth
auth_type=userpass
username=${user}
password=a-secret

[${user}]
type=aor
${aor}
`

/** Asterisk calls itself as a trunk: the only far end here that sends RTP and RTCP of its own. */
const loopTrunk = (port: number) => `
[loop]
type=endpoint
context=from-phone
disallow=all
allow=ulaw
direct_media=no
media_address=127.0.0.1
bind_rtp_to_media_address=yes
aors=loop
from_user=6001
outbound_auth=6001

[loop]
type=aor
contact=sip:127.0.0.1:${port}
`

t.test('registrations, trunks and quality of a real Asterisk', async (t) => {
  const system = await startSystem(t, {
    hep: true,
    extraConf: {
      'pjsip.conf': [
        phone('6003', 'max_contacts=1\nremove_existing=yes\nminimum_expiration=1'),
        phone('6004', 'max_contacts=1\nremove_existing=yes\nqualify_frequency=1\nqualify_timeout=0.3'),
      ].join(''),
    },
  })
  const { pbx } = system
  const remote = { address: pbx.address, port: pbx.sipPort }
  const aorOf = (user: string) => `${user}@${pbx.address}`
  const rows = async (query = '') =>
    registrationsAnswer.parse(await json(system, `/api/v1/registrations${query}`)).items
  const becomes = async (user: string, fits: (row: RegistrationRow) => boolean, what: string) => {
    let found: RegistrationRow | undefined
    await until(async () => {
      found = (await rows()).find(({ aor }) => aor === aorOf(user))
      return found !== undefined && fits(found)
    }, `${user}: ${what}`)
    return found
  }
  const steps = async (user: string) =>
    registrationDetail.parse(
      await json(system, `/api/v1/registrations/${encodeURIComponent(aorOf(user))}?limit=1000`),
    )

  await t.test('a phone registers: bound for as long as Asterisk granted, at its address', async (t) => {
    await runSipp({
      remote,
      address: '127.0.0.4',
      scenario: 'register',
      number: '6001',
      password: 'first-secret',
    })
    const row = await becomes(
      '6001',
      ({ state, endpoint }) => state === 'registered' && endpoint === '6001',
      'registered',
    )
    t.match(row, {
      direction: 'in',
      refusal: null,
      isExpiring: false,
      contacts: [
        {
          uri: /^sip:6001@127\.0\.0\.4/,
          client: { address: '127.0.0.4' },
          userAgent: 'SIPp phone',
        },
      ],
    })
    // Asterisk says how much is left, to the second.
    t.ok([119, 120].includes(row?.contacts[0]?.grantedSeconds ?? 0), `${row?.contacts[0]?.grantedSeconds}`)
    await until(
      async () =>
        (await steps('6001')).steps.some(
          (step) => step.kind === 'asterisk' && step.event.kind === 'contact-changed',
        ),
      'AMI to tell of the contact',
    )
    const { steps: told } = await steps('6001')
    t.same(
      told.flatMap((step) => (step.kind === 'message' ? [step.status ?? 'REGISTER'] : [])),
      ['REGISTER', 401, 'REGISTER', 200],
    )
    t.ok(
      told.some((step) => step.kind === 'asterisk' && step.event.kind === 'contact-changed'),
      'and what AMI told',
    )
  })

  await t.test('a wrong password is refused, and Asterisk says why', async (t) => {
    await runSipp({
      remote,
      address: '127.0.0.4',
      scenario: 'register-wrong-password',
      number: '6002',
      password: 'guess',
    })
    const row = await becomes(
      '6002',
      ({ refusal }) => refusal?.why.startsWith('Asterisk says') === true,
      'refused',
    )
    t.match(row, { state: 'refused', refusal: { status: 401, count: 1, why: /password/ } })
    // What AMI told may be here before the second refusal is stored.
    await until(async () => (await steps('6002')).findings.length > 0, 'the verdict on its messages')
    t.match((await steps('6002')).findings, [{ severity: 'error', title: /password/i }])
    t.same(
      (await rows('?only=refused')).map(({ aor }) => aor),
      [aorOf('6002')],
    )
  })

  await t.test('a registration that nobody renews expires', async (t) => {
    await runSipp({ remote, address: '127.0.0.4', scenario: briefly, number: '6003', password: 'a-secret' })
    // It may be over before anybody looks: what was granted stays in the answer.
    await until(async () => {
      const detail = await steps('6003').catch(() => undefined)
      return (
        detail?.steps.some(
          (step) => step.kind === 'message' && step.status === 200 && (step.expiresSeconds ?? 99) <= 3,
        ) === true
      )
    }, '6003: bound for 3 s')
    const row = await becomes('6003', ({ state }) => state === 'expired', 'expired')
    t.match(row, { state: 'expired', expiresAt: null, recentChanges: 1 })
    const detail = await steps('6003')
    t.match(
      detail.steps.filter(({ kind }) => kind === 'change'),
      [{ change: 'expired', from: /^sip:6003@127\.0\.0\.4/ }],
    )
  })

  await t.test('a phone that moves, and does not answer OPTIONS, is told with both', async (t) => {
    for (const address of ['127.0.0.4', '127.0.0.5'])
      await runSipp({ remote, address, scenario: 'register', number: '6004', password: 'a-secret' })
    await becomes('6004', ({ contacts }) => contacts[0]?.client?.address === '127.0.0.5', 'moved')
    await until(
      async () =>
        (await steps('6004')).steps.some(
          (step) =>
            step.kind === 'asterisk' &&
            step.event.kind === 'contact-changed' &&
            step.event.status === 'Unreachable' &&
            step.event.uri.includes('127.0.0.5'),
        ),
      'Unreachable to be told',
    )
    const moved = (await steps('6004')).steps.filter(({ kind }) => kind === 'change')
    t.match(moved, [{ change: 'moved', from: /127\.0\.0\.4/, to: /127\.0\.0\.5/ }])
  })

  let callId = ''
  await t.test('RTCP between two legs of a call that Asterisk makes to itself', async (t) => {
    await appendFile(join(pbx.configFolder, 'pjsip.conf'), loopTrunk(pbx.sipPort))
    await pbx.cli('module reload res_pjsip.so')
    await until(async () => (await pbx.cli('pjsip show endpoints')).includes('loop'), 'the trunk to be there')
    await pbx.cli('channel originate PJSIP/600@loop application Milliwatt')
    await until(async () => {
      const invites = await system.messages({ method: 'INVITE', status: '2xx' })
      callId = encodeURIComponent(invites.find(({ to }) => to.user === '600')?.callId ?? '')
      return callId !== ''
    }, 'the call to be answered')
    await until(async () => {
      const response = await system.get(`/api/v1/calls/${callId}/quality`)
      if (!response.ok) return false
      const { streams } = callQuality.parse(await response.json())
      return (
        (['received', 'sent'] as const).every((direction) =>
          streams.some((stream) => stream.direction === direction && stream.reports >= 2),
        ) && streams.some(({ roundTripMillis }) => roundTripMillis !== null)
      )
    }, 'two reports of both directions, and a round trip')
    const { streams } = callQuality.parse(await json(system, `/api/v1/calls/${callId}/quality`))
    for (const stream of streams.filter(({ reports }) => reports >= 2)) {
      t.match(stream, { codec: 'PCMU', clockRate: 8_000, from: 'ami', channel: /^PJSIP\/(?:loop|6001)-/ })
      t.equal(stream.lossPercent?.mean, 0, 'loopback loses nothing')
      t.ok((stream.mos ?? 0) > 4, `MOS ${stream.mos} of R ${stream.r}`)
      t.ok((stream.jitterMillis?.max ?? 1_000) < 100)
    }
    t.ok(
      streams.some(({ roundTripMillis }) => roundTripMillis !== null),
      'with a round trip',
    )
  })

  await t.test('the pages', async (t) => {
    const { open, close } = await startBrowser()
    t.teardown(close)
    await until(
      async () =>
        directoryAnswer
          .parse(await json(system, '/api/v1/endpoints'))
          .items.some(({ name, roundTripMicros }) => name === 'loop' || roundTripMicros !== null),
      'the directory',
    )
    const { page, faults } = await open(`${system.stack.pageUrl}registrations`)
    const [row6004] = (await rows(`?text=${aorOf('6004')}`)).slice(0, 1)
    if (row6004 === undefined) throw new Error('6004 is not listed')
    const row = page.locator('tr', { hasText: aorOf('6002') })
    await row.waitFor()
    t.match(await row.textContent(), /refused.*password/)
    await keepScreenshot(page, 'registrations')
    await row.getByRole('button').click()
    const pane = page.getByTestId('registration')
    await pane.getByText('InvalidPassword').or(pane.getByText('ChallengeResponseFailed')).first().waitFor()
    await page.waitForURL(/aor=6002/)
    await keepScreenshot(page, 'registration')
    await page.keyboard.press('Escape')
    await pane.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: /^refused/ }).click()
    await page.locator('tr', { hasText: aorOf('6001') }).waitFor({ state: 'detached' })
    await until(async () => (await page.locator('tbody tr').count()) === 1, 'one row')
    t.equal(await page.locator('tbody tr').count(), 1)

    await page.goto(`${system.stack.pageUrl}trunks`)
    const trunk = page.locator('tr', { hasText: 'trunk' }).filter({ hasText: '127.0.0.3' })
    await trunk.waitFor()
    await keepScreenshot(page, 'trunks')
    await trunk.getByRole('button').click()
    await page.getByTestId('directory-entry').getByText('type=identify').waitFor()
    t.match(
      await page.getByRole('link', { name: 'Its calls' }).getAttribute('href'),
      /^\/calls\?q=trunk%3A%22trunk%22$/,
    )
    await keepScreenshot(page, 'trunk')

    await page.goto(`${system.stack.pageUrl}capture?callId=${callId}`)
    await page.getByRole('tab', { name: 'Quality' }).click()
    await page.getByText('what Asterisk received').first().waitFor()
    t.ok((await page.locator('.quality-plot').count()) >= 2)
    await keepScreenshot(page, 'quality')
    t.same(faults, [])

    const looks = [
      ['dark', 1440],
      ['light', 390],
      ['dark', 390],
    ] as const
    const paths = {
      registrations: 'registrations',
      registration: `registrations?${new URLSearchParams({ aor: aorOf('6004'), node: row6004.node })}`,
      trunks: 'trunks',
      trunk: `trunks?${new URLSearchParams({ name: 'trunk', node: row6004.node })}`,
    }
    for (const [colorScheme, width] of looks) {
      const small = await open(system.stack.pageUrl, { colorScheme, viewport: { width, height: 800 } })
      for (const [name, path] of Object.entries(paths)) {
        await small.page.goto(`${system.stack.pageUrl}${path}`)
        await small.page
          .locator(path.includes('?') ? '.split-pane h3' : 'tbody tr')
          .first()
          .waitFor()
        const overflow = await small.page.evaluate(
          () => document.documentElement.scrollWidth - window.innerWidth,
        )
        t.ok(overflow <= 0, `${name} at ${width} px is no wider than the screen`)
        await keepScreenshot(small.page, `${name}-${colorScheme}-${width}`)
      }
      await small.page.goto(`${system.stack.pageUrl}capture?callId=${callId}`)
      await small.page.getByRole('tab', { name: 'Quality' }).click()
      await small.page.getByText('what Asterisk received').first().waitFor()
      await small.page.getByText('what Asterisk received').first().scrollIntoViewIfNeeded()
      await keepScreenshot(small.page, `quality-${colorScheme}-${width}`)
      t.same(small.faults, [])
    }
  })
})

async function json(system: System, path: string): Promise<unknown> {
  const response = await system.get(path)
  if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
  return response.json()
}
