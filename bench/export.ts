import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { callStats } from '@sip-capture/contract/rest/call-log.ts'
import { exportView } from '@sip-capture/contract/rest/export.ts'
import { z } from 'zod'
import { createRandom, generateRecords, messagesPerDialog, type Traffic } from './dialogs.ts'
import { median, percentile, type Figure } from './figures.ts'
import type { RowContext, RunRow } from './row.ts'
import { servicesAtRest, startApi, type ApiSystem } from './system.ts'

const execute = promisify(execFile)
const dialogsAsked = 100
const warmUpDialogs = 20

/** Exports of one dialog and of everything, through the real routes of a real API on an embedded history. */
export const run: RunRow = async (context) => {
  const { pick, folder, say } = context
  const messages = pick(13_000, 1_000_000, 1_000_000)
  // An hour of yesterday for a million messages: some 280/s.
  const traffic: Traffic = {
    messages,
    seed: 7,
    startMicros: 1_795_305_600_000_000,
    spanMicros: messages * 3_600,
  }
  const system = await startApi(folder)
  try {
    const startedAt = performance.now()
    await system.store(generateRecords(traffic))
    say(`${messages} messages stored in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`)
    await callLogComplete(system, traffic)
    await servicesAtRest(system)
    say(
      `their calls logged, and all at rest, after ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`,
    )
    return [
      ...(await dialogFigures(system, traffic)),
      ...(await bulkFigures(system, context, { messages, name: 'export: everything', mask: false })),
      ...(await bulkFigures(system, context, { messages, name: 'export: everything masked', mask: true })),
    ]
  } finally {
    await system.stop()
  }
}

/** Until every call has its row, so that nothing but the export is at work. */
async function callLogComplete(
  system: ApiSystem,
  { messages, startMicros, spanMicros }: Traffic,
): Promise<void> {
  const query = new URLSearchParams({
    since: new Date(startMicros / 1_000).toISOString(),
    until: new Date((startMicros + spanMicros) / 1_000 + 3_600_000).toISOString(),
    bucket: '3600',
  })
  for (;;) {
    const { total } = callStats.parse(await (await system.get(`/api/v1/stats?${query.toString()}`)).json())
    if (total.calls >= Math.ceil(messages / messagesPerDialog)) return
    await pause(1_000)
  }
}

async function dialogFigures(system: ApiSystem, traffic: Traffic): Promise<Figure[]> {
  const callIds = await pickCallIds(system, traffic)
  const millis: number[] = []
  for (const [index, callId] of callIds.entries()) {
    const startedAt = performance.now()
    const answer = await system.get(`/api/v1/calls/${encodeURIComponent(callId)}/pcap`)
    const bytes = (await answer.arrayBuffer()).byteLength
    if (answer.status !== 200 || bytes < messagesPerDialog * 300)
      throw new Error(`the export of ${callId} answers ${answer.status} with ${bytes} bytes`)
    if (index >= warmUpDialogs) millis.push(performance.now() - startedAt)
  }
  return [
    { name: 'export: one dialog, p50', value: median(millis), unit: 'ms', atMost: 100 },
    { name: 'export: one dialog, p99', value: percentile(millis, 0.99), unit: 'ms', atMost: 100 },
  ]
}

const messagePage = z.object({ items: z.array(z.object({ callId: z.string() })) })

/** Random dialogs, found by random times. */
async function pickCallIds(system: ApiSystem, { startMicros, spanMicros }: Traffic): Promise<string[]> {
  const random = createRandom(11)
  const callIds: string[] = []
  while (callIds.length < dialogsAsked + warmUpDialogs) {
    const since = new Date((startMicros + random() * spanMicros) / 1_000).toISOString()
    const query = new URLSearchParams({ since, order: 'asc', limit: '1', method: 'INVITE' })
    const { items } = messagePage.parse(
      await (await system.get(`/api/v1/messages?${query.toString()}`)).json(),
    )
    if (items[0]) callIds.push(items[0].callId)
  }
  return callIds
}

async function bulkFigures(
  system: ApiSystem,
  { pick, say }: RowContext,
  { messages, name, mask }: { messages: number; name: string; mask: boolean },
): Promise<Figure[]> {
  const runs = mask ? 1 : pick(1, 3, 5)
  const rates: number[] = []
  let sizeBytes = 0
  system.resetPeaks()
  for (let n = 0; n < runs; n++) {
    const startedAt = performance.now()
    const { id } = z
      .object({ id: z.string() })
      .parse(await (await system.post('/api/v1/exports', { name: 'bench', mask })).json())
    const done = await finished(system, id)
    const seconds = (performance.now() - startedAt) / 1_000
    if (done.state !== 'completed' || done.messages !== messages)
      throw new Error(`the export is ${done.state} with ${done.messages} messages: ${done.error ?? ''}`)
    rates.push(messages / seconds)
    sizeBytes = done.sizeBytes
    say(`${name}: ${seconds.toFixed(1)} s`)
    if (n === runs - 1) say(await checkFile(system, id, messages))
    await system.delete(`/api/v1/exports/${id}`)
  }
  const peaks = system.readPeaks()
  return [
    { name, value: median(rates), unit: 'messages/s', ...(mask ? {} : { atLeast: 100_000 }) },
    { name: `${name}: file`, value: sizeBytes / 1e6, unit: 'MB' },
    { name: `${name}: peak memory, API`, value: peaks.api / 1e6, unit: 'MB' },
    { name: `${name}: peak memory, history`, value: peaks.history / 1e6, unit: 'MB' },
  ]
}

async function finished(system: ApiSystem, id: string): Promise<z.infer<typeof exportView>> {
  for (;;) {
    const view = exportView.parse(await (await system.get(`/api/v1/exports/${id}`)).json())
    if (view.state !== 'waiting' && view.state !== 'active') return view
    await pause(20)
  }
}

/** As Wireshark's programs see it: as many packets as messages, and SIP in the first of them. */
async function checkFile(system: ApiSystem, id: string, messages: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-bench-file-'))
  try {
    const file = join(folder, 'export.pcapng')
    const { body } = await system.get(`/api/v1/exports/${id}/file`)
    if (!body) throw new Error('the file is empty')
    await writeFile(file, body)
    const { stdout } = await execute('capinfos', ['-Mcr', '-T', file])
    const packets = Number(stdout.trim().split('\n').at(-1)?.split('\t')[1])
    if (packets !== messages) throw new Error(`capinfos counts ${packets} packets`)
    const sip = await execute('tshark', [
      '-r',
      file,
      '-c',
      '2000',
      '-Y',
      'sip',
      '-T',
      'fields',
      '-e',
      'sip.Call-ID',
    ])
    const seen = sip.stdout.trim().split('\n').length
    if (seen !== Math.min(2000, messages))
      throw new Error(`tshark sees ${seen} SIP messages in the first 2000`)
    return `capinfos: ${packets} packets; tshark: SIP in all of the first ${seen}`
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
