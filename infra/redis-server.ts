import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createManagedProcess, type ManagedProcess } from './managed-process.ts'

export interface OwnRedis {
  /** A socket path: what `REDIS_URL` takes. */
  readonly url: string
  readonly process: ManagedProcess
  stop(): Promise<void>
}

/** The kernel's limit for the path of a socket is 107 bytes. */
const longestSocketPath = 100

/**
 * A Redis of our own below the data folder. It listens on a socket that only this user can open, so it needs no port and
 * no password; it appends every write to disk; at its memory ceiling it refuses writes instead of dropping unread entries.
 */
export async function createOwnRedis(options: {
  dataDir: string
  env: Readonly<Record<string, string>>
  maxMemory?: string
  onLine: (line: string) => void
  onUnexpectedExit?: (how: string, pauseMs: number | null) => void
}): Promise<OwnRedis> {
  const folder = resolve(options.dataDir, 'redis')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  let socket = join(folder, 'redis.sock')
  let socketFolder: string | null = null
  if (socket.length > longestSocketPath) {
    socketFolder = await mkdtemp(join(tmpdir(), 'sip-capture-redis-'))
    socket = join(socketFolder, 'redis.sock')
  }
  const settings = {
    port: '0',
    unixsocket: socket,
    unixsocketperm: '700',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    maxmemory: options.maxMemory ?? '1gb',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    loglevel: 'notice',
    save: '',
  }
  const managed = createManagedProcess({
    name: 'redis',
    command: ['redis-server', ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])],
    cwd: folder,
    env: options.env,
    onLine: options.onLine,
    ...(options.onUnexpectedExit === undefined ? {} : { onUnexpectedExit: options.onUnexpectedExit }),
  })
  return {
    url: socket,
    process: managed,
    async stop() {
      await managed.stop(3000)
      if (socketFolder !== null) await rm(socketFolder, { recursive: true, force: true })
    },
  }
}
