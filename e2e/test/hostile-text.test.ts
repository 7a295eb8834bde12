import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { startBrowser } from '@sip-capture/testing/browser.ts'
import { startSystem, until, type System } from '../system.ts'

t.setTimeout(1_800_000)

const markup = '<img src=x onerror=window.__ran=1>'
const breakout = `"><svg onload=window.__ran=1><script>window.__ran=1</script>`

/** One INVITE with markup wherever an attacker can write; Asterisk takes the caller name to AMI. */
function hostileInvite(system: System, callId: string, port: number): string {
  const { pbx } = system
  const body = [
    'v=0',
    `o=- 1 1 IN IP4 ${pbx.phoneAddress}`,
    `s=${markup}`,
    `i=javascript:window.__ran=1`,
    `c=IN IP4 ${pbx.phoneAddress}`,
    't=0 0',
    'm=audio 40000 RTP/AVP 0',
    '',
  ].join('\r\n')
  return [
    `INVITE sip:2001@${pbx.address}:${pbx.sipPort} SIP/2.0`,
    `Via: SIP/2.0/UDP ${pbx.phoneAddress}:${port};branch=z9hG4bK-hostile-${port}`,
    'Max-Forwards: 70',
    `From: "${markup.replaceAll('"', '')}" <sip:1001@${pbx.phoneAddress}>;tag=h1`,
    `To: "<b onmouseover=window.__ran=1>to</b>" <sip:2001@${pbx.address}>`,
    `Call-ID: ${callId}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:1001@${pbx.phoneAddress}:${port}>`,
    `User-Agent: ${breakout}`,
    `Subject: ${breakout}\u001b]0;owned\u0007`,
    'Call-Info: <javascript:window.__ran=1>;purpose=icon',
    `X-Note: ${markup}`,
    'Content-Type: application/sdp',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}

t.test('markup and script in every field an attacker writes are inert text', async (t) => {
  const system = await startSystem(t, { hep: true, wire: true })
  const { open, close } = await startBrowser()
  t.teardown(close)
  const { page, faults } = await open(`${system.stack.pageUrl}capture`)
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.bind(0, system.pbx.phoneAddress)
  await once(socket, 'listening')
  const { port } = socket.address()
  const callId = `<svg/onload=window.__ran=1>'"\`../../x%2e-${port}`
  const text = hostileInvite(system, callId, port)
  socket.send(text, system.pbx.sipPort, system.pbx.address)
  await until(async () => (await system.messages({ callId })).length > 1, 'the hostile call to be stored')

  await page.locator('.row', { hasText: 'INVITE' }).first().waitFor()
  t.match(
    await page.locator('.row', { hasText: 'INVITE' }).first().textContent(),
    /<img src=x/,
    'shown as text',
  )
  await page
    .locator('.row', { hasText: callId.slice(0, 20) })
    .last()
    .click()
  await page.getByTestId('ladder').waitFor()
  for (const summary of await page.locator('details.header summary').all()) await summary.click()
  await page.getByTestId('message').getByRole('tab', { name: 'SDP' }).click()
  await page.getByTestId('message').getByRole('tab', { name: 'Raw' }).click()
  await page
    .getByTestId('message')
    .filter({ hasText: /\\x1b|␛/i })
    .waitFor()
  t.match(
    await page.getByTestId('message').textContent(),
    /\\x1b|␛/i,
    'control characters are shown, not sent',
  )

  const linked = await open(`${system.stack.pageUrl}capture?callId=${encodeURIComponent(callId)}`)
  await linked.page.getByTestId('ladder').waitFor()
  const unknown = await open(`${system.stack.pageUrl}capture?callId=${encodeURIComponent(breakout)}`)
  await unknown.page.getByText('svg onload').first().waitFor()
  const wrongFilter = await open(`${system.stack.pageUrl}capture?status=${encodeURIComponent(markup)}`)
  await wrongFilter.page.locator('main').waitFor()

  for (const [name, one] of Object.entries({
    page,
    linked: linked.page,
    unknown: unknown.page,
    wrongFilter: wrongFilter.page,
  })) {
    const found = await one.evaluate(() => ({
      ran: '__ran' in window,
      elements: document.querySelectorAll('img, iframe, object, svg[onload], [onerror], [onmouseover]')
        .length,
      scripts: [...document.scripts].filter((script) => !script.src).length,
      links: [...document.querySelectorAll('a[href]')].filter((link) =>
        /^javascript:/i.test(link.getAttribute('href') ?? ''),
      ).length,
      titleHasControl: /\p{Cc}/u.test(document.title),
    }))
    t.same(found, { ran: false, elements: 0, scripts: 0, links: 0, titleHasControl: false }, name)
  }
  t.same([...faults, ...linked.faults, ...unknown.faults, ...wrongFilter.faults], [])

  const policy = (await fetch(system.stack.pageUrl)).headers.get('content-security-policy') ?? ''
  t.match(policy, /script-src 'self'/)
  t.notMatch(policy, /unsafe/)

  // The error of a wrong request repeats what was asked: as JSON that no browser renders.
  const wrong = await system.get(`/api/v1/messages?status=${encodeURIComponent(markup)}`)
  t.equal(wrong.status, 400)
  t.match(wrong.headers.get('content-type'), /^application\/json/)
  t.equal(wrong.headers.get('x-content-type-options'), 'nosniff')

  // The name of the exported file is ours, whatever the Call-ID is.
  const pcap = await system.get(`/api/v1/calls/${encodeURIComponent(callId)}/pcap`)
  t.equal(pcap.status, 200)
  t.match(pcap.headers.get('content-disposition'), /^attachment; filename="[\w.-]+"$/)
})
