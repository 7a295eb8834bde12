import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { callDetail, type CallDetail } from '@sip-capture/contract/rest/call.ts'
import {
  messageDetail,
  type MessageDetail,
  messageRow,
  type MessageRow,
} from '@sip-capture/contract/rest/message.ts'
import { page } from '@sip-capture/contract/rest/page.ts'
import { sourcesAnswer, type SourcesAnswer } from '@sip-capture/contract/rest/source.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import type { ServiceName } from '@sip-capture/infra/service-command.ts'
import { startStack, type Stack } from '@sip-capture/infra/stack.ts'
import { runSipp, startSipp, type SippResult, type SippRun } from '@sip-capture/infra/test-pbx/sipp.ts'
import { startTestPbx, type TestPbx } from '@sip-capture/infra/test-pbx/test-pbx.ts'
import type { Test } from 'tap'
import { z } from 'zod'

export interface SystemOptions {
  /** HEP configured in Asterisk; without it Asterisk has nothing but an AMI user. */
  readonly hep?: boolean
  /** Capture on loopback with tshark. */
  readonly wire?: boolean
  /** Put at the end of Asterisk's configuration files, by file name. */
  readonly extraConf?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly services?: readonly ServiceName[]
  /** A source is meant to fail: do not wait for it to be up. */
  readonly expectFailure?: boolean
}

/** A real Asterisk and the whole product on free ports, stopped with the test. */
export interface System {
  readonly pbx: TestPbx
  readonly stack: Stack
  get(path: string): Promise<Response>
  /** Waits until the API can be asked: its history is open and Redis answers. */
  ready(): Promise<void>
  messages(query: Record<string, string>): Promise<MessageRow[]>
  /** How many there are. */
  count(query: Record<string, string>): Promise<number>
  message(id: string): Promise<MessageDetail>
  call(id: string): Promise<CallDetail>
  sources(): Promise<SourcesAnswer>
  /** SIPp as the far end of the trunk, until the test ends. */
  startTrunk(): Promise<SippRun>
}

const rowsPage = page(messageRow)
const pageCursor = page(z.unknown())

export async function startSystem(t: Test, options: SystemOptions = {}): Promise<System> {
  const hepPort = await findFreePort()
  const pbx = await startTestPbx({
    ...(options.hep && { hep: { host: '127.0.0.1', port: hepPort } }),
    ...(options.extraConf && { extraConf: options.extraConf }),
  })
  t.teardown(() => pbx.stop())
  const dataDir = await mkdtemp(join(tmpdir(), 'sip-capture-e2e-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const lastLines = keepLastLines(t)
  const stack = await startStack({
    dataDir,
    freePorts: true,
    ...(options.services ? { services: options.services } : {}),
    env: {
      LOG_LEVEL: 'info',
      AMI_HOST: pbx.address,
      AMI_PORT: String(pbx.amiPort),
      AMI_USERNAME: pbx.amiUsername,
      AMI_SECRET: pbx.amiSecret,
      HEP_LISTEN: `127.0.0.1:${hepPort}`,
      TSHARK_ENABLED: String(options.wire ?? false),
      TSHARK_INTERFACE: 'lo',
      TSHARK_PORT: String(pbx.sipPort),
      ...options.env,
    },
    onLine: (service, line) => {
      lastLines.push(`${service}: ${line}`)
      if (process.env['E2E_VERBOSE']) process.stderr.write(`${service}: ${line}\n`)
    },
  })
  t.teardown(() => stack.stop())
  await stack.ready(300_000)

  async function get(path: string): Promise<Response> {
    return fetch(new URL(path, stack.apiUrl))
  }
  async function getJson(path: string): Promise<unknown> {
    const response = await get(path)
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  async function* pages(query: Record<string, string>): AsyncGenerator {
    for (let cursor: string | null = ''; cursor !== null;) {
      const search = new URLSearchParams({ limit: '1000', ...query, ...(cursor ? { cursor } : {}) })
      const answer = await getJson(`/api/v1/messages?${search}`)
      yield answer
      cursor = pageCursor.parse(answer).nextCursor
    }
  }
  const system: System = {
    pbx,
    stack,
    get,
    ready: () =>
      until(async () => (await get('/readyz').catch(() => undefined))?.ok === true, 'the API to be ready'),
    async messages(query) {
      const items: MessageRow[] = []
      for await (const answer of pages(query)) items.push(...rowsPage.parse(answer).items)
      return items
    },
    async count(query) {
      let count = 0
      for await (const answer of pages(query)) count += pageCursor.parse(answer).items.length
      return count
    },
    message: async (id) => messageDetail.parse(await getJson(`/api/v1/messages/${encodeURIComponent(id)}`)),
    call: async (id) => callDetail.parse(await getJson(`/api/v1/calls/${encodeURIComponent(id)}`)),
    sources: async () => sourcesAnswer.parse(await getJson('/api/v1/sources')),
    async startTrunk() {
      const trunk = await startSipp({ scenario: 'trunk', address: pbx.trunkAddress, port: pbx.trunkPort })
      t.teardown(() => trunk.stop())
      return trunk
    },
  }
  await system.ready()
  if (!options.expectFailure) await sourcesUp(system, options)
  return system
}

const maxLastLines = 200

/** What the services said last, shown where the test fails. */
function keepLastLines(t: Test): { push(line: string): void } {
  const lines: string[] = []
  t.teardown(() => {
    if (!t.passing()) process.stderr.write(`${lines.join('\n')}\n`)
  })
  return {
    push(line) {
      lines.push(line)
      if (lines.length > maxLastLines) lines.shift()
    },
  }
}

/** Waits until each source says it receives, so that no message is sent before anybody listens. */
async function sourcesUp(system: System, options: SystemOptions): Promise<void> {
  const wanted: string[] = []
  const services = options.services ?? ['ami-bridge', 'capture-sidecar']
  if (services.includes('ami-bridge') && options.env?.['AMI_TAP'] !== 'off') wanted.push('ami')
  if (services.includes('capture-sidecar') && options.wire) wanted.push('wire')
  await until(
    async () => {
      const { items } = await system.sources()
      return wanted.every((kind) =>
        items.some((item) => item.kind === kind && (item.state === 'up' || item.state === 'degraded')),
      )
    },
    `sources ${wanted.join(', ')} to be up`,
  )
}

/** Waits until all that was sent so far is in the history. Each source brings what it saw in order: a message that is sent
 *  behind all others, and is there, is there behind all others. */
export async function allStored(system: System): Promise<void> {
  const { pbx } = system
  const last = await runSipp({
    scenario: 'options',
    address: pbx.phoneAddress,
    remote: { address: pbx.address, port: pbx.sipPort },
  })
  const callId = callIdOf(last)
  const { items } = await system.sources()
  const seeing = items.filter(({ state }) => state === 'up' || state === 'degraded')
  await until(async () => {
    const rows = await system.messages({ callId })
    return seeing.every(
      ({ kind }) =>
        rows.filter(({ source }) => source.startsWith(kind === 'wire' ? 'wire' : 'ami-')).length >=
        last.messages.length,
    )
  }, 'the last message of each source')
}

/** Of the first message that SIPp sent or received. */
export function callIdOf({ messages }: SippResult): string {
  return /^Call-ID: *(.*?)\r$/im.exec(messages[0]?.text ?? '')?.[1] ?? ''
}

/** Waits for a fact. The bound is a safety net against a hanging test, not a speed requirement. */
export async function until(
  fact: () => Promise<boolean> | boolean,
  what: string,
  withinMs = 300_000,
): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    if (await fact()) return
    if (performance.now() > deadline) throw new Error(`waited ${withinMs / 1000} s in vain for ${what}`)
    await pause(100)
  }
}

/** Waits until the number stays the same and is at least `atLeast`, then gives it: late extra rows must show too. */
export async function settled(
  read: () => Promise<number>,
  atLeast: number,
  withinMs = 300_000,
): Promise<number> {
  let last = -1
  let same = 0
  const deadline = performance.now() + withinMs
  while (performance.now() < deadline) {
    const now = await read()
    same = now === last ? same + 1 : 0
    last = now
    if (now >= atLeast && same >= 2) return now
    await pause(300)
  }
  return last
}
