import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { json } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { importView, type ImportView } from '@sip-capture/contract/rest/import.ts'
import { hasProgram } from '@sip-capture/infra/debian-packages.ts'
import { z } from 'zod'
import { median, type Figure } from './figures.ts'
import type { RunRow } from './row.ts'
import { startApi, type ApiSystem } from './system.ts'
import { writeCaptureFile } from './traffic-loop.ts'

const execute = promisify(execFile)
const targetMessages = 1_000_000
const uploadedAtOnce = 1024 * 1024

/** Upload to searchable; and how long others need to read the same file. */
export const run: RunRow = async ({ pick, folder, say }) => {
  const messages = pick(30_000, targetMessages, targetMessages)
  const runs = pick(1, 2, 3)
  const file = join(folder, 'import.pcap')
  const { sizeBytes, callId } = await writeCaptureFile(file, {
    messages,
    startMicros: Date.now() * 1_000 - 3_600_000_000,
    stepMicros: 3_000,
  })
  const api = await startApi(join(folder, 'data'))
  const seconds: number[] = []
  let peaks = api.readPeaks()
  try {
    for (let n = 0; n < runs; n++) {
      api.resetPeaks()
      seconds.push(await importFile(api, file, messages, callId))
      peaks = api.readPeaks()
      say(`imported in ${seconds.at(-1)?.toFixed(1)} s`)
    }
  } finally {
    await api.stop()
  }
  const took = median(seconds)
  const size = messages.toLocaleString('en-US')
  const isTarget = messages === targetMessages
  const whole = peaks.api + peaks.history
  const figures: Figure[] = [
    {
      name: `import: ${size} packets (${Math.round(sizeBytes / 1e6)} MB) until searchable`,
      value: took,
      unit: 's',
      ...(isTarget ? { atMost: 10 } : { atMost: (10 * messages) / targetMessages, note: 'target by size' }),
    },
    { name: 'import: peak memory, API', value: peaks.api / 1e6, unit: 'MB' },
    { name: 'import: peak memory, API and history', value: whole / 1e6, unit: 'MB', atMost: 400 },
  ]
  const theirs = (await hasProgram('sngrep')) ? await readBySngrep(file, messages) : Number.NaN
  const filtered = await readByTshark(file, callId)
  return [
    ...figures,
    {
      name: 'import: sngrep reads the same file',
      value: theirs,
      unit: 's',
      ...(Number.isNaN(theirs) ? { note: 'not installed' } : {}),
    },
    { name: 'import: × faster than sngrep', value: theirs / took, unit: '×', atLeast: 4 },
    { name: 'import: tshark -Y finds one call in the same file', value: filtered, unit: 's' },
  ]
}

async function importFile(api: ApiSystem, file: string, messages: number, callId: string): Promise<number> {
  const startedAt = performance.now()
  const { id } = z.object({ id: z.string() }).parse(await upload(`${api.origin}/api/v1/imports`, file))
  let view: ImportView
  do {
    await pause(20)
    view = importView.parse(await (await api.get(`/api/v1/imports/${id}`)).json())
  } while (view.state === 'waiting' || view.state === 'active')
  const found = await (await api.get(`/api/v1/messages?capture=${id}&callId=${callId}`)).text()
  const seconds = (performance.now() - startedAt) / 1_000
  if (view.state !== 'completed' || view.messages !== messages || !found.includes(callId))
    throw new Error(`the import is ${view.state} with ${view.messages} messages: ${view.error ?? ''}`)
  return seconds
}

/** As a form, as browsers and curl do it; `fetch` of Node takes three times as long for that, on the processors that are measured. */
async function upload(url: string, file: string): Promise<unknown> {
  const boundary = 'bench-import'
  const head =
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="bench.pcap"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n'
  const tail = `\r\n--${boundary}--\r\n`
  const { size } = await stat(file)
  const posted = request(url, {
    method: 'POST',
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': head.length + size + tail.length,
    },
  })
  const answered = new Promise<unknown>((resolve, reject) => {
    posted.on('response', (answer) => resolve(json(answer)))
    posted.on('error', reject)
  })
  async function* form(): AsyncGenerator<Buffer> {
    yield Buffer.from(head)
    yield* createReadStream(file, { highWaterMark: uploadedAtOnce })
    yield Buffer.from(tail)
  }
  await pipeline(form, posted)
  return await answered
}

/** Without its screen; every dialog kept (by default it stops at 20,000 of them). */
async function readBySngrep(file: string, messages: number): Promise<number> {
  const startedAt = performance.now()
  await execute('sngrep', ['-N', '-q', '-l', String(messages), '-I', file], { timeout: 300_000 })
  return (performance.now() - startedAt) / 1_000
}

async function readByTshark(file: string, callId: string): Promise<number> {
  const startedAt = performance.now()
  const { stdout } = await execute('tshark', ['-r', file, '-n', '-Y', `sip.Call-ID == "${callId}"`])
  if (stdout.trim() === '') throw new Error('tshark -Y found nothing')
  return (performance.now() - startedAt) / 1_000
}
