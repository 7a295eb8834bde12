import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryFolder } from '../repository.ts'

interface Check {
  readonly name: string
  readonly command: readonly string[]
  readonly folder?: string
}

interface CheckResult {
  readonly name: string
  readonly isOk: boolean
  readonly output: string
  readonly seconds: number
}

const bin = (name: string): string => join(repositoryFolder, 'node_modules/.bin', name)

/** One compiler run a package, started from here: a bare machine has no pnpm to run them all. */
async function typeChecks(): Promise<Check[]> {
  const folders = ['infra', 'e2e', 'bench']
  for (const room of ['packages', 'services']) {
    const names = await readdir(join(repositoryFolder, room))
    folders.push(...names.map((name) => join(room, name)))
  }
  const withSources: string[] = []
  for (const folder of folders) if (await hasSources(join(repositoryFolder, folder))) withSources.push(folder)
  return withSources.map((folder) => ({
    name: `types ${folder}`,
    command: [join(repositoryFolder, folder, 'node_modules/.bin/tsc'), '--noEmit'],
    folder,
  }))
}

/** The compiler calls a folder without sources an error. */
async function hasSources(folder: string): Promise<boolean> {
  if (!existsSync(join(folder, 'tsconfig.json'))) return false
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue
    if (/\.tsx?$/.test(entry.name)) return true
    if (entry.isDirectory() && (await hasSourceFile(join(folder, entry.name)))) return true
  }
  return false
}

async function hasSourceFile(folder: string): Promise<boolean> {
  return (await readdir(folder, { recursive: true })).some((name) => /\.tsx?$/.test(name))
}

function runCheck(check: Check): Promise<CheckResult> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const [file = '', ...args] = check.command
    const cwd = join(repositoryFolder, check.folder ?? '.')
    const child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const finish = (isOk: boolean): void => {
      resolve({ name: check.name, isOk, output, seconds: (performance.now() - startedAt) / 1000 })
    }
    const onText = (text: string): void => {
      output += text
    }
    child.stdout.setEncoding('utf8').on('data', onText)
    child.stderr.setEncoding('utf8').on('data', onText)
    child.once('error', (error) => {
      output += error.message
      finish(false)
    })
    child.once('close', (code) => {
      finish(code === 0)
    })
  })
}

const checks: Check[] = [
  { name: 'format', command: [bin('oxfmt'), '--check'] },
  { name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  ...(await typeChecks()),
  { name: 'dead code', command: [bin('knip')] },
]

let failures = 0
for (const check of checks) {
  const { name, isOk, output, seconds } = await runCheck(check)
  if (!isOk) failures += 1
  process.stdout.write(`${isOk ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)\n`)
  if (!isOk) process.stdout.write(`${output.trimEnd()}\n`)
}
process.stdout.write(`check: ${checks.length - failures} ok, ${failures} failed\n`)
process.exitCode = failures === 0 ? 0 : 1
