import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { appendFile, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { asteriskBinary, ensurePbxTree } from './build.ts'
import { libraryTriplet, pbxAddress, pbxConfigFiles, phoneAddress, trunkAddress } from './pbx-config.ts'

const run = promisify(execFile)

export interface TestPbxOptions {
  /** Where Asterisk sends HEP; without it HEP is off, as on a stock Asterisk. */
  readonly hep?: { readonly host: string; readonly port: number; readonly password?: string }
  /** Text put at the end of a configuration file, by file name; a file that is not there is made. */
  readonly extraConf?: Readonly<Record<string, string>>
}

/** A real Asterisk of its own: own ports, configuration, database and log; gone when this process is gone. */
export interface TestPbx {
  readonly address: string
  readonly sipPort: number
  readonly amiPort: number
  readonly amiUsername: string
  readonly amiSecret: string
  /** Calls from this address are the endpoint `phone`. */
  readonly phoneAddress: string
  /** The endpoint `trunk` is dialled at, and identified by, this address. */
  readonly trunkAddress: string
  readonly trunkPort: number
  readonly configFolder: string
  readonly logFolder: string
  readonly pid: number
  /** Runs one CLI command and gives what it printed. */
  cli(command: string): Promise<string>
  kill(signal: NodeJS.Signals): void
  /** Ends Asterisk, if it still runs, and starts it with the same configuration and ports. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const readyWithinMs = 180_000
const stopWithinMs = 8000

/** Builds the PBX when it is not in the cache, starts it and waits until it is fully booted. */
export async function startTestPbx(options: TestPbxOptions = {}): Promise<TestPbx> {
  const tree = await ensurePbxTree()
  const home = await mkdtemp(join(tmpdir(), 'sip-capture-pbx-'))
  const settings = {
    tree,
    home,
    amiPort: await findFreePort(pbxAddress),
    amiUsername: 'sip-capture',
    amiSecret: randomBytes(12).toString('hex'),
    sipPort: await findFreePort(pbxAddress),
    trunkPort: await findFreePort(trunkAddress),
    // Below the ports that `findFreePort` gives.
    rtpStart: randomInt(5000, 9_200) * 2,
    ...(options.hep === undefined ? {} : { hep: options.hep }),
  }
  const configFolder = join(home, 'etc')
  await prepareHome(home, tree)
  for (const [name, text] of Object.entries(pbxConfigFiles(settings)))
    await writeFile(join(configFolder, name), text)
  for (const [name, text] of Object.entries(options.extraConf ?? {}))
    await appendFile(join(configFolder, name), `\n${text}\n`)

  const command = asteriskCommand(tree, configFolder)
  const cli = async (text: string): Promise<string> => {
    const [file, ...args] = [...command, '-rx', text]
    const { stdout } = await run(file, args, { maxBuffer: 64 * 1024 * 1024, timeout: 60_000 })
    return stdout
  }
  let child: ChildProcess | null = null
  const start = async (): Promise<void> => {
    child = spawnAsterisk(command)
    try {
      await waitUntilBooted(child, cli)
    } catch (error) {
      const log = await readFile(join(home, 'log/messages.log'), 'utf8').catch(() => '')
      await endProcess(child)
      throw new Error(`the test PBX did not start; its log ends with:\n${log.slice(-2000)}`, { cause: error })
    }
  }
  const end = async (): Promise<void> => {
    if (child !== null) await endProcess(child)
  }
  try {
    await start()
  } catch (error) {
    await rm(home, { recursive: true, force: true })
    throw error
  }
  return {
    address: pbxAddress,
    sipPort: settings.sipPort,
    amiPort: settings.amiPort,
    amiUsername: settings.amiUsername,
    amiSecret: settings.amiSecret,
    phoneAddress,
    trunkAddress,
    trunkPort: settings.trunkPort,
    configFolder,
    logFolder: join(home, 'log'),
    get pid() {
      return child?.pid ?? -1
    },
    cli,
    kill(signal) {
      child?.kill(signal)
    },
    async restart() {
      await end()
      await start()
    },
    async stop() {
      await end()
      await rm(home, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/**
 * Debian's Asterisk runs from its tree without chroot, mounts or root: its own loader finds its own libraries, and
 * asterisk.conf names every folder it writes to.
 */
function asteriskCommand(tree: string, configFolder: string): string[] {
  const library = join(tree, 'usr/lib', libraryTriplet())
  const loader = process.arch === 'arm64' ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2'
  const config = join(configFolder, 'asterisk.conf')
  return [join(library, loader), '--library-path', library, asteriskBinary(tree), '-C', config]
}

function spawnAsterisk(command: readonly string[]): ChildProcess {
  // Root without capabilities is root in name only, and the kernel ends Asterisk when this process ends.
  const drop = process.getuid?.() === 0 ? ['--bounding-set=-all', '--inh-caps=-all'] : []
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--no-new-privs', ...drop, ...command, '-f'], {
    stdio: 'ignore',
  })
}

async function waitUntilBooted(
  child: ChildProcess,
  cli: (command: string) => Promise<string>,
): Promise<void> {
  const deadline = Date.now() + readyWithinMs
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`Asterisk ended with ${child.exitCode ?? child.signalCode}`)
    }
    const answer = await cli('core waitfullybooted').catch(() => '')
    if (answer.includes('fully booted')) return
    if (Date.now() > deadline)
      throw new Error(`Asterisk was not fully booted after ${readyWithinMs / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve()
    })
  })
  child.kill('SIGTERM')
  // A stopped process takes no SIGTERM.
  child.kill('SIGCONT')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
  await gone
  clearTimeout(timer)
}

async function prepareHome(home: string, tree: string): Promise<void> {
  await cp(join(tree, 'etc/asterisk'), join(home, 'etc'), { recursive: true, filter: isPlainConfig })
  for (const folder of [
    'cache',
    'lib',
    'run',
    'log',
    'spool',
    'log/cdr-csv',
    'log/cdr-custom',
    'spool/voicemail',
  ]) {
    await mkdir(join(home, folder), { recursive: true })
  }
  for (const name of await readdir(join(tree, 'var/lib/asterisk'))) {
    await cp(join(tree, 'var/lib/asterisk', name), join(home, 'lib', name), {
      recursive: true,
      dereference: false,
    })
  }
}

/** manager.d would add AMI users of other packages. */
function isPlainConfig(source: string): boolean {
  return !source.endsWith('/manager.d')
}
