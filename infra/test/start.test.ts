import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { childrenOf, isAlive } from '@sip-capture/testing/process-state.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { repositoryFolder } from '../repository.ts'

type Tap = Pick<typeof t, 'teardown'>

interface Start {
  readonly child: ChildProcess
  readonly lines: string[]
  /** Resolves with the first line that matches; rejects when the command ends before. */
  line(pattern: RegExp): Promise<string>
  readonly exit: Promise<number | null>
}

async function makeDataDir(t: Tap): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-start-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function start(t: Tap, settings: Record<string, string>): Promise<Start> {
  const ports = { UI_PORT: String(await findFreePort()), API_PORT: String(await findFreePort()) }
  const hep = { HEP_LISTEN: `127.0.0.1:${await findFreePort()}` }
  const child = spawn(process.execPath, ['--import', 'tsx', 'infra/commands/start.ts'], {
    cwd: repositoryFolder,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...ports, ...hep, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const onLine = (line: string): void => {
    lines.push(line)
    for (const check of waiting) check()
  }
  createInterface({ input: child.stdout }).on('line', onLine)
  createInterface({ input: child.stderr }).on('line', onLine)
  const exit = once(child, 'close').then(([code]: unknown[]) => (typeof code === 'number' ? code : null))
  return {
    child,
    lines,
    exit,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = lines.find((line) => pattern.test(line))
          if (found === undefined) return
          waiting.delete(check)
          resolve(found)
        }
        waiting.add(check)
        check()
        child.once('close', (code) => {
          reject(new Error(`ended with ${code} before ${pattern}:\n${lines.join('\n')}`))
        })
      }),
  }
}

/** All processes below this one, whatever their group. */
const descendants = (pid: number): number[] =>
  childrenOf(pid).flatMap((child) => [child, ...descendants(child)])

t.test('start serves the page, refuses a second one on its data, and leaves nothing behind', async (t) => {
  const dataDir = await makeDataDir(t)
  const first = await start(t, { DATA_DIR: dataDir })
  const ready = await first.line(/is ready: /)
  const url = ready.slice(ready.indexOf('http'))
  t.equal((await fetch(url)).status, 200)
  const sources = await fetch(new URL('/api/v1/sources', url))
  t.equal(sources.status, 200, 'the page reaches the API through its own address')
  t.match(await first.line(/listens to nothing yet/), 'AMI_HOST')

  const second = await start(t, { DATA_DIR: dataDir })
  t.equal(await second.exit, 78)
  t.same(second.lines, [
    `DATA_DIR: ${dataDir} is in use by another SIP Capture that runs; stop it or set another DATA_DIR`,
  ])

  const below = descendants(first.child.pid ?? 0)
  t.ok(below.length >= 5, 'Redis and four services')
  first.child.kill('SIGTERM')
  t.equal(await first.exit, 0)
  // The last of them may still be about to end by the signal that they got.
  while (below.some(isAlive)) await pause(50)
  t.same(below.filter(isAlive), [])
  t.match(first.lines.at(-1), /stopped$/)
})

t.test('killed outright, start takes everything it started with it', async (t) => {
  const started = await start(t, { DATA_DIR: await makeDataDir(t) })
  await started.line(/is ready: /)
  const below = descendants(started.child.pid ?? 0)
  started.child.kill('SIGKILL')
  await started.exit
  // Each gets SIGTERM from the kernel and ends in its own time; a hang is ended by the test's time limit.
  while (below.some(isAlive)) await pause(50)
  t.ok(below.length >= 5)
})

t.test("a wrong setting of a service ends start with the service's sentence and code 78", async (t) => {
  const started = await start(t, { DATA_DIR: await makeDataDir(t), AMI_TAP: 'sideways' })
  t.equal(await started.exit, 78)
  t.match(started.lines.join('\n'), /ami-bridge: AMI_TAP: /)
  t.notMatch(started.lines.join('\n'), /^ +at /m, 'no stack')
})

t.test('a DATA_DIR that cannot be made is named', async (t) => {
  const file = join(await makeDataDir(t), 'file')
  await writeFile(file, '')
  const started = await start(t, { DATA_DIR: `${file}/data` })
  t.equal(await started.exit, 78)
  t.match(started.lines, [/^DATA_DIR: .*\/file\/data cannot be made \(.*ENOTDIR/])
})
