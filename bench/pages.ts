import { setTimeout as pause } from 'node:timers/promises'
import { percentile } from './figures.ts'
import { feedBus, RecordLoop } from './bus-feed.ts'
import { openLiveClient } from './live-client.ts'
import { cpuDuring } from './processes.ts'
import type { RunRow } from './row.ts'
import { startApi } from './system.ts'

const pages = 200
const perSecond = 2_000

/** What people look for: a method, a class of answers, a trunk, a part of a number, words in the message, and mixtures. */
function filterOf(n: number): Record<string, unknown> {
  const methods = ['INVITE', 'ACK', 'BYE']
  const method = methods[n % methods.length] ?? ''
  const trunk = `198.51.100.${20 + (n % 40)}`
  const digits = String(100 + n)
  const filters: Record<string, unknown>[] = [
    { method: [method], address: [trunk] },
    { status: [['4xx', '180', '200'][n % 3] ?? ''] },
    { address: [trunk] },
    { number: [digits] },
    { text: [`nonce="${(n % 16).toString(16)}`] },
    { q: `(method:${method} or code:4xx) and src:${trunk}` },
    { q: `from:*${digits}* or to:*${digits}*` },
    { q: `not method:${method} ua:FPBX` },
  ]
  return filters[Math.floor(n / 25)] ?? {}
}

/** Waits until a second has brought nothing more; late rows are late, not missing. */
async function settled(count: () => number): Promise<void> {
  for (let before = -1; before !== count();) {
    before = count()
    await pause(1_000)
  }
}

export const run: RunRow = async ({ pick, folder, say }) => {
  const seconds = pick(3, 30, 60)
  const api = await startApi(folder)
  const ages: number[] = []
  const noteAges = (text: string, atMillis: number): void => {
    for (const [, second = '', micros] of text.matchAll(/"at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z"/g))
      ages.push(atMillis - Date.parse(`${second}Z`) - Number(micros) / 1_000)
  }
  const clients = await Promise.all(
    Array.from({ length: pages }, (_, n) => openLiveClient(api.origin, filterOf(n), noteAges)),
  )
  try {
    const records = new RecordLoop(26_000)
    await feedBus(api.bus, records, { perSecond, seconds: pick(2, 5, 10) })
    await settled(() => ages.length)
    ages.length = 0
    const used = await cpuDuring(api.service, () => feedBus(api.bus, records, { perSecond, seconds }))
    await settled(() => ages.length)
    const silent = clients.filter(({ rows }) => rows === 0).length
    say(`${ages.length} rows to ${pages} pages, ${silent} of which match nothing`)
    return [
      { name: 'pages: 200 pages, 2,000 messages/s, p50', value: percentile(ages, 0.5), unit: 'ms' },
      {
        name: 'pages: 200 pages, 2,000 messages/s, p99',
        value: percentile(ages, 0.99),
        unit: 'ms',
        atMost: 250,
      },
      { name: 'pages: CPU of the API', value: used.own / used.seconds, unit: 'cores', atMost: 1 },
      { name: 'pages: CPU of history', value: used.below / used.seconds, unit: 'cores' },
      {
        name: 'pages: rows left out',
        value: clients.reduce((sum, { missed }) => sum + missed, 0),
        unit: 'rows',
        atMost: 0,
      },
      { name: 'pages: rows sent a second', value: ages.length / seconds, unit: 'rows/s' },
    ]
  } finally {
    for (const client of clients) client.close()
    await api.stop()
  }
}
