import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import {
  chromiumProgram,
  ensurePrograms,
  ipProgram,
  nftProgram,
  opensslProgram,
  redisProgram,
  sippProgram,
  stringsProgram,
  tsharkProgram,
} from '../debian-packages.ts'
import { repositoryFolder } from '../repository.ts'
import { exitWithSentence } from '../run-stack.ts'
import { createTapSummary } from '../tap-summary.ts'
import { ensurePbxTree } from '../test-pbx/build.ts'
import { ensureUiBuilt } from '../ui-build.ts'

/** Arguments are passed on to tap: test files, or `--grep=…`. */
async function test(): Promise<void> {
  await ensurePrograms([
    redisProgram,
    tsharkProgram,
    sippProgram,
    chromiumProgram,
    ipProgram,
    nftProgram,
    opensslProgram,
    stringsProgram,
  ])
  await ensurePbxTree()
  await ensureUiBuilt()
  const startedAt = performance.now()
  const summary = createTapSummary()
  const exitCode = await runTap(process.argv.slice(2), (line) => {
    for (const shown of summary.push(line)) process.stdout.write(`${shown}\n`)
  })
  const { passed, failed, skipped } = summary
  process.stdout.write(`\n${Math.round((performance.now() - startedAt) / 1000)} s\n`)
  if (skipped > 0) process.stdout.write(`${skipped} skipped: this project skips no tests\n`)
  if (passed + failed === 0) process.stdout.write('no test ran\n')
  // tap may fail where no assertion did, and a run without a test is no success.
  const isBad = failed > 0 || skipped > 0 || passed === 0 || exitCode !== 0
  process.stdout.write(`${passed} passed, ${isBad && failed === 0 ? 1 : failed} failed\n`)
  process.exitCode = isBad ? 1 : 0
}

function runTap(args: readonly string[], onLine: (line: string) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const tap = join(repositoryFolder, 'node_modules/.bin/tap')
    const child = spawn(tap, ['--reporter=tap', ...args], {
      cwd: repositoryFolder,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal))
    createInterface({ input: child.stdout }).on('line', onLine)
    child.once('error', reject)
    child.once('close', (code) => {
      resolve(code ?? 1)
    })
  })
}

try {
  await test()
} catch (error) {
  process.stdout.write('0 passed, 1 failed\n')
  exitWithSentence(error)
}
