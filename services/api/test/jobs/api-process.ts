import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, statSync, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { ensureServicesBuilt } from '@sip-capture/infra/build/services.ts'
import { serviceCommand, serviceFolder } from '@sip-capture/infra/service-command.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { keys, publish, startRedis, until, type RedisUnderTest, type Test } from '../api-under-test.ts'
import { untilFinished, type Answer } from './job-client.ts'

const shiftedClock = fileURLToPath(new URL('./shifted-clock.ts', import.meta.url))

/** A command with a small disk of its own in `folder`; the kernel takes it away with the last process on it. */
function onDisk(folder: string, size: string): [string, ...string[]] {
  const rights = process.getuid?.() === 0 ? '-m' : '-rm'
  return ['unshare', rights, 'sh', '-c', `mount -t tmpfs -o size=${size} tmpfs "$0" && exec "$@"`, folder]
}

/** The API as a supervisor runs it: a process that can be killed and started again on the same Redis and folder. */
export interface ApiProcess {
  readonly redis: RedisUnderTest
  /** DATA_DIR, unless that is on a disk of its own: then the disk is `disk` below it, seen from the process. */
  readonly folder: string
  readonly pid: number
  /** All that it logged since its last start. */
  readonly log: string
  /** Resolves when it listens and history answers. `shiftMillis`: how far its clock is off. */
  start(options?: { shiftMillis?: number; env?: Record<string, string> }): Promise<void>
  /** SIGKILL; its history process then ends by itself. */
  kill(): Promise<void>
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>
  readonly call: (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) => Promise<Answer>
  upload(name: string, content: Uint8Array<ArrayBuffer>): Promise<Answer>
  historyPid(): Promise<number>
  /** Puts records on the bus and waits until history has them. */
  store(records: readonly SipRecord[]): Promise<void>
}

async function toAnswer(response: Response): Promise<Answer> {
  const raw = Buffer.from(await response.arrayBuffer())
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
  return {
    status: response.status,
    raw,
    body: isJson && raw.length > 0 ? JSON.parse(raw.toString()) : undefined,
    headers: Object.fromEntries(response.headers),
  }
}

export async function createApiProcess(
  t: Test,
  options: { disk?: { setting: 'EXPORT_DIR' | 'DATA_DIR'; size: string } } = {},
): Promise<ApiProcess> {
  const { disk } = options
  const redis = await startRedis(t)
  const folder = t.testdir()
  if (disk) mkdirSync(path.join(folder, 'disk'))
  await ensureServicesBuilt()
  const port = await findFreePort()
  const base = `http://127.0.0.1:${port}/api/v1`
  let child: ChildProcess | undefined
  let log = ''

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    const running = child
    if (!running || running.exitCode !== null || running.signalCode !== null) return running?.exitCode ?? null
    const ended = once(running, 'exit')
    running.kill(signal)
    await ended
    return running.exitCode
  }

  t.teardown(async () => {
    await end('SIGTERM')
  })
  return {
    redis,
    folder,
    get pid() {
      return child?.pid ?? 0
    },
    get log() {
      return log
    },
    async start({ shiftMillis = 0, env = {} } = {}) {
      log = ''
      const clock = shiftMillis === 0 ? [] : ['--import', 'tsx', '--import', shiftedClock]
      const service = serviceCommand('api', clock)
      const [command, ...args] = disk
        ? ([...onDisk(path.join(folder, 'disk'), disk.size), ...service] as const)
        : service
      const running = spawn(command, args, {
        cwd: serviceFolder('api'),
        env: {
          PATH: process.env['PATH'],
          LOG_LEVEL: 'info',
          API_PORT: String(port),
          DATA_DIR: folder,
          REDIS_URL: redis.url,
          CLOCK_SHIFT_MILLIS: String(shiftMillis),
          ...(disk ? { [disk.setting]: path.join(folder, 'disk') } : {}),
          ...env,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      child = running
      running.stdout.on('data', (text: Buffer) => (log += text.toString()))
      await until(
        async () => {
          if (running.exitCode !== null)
            throw new Error(
              `the API ended with ${running.exitCode}${disk ? ' (its own disk wants the right to mount a tmpfs)' : ''}: ${log}`,
            )
          return (await fetch(`${base}/messages?limit=1`).catch(() => undefined))?.status
        },
        (status) => status === 200,
      )
    },
    async kill() {
      await end('SIGKILL')
    },
    stop: () => end('SIGTERM'),
    async call(method, url, payload) {
      return await toAnswer(
        await fetch(`${base}${url}`, {
          method,
          ...(payload
            ? { body: JSON.stringify(payload), headers: { 'content-type': 'application/json' } }
            : {}),
        }),
      )
    },
    async upload(name, content) {
      const body = new FormData()
      body.append('file', new Blob([content]), name)
      return await toAnswer(await fetch(`${base}/imports`, { method: 'POST', body }))
    },
    async store(records) {
      await publish(redis.client, keys.capture, records)
      const last = records.at(-1)
      await until(
        async () => (await fetch(`${base}/messages/${last?.id}`)).status,
        (status) => status === 200,
      )
    },
    async historyPid() {
      const pid = child?.pid ?? 0
      const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
      for (const one of children.trim().split(' '))
        if (historyProgram.test(await readFile(`/proc/${one}/cmdline`, 'utf8'))) return Number(one)
      throw new Error('there is no history process')
    },
  }
}

/** From the source, or bundled. */
const historyProgram = /\/(history\/worker\.ts|build\/worker\.js)/

type Ask = (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) => Promise<Answer>

/** Orders exports and stops (SIGSTOP) the history process in the first step of one: its part file is there and still empty.
 *  Where that was missed, because another had the processor, the exports are deleted and ordered again. The orders' ids. */
export async function orderHeldExports(
  orders: readonly object[],
  { ask, exportDir, historyPid }: { ask: Ask; exportDir: string; historyPid: number },
): Promise<string[]> {
  mkdirSync(exportDir, { recursive: true })
  for (;;) {
    const watcher = watch(exportDir)
    const seen = new Promise<void>((resolve) => {
      watcher.on('change', (_event, name) => {
        if (!String(name).endsWith('.part')) return
        process.kill(historyPid, 'SIGSTOP')
        resolve()
      })
    })
    const ids: string[] = []
    for (const order of orders) ids.push((await ask('POST', '/exports', order)).body.id)
    await seen
    watcher.close()
    await untilStopped(historyPid)
    if (hasEmptyPart(exportDir)) return ids
    process.kill(historyPid, 'SIGCONT')
    for (const id of ids) {
      await untilFinished(() => ask('GET', `/exports/${id}`))
      await ask('DELETE', `/exports/${id}`)
    }
  }
}

/** Uploads a file and stops (SIGSTOP) the history process when some of its rows are stored and others are not. The import's id. */
export async function uploadHeld(
  upload: () => Promise<Answer>,
  { ask, historyPid }: { ask: Ask; historyPid: number },
): Promise<string> {
  for (;;) {
    const { id } = (await upload()).body
    const view = () => ask('GET', `/imports/${id}`)
    await until(view, ({ body }) => body.messages > 0)
    process.kill(historyPid, 'SIGSTOP')
    await untilStopped(historyPid)
    // An answer that was on its way is taken by the API before it is asked a second time.
    await view()
    if ((await view()).body.state === 'active') return id
    process.kill(historyPid, 'SIGCONT')
    await untilFinished(view)
    await ask('DELETE', `/imports/${id}`)
  }
}

async function untilStopped(pid: number): Promise<void> {
  await until(
    () => readFile(`/proc/${pid}/stat`, 'utf8'),
    (stat) => stat.charAt(stat.lastIndexOf(')') + 2) === 'T',
  )
}

function hasEmptyPart(folder: string): boolean {
  return readdirSync(folder).some(
    (name) =>
      name.endsWith('.part') && statSync(path.join(folder, name), { throwIfNoEntry: false })?.size === 0,
  )
}

export const exportsOf = (folder: string): string => path.join(folder, 'exports')
