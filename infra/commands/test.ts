import { execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { ensurePageBuilt } from '../build/page.ts'
import { ensureServicesBuilt } from '../build/services.ts'
import {
  ensurePrograms,
  headlessChromiumProgram,
  ipProgram,
  nftProgram,
  opensslProgram,
  pythonProgram,
  redisProgram,
  setcapProgram,
  sippProgram,
  stringsProgram,
  tcpdumpProgram,
  tsharkProgram,
} from '../debian-packages.ts'
import { repositoryFolder } from '../repository.ts'
import { exitWithSentence } from '../run-stack.ts'
import { createTapSummary, type TapSummary } from '../tap-summary.ts'
import { ensurePbxTree } from '../test-pbx/build.ts'

const execute = promisify(execFile)

/**
 * Whole systems whose calls take the time that calls take: one at a time, and hardly ever busy. All others go on beside
 * them.
 */
const inRealTime = ['e2e/test/**/*.test.ts', 'services/ami-bridge/test/**/*.test.ts']
const runs: readonly (readonly string[])[] = [
  ['--jobs=1', ...inRealTime.map((files) => `--include=${files}`)],
  inRealTime.map((files) => `--exclude=${files}`),
]

/** Arguments are passed on to tap: test files, or `--grep=…`. */
async function test(): Promise<void> {
  await ensurePrograms([
    redisProgram,
    tsharkProgram,
    tcpdumpProgram,
    sippProgram,
    headlessChromiumProgram,
    ipProgram,
    nftProgram,
    opensslProgram,
    setcapProgram,
    stringsProgram,
    pythonProgram,
  ])
  await ensurePbxTree()
  await ensureServicesBuilt()
  await ensurePageBuilt()
  const startedAt = performance.now()
  const args = process.argv.slice(2)
  // tap makes its own `Test` class of the plugins of .taprc when it first runs; two at once would make it at once.
  if (args.length === 0) await buildTap()
  const results = await Promise.all((args.length > 0 ? [args] : runs).map(runTap))
  const sum = (count: (result: TapResult) => number) =>
    results.reduce((total, result) => total + count(result), 0)
  const passed = sum(({ summary }) => summary.passed)
  const failed = sum(({ summary }) => summary.failed)
  const skipped = sum(({ summary }) => summary.skipped)
  const exitCode = Math.max(...results.map((result) => result.exitCode))
  process.stdout.write(`\n${Math.round((performance.now() - startedAt) / 1000)} s\n`)
  if (skipped > 0) process.stdout.write(`${skipped} skipped: this project skips no tests\n`)
  if (passed + failed === 0) process.stdout.write('no test ran\n')
  // tap may fail where no assertion did, and a run without a test is no success.
  const isBad = failed > 0 || skipped > 0 || passed === 0 || exitCode !== 0
  process.stdout.write(`${passed} passed, ${isBad && failed === 0 ? 1 : failed} failed\n`)
  process.exitCode = isBad ? 1 : 0
}

interface TapResult {
  readonly summary: TapSummary
  readonly exitCode: number
}

const tap = join(repositoryFolder, 'node_modules/.bin/tap')

async function buildTap(): Promise<void> {
  await execute(tap, ['build'], { cwd: repositoryFolder })
}

function runTap(args: readonly string[]): Promise<TapResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(tap, ['--reporter=tap', ...args], {
      cwd: repositoryFolder,
      env: { ...process.env, TEST_BUILT: 'true' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal))
    const summary = createTapSummary()
    createInterface({ input: child.stdout }).on('line', (line) => {
      for (const shown of summary.push(line)) process.stdout.write(`${shown}\n`)
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ summary, exitCode: code ?? 1 }))
  })
}

try {
  await test()
} catch (error) {
  process.stdout.write('0 passed, 1 failed\n')
  exitWithSentence(error)
}
