import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { debootstrapProgram, ensurePrograms, rootPrefix } from '../debian-packages.ts'
import { takeFileLock } from '../file-lock.ts'
import { startProgress } from '../progress.ts'

const run = promisify(execFile)

/** Debian 12 has no Asterisk; this suite has 22. */
const recipe = {
  suite: 'forky',
  variant: 'minbase',
  include: ['asterisk', 'asterisk-core-sounds-en-gsm'],
  // Debian 12's debootstrap has no script of the suite's name; every suite since 2004 shares sid's.
  script: '/usr/share/debootstrap/scripts/sid',
} as const

const recipeId = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 8)

/** Where the built tree is kept: `$XDG_CACHE_HOME` or `~/.cache`, below `sip-capture`. */
export function pbxTreePath(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env['XDG_CACHE_HOME'] ?? ''
  return join(
    cache === '' ? join(homedir(), '.cache') : cache,
    'sip-capture',
    `pbx-${recipe.suite}-${recipeId}`,
  )
}

/**
 * The folder of a Debian tree with a stock Asterisk 22, built by debootstrap when it is not in the cache (about 90 s and
 * 500 MB). Two builders wait for each other; a build that was cut off leaves no half tree under the final name.
 * Throws with a sentence when a program, root or the mirror is missing.
 */
export async function ensurePbxTree(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const tree = pbxTreePath(env)
  if (await exists(asteriskBinary(tree))) return tree
  await mkdir(join(tree, '..'), { recursive: true })
  const lock = await takeFileLock(`${tree}.lock`, {
    waiting: 'another process is building the test PBX; waiting for it',
  })
  try {
    if (!(await exists(asteriskBinary(tree)))) await buildTree(tree, env)
    return tree
  } finally {
    await lock.release()
  }
}

export function asteriskBinary(tree: string): string {
  return join(tree, 'usr/sbin/asterisk')
}

async function buildTree(tree: string, env: NodeJS.ProcessEnv): Promise<void> {
  await ensurePrograms([debootstrapProgram])
  const prefix = await rootPrefix()
  if (prefix === null)
    throw new Error('building the test PBX needs root: run the command once as root or with sudo')
  const mirror = env['PBX_MIRROR'] ?? (await readAptMirror())
  const building = `${tree}.building`
  const runAsRoot = (...args: string[]): Promise<void> => runCommand([...prefix, ...args])
  await runAsRoot('rm', '-rf', building)
  const debootstrap = ['debootstrap', `--variant=${recipe.variant}`, `--include=${recipe.include.join(',')}`]
  const command = [
    ...prefix,
    'env',
    ...(await readAptProxy()),
    ...debootstrap,
    recipe.suite,
    building,
    mirror,
    recipe.script,
  ]
  const progress = startProgress('test PBX (Asterisk 22)')
  try {
    await runCommand(command, (line) => {
      progress.note(line)
    })
    await runAsRoot('rm', '-rf', join(building, 'var/cache/apt/archives'))
    await runAsRoot('mv', '-T', building, tree)
    progress.done(`built in ${tree}`)
  } catch (error) {
    progress.failed('see below')
    throw error
  }
}

function runCommand(command: readonly string[], onLine: (line: string) => void = () => {}): Promise<void> {
  const [file = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    const tail: string[] = []
    const onText = (text: string): void => {
      for (const line of text.split('\n')) {
        if (line === '') continue
        onLine(line.replace(/^I: /, ''))
        tail.push(line)
        if (tail.length > 20) tail.shift()
      }
    }
    child.stdout.setEncoding('utf8').on('data', onText)
    child.stderr.setEncoding('utf8').on('data', onText)
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${command.join(' ')} ended with ${code}:\n${tail.join('\n')}`))
    })
  })
}

/** The mirror this machine's apt reads its own suite from, whatever the format of its source lists. */
export async function readAptMirror(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8')
  const codename = /^VERSION_CODENAME="?([\w-]+)"?$/m.exec(release)?.[1] ?? ''
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)'
  const { stdout } = await run('apt-get', [
    'indextargets',
    '--no-release-info',
    '--format',
    format,
    'Identifier: Packages',
  ])
  const names = new Set([codename, 'stable', 'testing', 'unstable', 'sid', recipe.suite])
  for (const line of stdout.split('\n')) {
    const [uri = '', suite = '', component = ''] = line.split(' ')
    if (component === 'main' && names.has(suite) && /^https?:/.test(uri)) return uri.replace(/\/$/, '')
  }
  throw new Error(
    `apt on this machine names no http(s) mirror for Debian ${codename}; set PBX_MIRROR to a Debian mirror to build the test PBX`,
  )
}

/** apt's own proxies as environment for debootstrap, which reads no apt configuration. */
async function readAptProxy(): Promise<string[]> {
  const { stdout } = await run('apt-config', ['dump', '--format', '%f=%v%n'])
  const found: string[] = []
  for (const scheme of ['http', 'https']) {
    const value = new RegExp(`^Acquire::${scheme}::Proxy=(.+)$`, 'im').exec(stdout)?.[1]
    if (value !== undefined && value !== 'DIRECT') found.push(`${scheme}_proxy=${value}`)
  }
  return found
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
