import { spawn } from 'node:child_process'
import { access, constants, readdir, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { type Progress, startProgress } from './progress.ts'

/** A program we need and the Debian package that brings it. */
export interface NeededProgram {
  readonly program: string
  readonly package: string
  readonly why: string
}

export const redisProgram: NeededProgram = {
  program: 'redis-server',
  package: 'redis-server',
  why: 'the bus between the services (or set REDIS_URL to use your own Redis)',
}
export const tsharkProgram: NeededProgram = {
  program: 'tshark',
  package: 'tshark',
  why: 'capture on the wire (TSHARK_ENABLED=true), with libpcap that comes with it',
}
export const sippProgram: NeededProgram = {
  program: 'sipp',
  package: 'sip-tester',
  why: 'SIP calls for the demo and the tests',
}
export const debootstrapProgram: NeededProgram = {
  program: 'debootstrap',
  package: 'debootstrap',
  why: 'building the test PBX',
}
export const headlessChromiumProgram: NeededProgram = {
  program: 'chromium-headless-shell',
  package: 'chromium-headless-shell',
  why: 'browser tests',
}
export const chromiumProgram: NeededProgram = {
  program: 'chromium',
  package: 'chromium',
  why: 'how fast the page is',
}
export const ipProgram: NeededProgram = {
  program: 'ip',
  package: 'iproute2',
  why: 'network namespaces in the tests',
}
export const nftProgram: NeededProgram = {
  program: 'nft',
  package: 'nftables',
  why: 'a router with NAT in the tests',
}
export const tcpdumpProgram: NeededProgram = {
  program: 'tcpdump',
  package: 'tcpdump',
  why: 'capture on the wire (TSHARK_COMMAND=tcpdump)',
}
export const setcapProgram: NeededProgram = {
  program: 'setcap',
  package: 'libcap2-bin',
  why: 'rights to capture in the tests',
}
export const sngrepProgram: NeededProgram = {
  program: 'sngrep',
  package: 'sngrep',
  why: 'what the benchmark compares with',
}
export const tcpreplayProgram: NeededProgram = {
  program: 'tcpreplay',
  package: 'tcpreplay',
  why: 'the benchmark’s packets on loopback',
}
export const opensslProgram: NeededProgram = {
  program: 'openssl',
  package: 'openssl',
  why: 'certificates in the tests',
}
export const stringsProgram: NeededProgram = {
  program: 'strings',
  package: 'binutils',
  why: 'tests of masked files',
}

export const pythonProgram: NeededProgram = {
  program: 'python3',
  package: 'python3',
  why: 'ClickHouse servers for the tests of a cluster',
}

/** Thrown when a program is missing and cannot be installed here; the message holds the command that would. */
export class MissingPackageError extends Error {
  override readonly name = 'MissingPackageError'
}

const listsStaleAfterMs = 7 * 24 * 3600 * 1000
const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

export async function hasProgram(program: string, path = process.env['PATH'] ?? ''): Promise<boolean> {
  for (const folder of new Set([...path.split(delimiter), ...systemFolders])) {
    if (folder === '') continue
    try {
      await access(join(folder, program), constants.X_OK)
      return true
    } catch {
      // Not in this folder.
    }
  }
  return false
}

/** Installs what is missing with apt-get, as root or through `sudo -n`; says what, or throws with the command to run. */
export async function ensurePrograms(needed: readonly NeededProgram[]): Promise<void> {
  const missing: NeededProgram[] = []
  for (const item of needed) if (!(await hasProgram(item.program))) missing.push(item)
  if (missing.length === 0) return
  const packages = [...new Set(missing.map((item) => item.package))]
  const what = missing.map((item) => `${item.package} (${item.why})`).join(', ')
  const byHand = `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`
  const prefix = (await hasProgram('apt-get')) ? await rootPrefix() : null
  if (prefix === null) throw new MissingPackageError(`Missing: ${what}. Install with: ${byHand}`)
  process.stderr.write(`Missing: ${what}; installing.\n`)
  const progress = startProgress(`apt-get install ${packages.join(' ')}`)
  try {
    if (await areListsStale()) await runApt([...prefix, 'apt-get', 'update'], progress)
    const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...packages]
    await runApt([...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...install], progress)
    progress.done()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    progress.failed(reason)
    throw new MissingPackageError(`Could not install ${packages.join(', ')}: ${reason}\nTry: ${byHand}`, {
      cause: error,
    })
  }
}

/** What to put before a command that needs root: nothing as root, `sudo -n` where that works, null where neither. */
export async function rootPrefix(): Promise<readonly string[] | null> {
  if (process.getuid?.() === 0) return []
  if (!(await hasProgram('sudo'))) return null
  const code = await new Promise<number>((resolve) => {
    const child = spawn('sudo', ['-n', 'true'], { stdio: 'ignore' })
    child.once('error', () => {
      resolve(1)
    })
    child.once('close', (exitCode) => {
      resolve(exitCode ?? 1)
    })
  })
  return code === 0 ? ['sudo', '-n'] : null
}

async function areListsStale(): Promise<boolean> {
  const folder = '/var/lib/apt/lists'
  try {
    const names = (await readdir(folder)).filter(
      (name) => name.endsWith('InRelease') || name.endsWith('_Packages') || name.endsWith('.lz4'),
    )
    if (names.length === 0) return true
    const times = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mtimeMs))
    // apt leaves a list's own time on the file, so the folder's time says when `update` last changed something.
    const newest = Math.max((await stat(folder)).mtimeMs, ...times)
    return Date.now() - newest > listsStaleAfterMs
  } catch {
    return true
  }
}

function runApt(command: readonly string[], progress: Progress): Promise<void> {
  const [file = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const tail: string[] = []
    const onText = (text: string): void => {
      for (const line of text.split('\n')) {
        if (line.trim() === '') continue
        progress.note(line.trim())
        tail.push(line)
        if (tail.length > 15) tail.shift()
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
