import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { decodeBatch } from '@sip-capture/contract/codec.ts'
import { sourceStatus } from '@sip-capture/contract/bus/source-status.ts'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { createLogger } from '@sip-capture/service/logger.ts'
import { createRedis } from '@sip-capture/service/redis.ts'
import { ensurePageBuilt } from './build/page.ts'
import { ensureServicesBuilt } from './build/services.ts'
import { type FileLock, tryFileLock } from './file-lock.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { createManagedProcess, type ManagedProcess } from './managed-process.ts'
import { createOwnRedis, type OwnRedis } from './redis-server.ts'
import { serviceCommand, serviceFolder, serviceNames, type ServiceName } from './service-command.ts'

export interface StackOptions {
  /** Settings of all services by their names (design.md section 9). Nothing else of this process's environment is passed
   *  on but PATH, HOME, TMPDIR, TZ and LANG. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Holds Redis's append-only file and the history. Used by one stack at a time. */
  readonly dataDir: string
  /** All four when left out. */
  readonly services?: readonly ServiceName[]
  /** Free ports for what has no port in `env`, in place of the defaults: for stacks that run side by side. */
  readonly freePorts?: boolean
  onLine?(service: ServiceName | 'redis', line: string): void
  onUnexpectedExit?(service: ServiceName | 'redis', how: string, pauseMs: number | null): void
}

export interface ServiceHandle extends ManagedProcess {
  readonly name: ServiceName
  /**
   * Waits until the service that runs now does its work: the API and the page answer over HTTP, bridge and sidecar have
   * put a heartbeat on the bus. Rejects when a setting is wrong, with the service's own sentences, and after the time.
   */
  ready(withinMs?: number): Promise<void>
}

export interface Stack {
  readonly redisUrl: string
  /** Our own Redis; null where `REDIS_URL` names another. */
  readonly redis: ManagedProcess | null
  readonly apiUrl: string
  readonly pageUrl: string
  /** The settings the services were started with. */
  readonly env: Readonly<Record<string, string>>
  service(name: ServiceName): ServiceHandle
  ready(withinMs?: number): Promise<void>
  /** Ends all that was started, within 10 s. */
  stop(): Promise<void>
}

/** Says in a sentence for the operator why the stack cannot start; names the setting. */
export class StackError extends Error {
  override readonly name = 'StackError'
}

const readyWithinMs = 60_000
const inherited = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'USER'] as const

/** Starts Redis (unless `REDIS_URL` is set) and the services; returns when they are started, not yet ready. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const names = options.services ?? serviceNames
  const dataDir = resolve(options.dataDir)
  const lock = await lockDataDir(dataDir)
  try {
    const env = await completeEnv(options, dataDir)
    await ensureServicesBuilt()
    if (names.includes('ui')) await ensurePageBuilt()
    const redis = env['REDIS_URL'] === undefined ? await createStackRedis(options, dataDir, env) : null
    if (redis !== null) {
      env['REDIS_URL'] = redis.url
      redis.process.start()
    }
    return createStack(options, names, env, redis, lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

function createStack(
  options: StackOptions,
  names: readonly ServiceName[],
  env: Record<string, string>,
  redis: OwnRedis | null,
  lock: FileLock,
): Stack {
  const handles = new Map<ServiceName, ServiceHandle>()
  for (const name of names) handles.set(name, createServiceHandle(name, env, options))
  for (const handle of handles.values()) handle.start()
  const handleOf = (name: ServiceName): ServiceHandle => {
    const handle = handles.get(name)
    if (handle === undefined) throw new Error(`the stack was started without ${name}`)
    return handle
  }
  let stopping: Promise<void> | null = null
  return {
    redisUrl: env['REDIS_URL'] ?? '',
    redis: redis?.process ?? null,
    apiUrl: apiUrlOf(env),
    pageUrl: pageUrlOf(env),
    env,
    service: handleOf,
    async ready(withinMs = readyWithinMs) {
      await Promise.all([...handles.values()].map((handle) => handle.ready(withinMs)))
    },
    stop() {
      stopping ??= (async () => {
        await Promise.all([...handles.values()].map((handle) => handle.stop(6500)))
        await redis?.stop()
        await lock.release()
      })()
      return stopping
    },
  }
}

function createServiceHandle(
  name: ServiceName,
  env: Record<string, string>,
  options: StackOptions,
): ServiceHandle {
  // One setting, four processes on one machine: each serves its metrics on a port of its own.
  const metricsPort = Number(env['METRICS_PORT'])
  const own = Number.isSafeInteger(metricsPort)
    ? { ...env, METRICS_PORT: String(metricsPort + serviceNames.indexOf(name)) }
    : env
  let startedAtMs = Date.now()
  const managed = createManagedProcess({
    name,
    command: serviceCommand(name),
    cwd: serviceFolder(name),
    env: own,
    onLine(line) {
      options.onLine?.(name, line)
    },
    onUnexpectedExit(how, pauseMs) {
      startedAtMs = Date.now()
      options.onUnexpectedExit?.(name, how, pauseMs)
    },
  })
  const probe = (): Probe =>
    name === 'api' || name === 'ui' ? httpProbe(name, env) : heartbeatProbe(name, env, () => startedAtMs)
  return {
    name,
    get state() {
      return managed.state
    },
    get pid() {
      return managed.pid
    },
    get starts() {
      return managed.starts
    },
    lastErrors: managed.lastErrors,
    start() {
      managed.start()
    },
    kill(signal) {
      managed.kill(signal)
    },
    stop: (withinMs) => managed.stop(withinMs),
    async restart() {
      await managed.stop()
      startedAtMs = Date.now()
      managed.start()
    },
    ready: (withinMs = readyWithinMs) => waitFor(managed, probe(), withinMs),
  }
}

interface Probe {
  check(): Promise<boolean>
  close(): void
}

async function waitFor(managed: ManagedProcess, probe: Probe, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  try {
    while (performance.now() < deadline) {
      if (managed.state === 'config-fault') throw new StackError(managed.lastErrors.join('\n'))
      if (managed.state === 'running' && (await probe.check())) return
      await new Promise((resolvePause) => setTimeout(resolvePause, 50))
    }
  } finally {
    probe.close()
  }
  const said = managed.lastErrors.length === 0 ? '' : `; it said:\n${managed.lastErrors.join('\n')}`
  throw new StackError(`${managed.name} is not ready after ${withinMs / 1000} s (${managed.state})${said}`)
}

function httpProbe(name: 'api' | 'ui', env: Record<string, string>): Probe {
  const url = name === 'api' ? `${apiUrlOf(env)}/healthz` : pageUrlOf(env)
  return {
    async check() {
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
        await response.arrayBuffer()
        return response.ok
      } catch {
        return false
      }
    },
    close() {},
  }
}

function heartbeatProbe(
  name: 'ami-bridge' | 'capture-sidecar',
  env: Record<string, string>,
  since: () => number,
): Probe {
  const kind = name === 'ami-bridge' ? 'ami' : 'wire'
  const redis = createRedis(
    { REDIS_URL: env['REDIS_URL'] ?? '', NODE_NAME: 'start' },
    { purpose: 'command', logger: createLogger({ name: 'start', level: 'silent' }) },
  )
  const keys = createBusKeys(env['BUS_PREFIX'])
  return {
    async check() {
      try {
        const entries = await redis.xrevrangeBuffer(keys.sources, '+', '-', 'COUNT', 50)
        const beats = entries.flatMap(([, fields]) => decodeBatch(sourceStatus, fields).items)
        return beats.some((beat) => beat.kind === kind && beat.startedAtMicros >= since() * 1000)
      } catch {
        return false
      }
    },
    close() {
      redis.disconnect()
    },
  }
}

async function lockDataDir(dataDir: string): Promise<FileLock> {
  try {
    await mkdir(dataDir, { recursive: true })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StackError(`DATA_DIR: ${dataDir} cannot be made (${reason})`, { cause: error })
  }
  const lock = await tryFileLock(join(dataDir, 'start.lock'))
  if (lock !== null) return lock
  throw new StackError(
    `DATA_DIR: ${dataDir} is in use by another SIP Capture that runs; stop it or set another DATA_DIR`,
  )
}

async function completeEnv(options: StackOptions, dataDir: string): Promise<Record<string, string>> {
  const env: Record<string, string> = {}
  for (const name of inherited) {
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  for (const [name, value] of Object.entries(options.env))
    if (value !== undefined && value !== '') env[name] = value
  env['DATA_DIR'] = dataDir
  if (options.freePorts === true) {
    env['API_PORT'] ??= String(await findFreePort())
    env['UI_PORT'] ??= String(await findFreePort())
    env['HEP_LISTEN'] ??= `127.0.0.1:${await findFreePort()}`
  }
  env['API_URL'] ??= apiUrlOf(env)
  return env
}

function createStackRedis(
  options: StackOptions,
  dataDir: string,
  env: Record<string, string>,
): Promise<OwnRedis> {
  return createOwnRedis({
    dataDir,
    env,
    onLine(line) {
      options.onLine?.('redis', line)
    },
    onUnexpectedExit(how, pauseMs) {
      options.onUnexpectedExit?.('redis', how, pauseMs)
    },
  })
}

function apiUrlOf(env: Readonly<Record<string, string>>): string {
  return `http://${toHostInUrl(env['API_HOST'] ?? '127.0.0.1')}:${env['API_PORT'] ?? '3001'}`
}

function pageUrlOf(env: Readonly<Record<string, string>>): string {
  return `http://${toHostInUrl(env['UI_HOST'] ?? '127.0.0.1')}:${env['UI_PORT'] ?? '3000'}/`
}

/** An address to listen on → one to call: "all addresses" is called at loopback, IPv6 wants brackets. */
function toHostInUrl(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
