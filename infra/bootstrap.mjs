// Runs before anything is installed: plain JavaScript, no dependencies, any Node that can parse it.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const commands = readdirSync(join(root, 'infra', 'commands'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length))
const stampFile = join(root, 'node_modules', '.sip-capture-lockfile')

const [command, ...args] = process.argv.slice(2)
if (command === undefined || !commands.includes(command)) {
  fail(`usage: node infra/bootstrap.mjs <${commands.join('|')}> [arguments]`, 64)
}
const nodeFault = checkNode(process.versions.node)
if (nodeFault !== null) fail(nodeFault, 78)
installPackages()
runCommand()

/** null, or the sentence that says which Node is needed. */
function checkNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return null
  return `SIP Capture needs Node 20.19 or newer; this is Node ${version}. Install a current Node and run the command again.`
}

/** Installs the packages when the lockfile is another one than at the last install. */
function installPackages() {
  const lockfile =
    readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8') +
    readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  const isInstalled = existsSync(join(root, 'node_modules', 'tsx', 'package.json'))
  if (isInstalled && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lockfile) return
  const startedAt = Date.now()
  process.stderr.write('Installing packages (once for each version; about a minute) ...\n')
  const pinned = /^pnpm@(\d+)\./.exec(
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager,
  )
  const pnpm = `pnpm@${pinned === null ? 'latest' : pinned[1]}`
  const install = ['install', '--frozen-lockfile', '--reporter=append-only']
  // corepack and version managers would look for the exact version of `packageManager`; any of its major will do.
  const env = {
    ...process.env,
    CI: 'true',
    pnpm_config_pm_on_fail: 'ignore',
    npm_config_update_notifier: 'false',
  }
  const result = spawnSync('npx', ['--yes', pnpm, ...install], { cwd: root, stdio: ['ignore', 2, 2], env })
  if (result.error !== undefined)
    fail(`npx cannot be run (${result.error.message}); npm belongs to Node and is needed`, 78)
  if (result.status !== 0)
    fail('The packages could not be installed; see above. Is the package registry reachable?', 1)
  writeFileSync(stampFile, lockfile)
  process.stderr.write(`Packages installed (${Math.round((Date.now() - startedAt) / 1000)} s).\n`)
}

/** Hands over: signals go to the command, and its exit code is ours. */
function runCommand() {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join('infra', 'commands', `${command}.ts`), ...args],
    {
      cwd: root,
      stdio: 'inherit',
    },
  )
  // In a terminal Ctrl-C reaches the child by itself; a supervisor signals only this process.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.once('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 128
  })
}

function fail(sentence, code) {
  process.stderr.write(`${sentence}\n`)
  process.exit(code)
}
