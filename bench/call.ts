import { join } from 'node:path'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { startStack, type Stack } from '@sip-capture/infra/stack.ts'
import { startSipp, runSipp, type SippMessage } from '@sip-capture/infra/test-pbx/sipp.ts'
import { startTestPbx, type TestPbx } from '@sip-capture/infra/test-pbx/test-pbx.ts'
import { startBrowser } from '@sip-capture/testing/browser.ts'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import { median, percentile, type Figure } from './figures.ts'
import type { RowContext, RunRow } from './row.ts'

const limitMillis = 2_000
const callsPerSecond = 1

/**
 * Calls from SIPp through a real Asterisk: from SIPp's stamp on the INVITE it sends to the row in the WebSocket of a page, by
 * tshark and by Asterisk itself, once with HEP and once with nothing in Asterisk but an AMI user.
 */
export const run: RunRow = async (context) => [
  ...(await measure(context, { ami: 'ami-hep' })),
  ...(await measure(context, { ami: 'ami-history' })),
]

async function measure(context: RowContext, { ami }: { ami: 'ami-hep' | 'ami-history' }): Promise<Figure[]> {
  const hepPort = await findFreePort()
  const pbx = await startTestPbx(ami === 'ami-hep' ? { hep: { host: '127.0.0.1', port: hepPort } } : {})
  try {
    const stack = await startStack({
      dataDir: join(context.folder, ami),
      freePorts: true,
      env: {
        LOG_LEVEL: 'warn',
        NODE_NAME: 'bench',
        AMI_HOST: pbx.address,
        AMI_PORT: String(pbx.amiPort),
        AMI_USERNAME: pbx.amiUsername,
        AMI_SECRET: pbx.amiSecret,
        HEP_LISTEN: `127.0.0.1:${hepPort}`,
        TSHARK_ENABLED: 'true',
        TSHARK_INTERFACE: 'lo',
        TSHARK_PORT: String(pbx.sipPort),
      },
    })
    try {
      await stack.ready()
      return await placeCalls(context, { pbx, stack, sources: [ami, 'wire'] })
    } finally {
      await stack.stop()
    }
  } finally {
    await pbx.stop()
  }
}

async function placeCalls(
  { pick, say }: RowContext,
  { pbx, stack, sources }: { pbx: TestPbx; stack: Stack; sources: readonly string[] },
): Promise<Figure[]> {
  const calls = pick(5, 20, 60)
  const trunk = await startSipp({ scenario: 'trunk', address: pbx.trunkAddress, port: pbx.trunkPort })
  const browser = await startBrowser({ program: 'desktop' })
  try {
    const { page } = await browser.open('about:blank')
    await page.addInitScript(noteInvites)
    await page.goto(`${stack.pageUrl}capture`)
    const place = async (count: number): Promise<SippMessage[]> => {
      const { callsOk, errors, messages } = await runSipp({
        scenario: 'answered',
        remote: { address: pbx.address, port: pbx.sipPort },
        address: pbx.phoneAddress,
        number: '2001',
        calls: count,
        callsPerSecond,
        holdMs: 300,
      })
      if (callsOk !== count) throw new Error(`${callsOk} of ${count} calls went well: ${errors}`)
      return messages.filter(({ direction, text }) => direction === 'sent' && text.startsWith('INVITE '))
    }
    // Until both paths and the page have been seen to work, a call is no measure.
    while (!(await haveAllCome(page, await place(1), sources))) say('warming up')
    const invites = await place(calls)
    if (!(await haveAllCome(page, invites, sources))) throw new Error('not all rows came')
    const seen = await readSeen(page)
    return sources.flatMap((source) => {
      const millis = invites.map(
        (invite) => (timeOf(seen, invite, source) ?? Number.NaN) - invite.atMicros / 1_000,
      )
      say(`${source}: ${millis.map((one) => one.toFixed(0)).join(' ')} ms`)
      const name = `call: INVITE → row in the browser, ${source}${source === 'wire' ? ` beside ${sources[0] ?? ''}` : ''}`
      return [
        { name: `${name}, median of ${calls}`, value: median(millis), unit: 'ms' },
        { name: `${name}, worst`, value: percentile(millis, 1), unit: 'ms', atMost: limitMillis },
      ]
    })
  } finally {
    await browser.close()
    await trunk.stop()
  }
}

const seenInvites = z.array(z.object({ source: z.string(), callId: z.string(), atMillis: z.number() }))
type SeenInvites = z.infer<typeof seenInvites>

const readSeen = async (page: Page): Promise<SeenInvites> =>
  seenInvites.parse(await page.evaluate('benchInvites'))

function timeOf(seen: SeenInvites, invite: SippMessage, source: string): number | undefined {
  const callId = /^Call-ID: (.*)\r$/m.exec(invite.text)?.[1]
  return seen.find((one) => one.callId === callId && one.source === source)?.atMillis
}

/** Late rows are late, not missing: there is much more time than the limit. */
async function haveAllCome(
  page: Page,
  invites: readonly SippMessage[],
  sources: readonly string[],
): Promise<boolean> {
  for (let second = 0; second < 10; second++) {
    const seen = await readSeen(page)
    if (invites.every((invite) => sources.every((source) => timeOf(seen, invite, source) !== undefined)))
      return true
    await page.waitForTimeout(1_000)
  }
  return false
}

/** Runs in the page, before its own scripts: when the row of each INVITE came, by source. */
const noteInvites = `{
  globalThis.benchInvites = []
  const Socket = globalThis.WebSocket
  globalThis.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given)
      this.addEventListener('message', ({ data }) => {
        const atMillis = performance.timeOrigin + performance.now()
        const frame = JSON.parse(data)
        if (frame.type !== 'sip:capture-packet' && frame.type !== 'sip:traffic') return
        for (const { kind, method, source, callId } of frame.items)
          if (kind === 'request' && method === 'INVITE') benchInvites.push({ source, callId, atMillis })
      })
    }
  }
}`
