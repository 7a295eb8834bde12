import closeWithGrace from 'close-with-grace'
import type { z } from 'zod'
import { type CommonConfig, ConfigError, exitCodeConfig, readConfig } from './config.ts'
import { createLogger, type Logger } from './logger.ts'

export interface RunningService {
  close(): Promise<void>
}

export interface ServiceDefinition<T extends z.ZodObject> {
  readonly name: string
  readonly settings: T
  start(context: { config: Readonly<z.output<T>>; logger: Logger }): Promise<RunningService>
}

const closeMillis = 10_000

/**
 * Runs a service until SIGINT or SIGTERM. A wrong setting is told in plain sentences and ends with code 78, at start or
 * when `start` throws a `ConfigError` (a port in use, a folder that cannot be written); any other fault ends with 1.
 */
export async function runService<T extends z.ZodObject>(service: ServiceDefinition<T>): Promise<void> {
  let config: Readonly<z.output<T>>
  try {
    config = readConfig(service.settings)
  } catch (error) {
    return exitOnConfigError(service.name, error)
  }
  const common = config as unknown as CommonConfig
  const logger = createLogger({ name: service.name, level: common.LOG_LEVEL })
  let running: RunningService | undefined
  closeWithGrace({ delay: closeMillis, logger: false }, async ({ err, signal }) => {
    if (err) logger.fatal({ err }, 'stopped by an error')
    else logger.info({ signal }, 'stopping')
    await running?.close()
  })
  try {
    running = await service.start({ config, logger })
  } catch (error) {
    if (error instanceof ConfigError) return exitOnConfigError(service.name, error)
    logger.fatal({ err: error }, 'could not start')
    process.exit(1)
  }
}

function exitOnConfigError(name: string, error: unknown): void {
  if (!(error instanceof ConfigError)) throw error
  for (const line of error.message.split('\n')) process.stderr.write(`${name}: ${line}\n`)
  process.exit(exitCodeConfig)
}

/** What `listen` throws → a sentence that names the setting, or the error itself. */
export function describeListenError(error: unknown, setting: string, address: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE')
    return new ConfigError(`${setting}: ${address} is in use by another program; choose another port`)
  if (code === 'EACCES') return new ConfigError(`${setting}: no permission to listen on ${address}`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new ConfigError(`${setting}: this machine has no address ${address}`)
  return error
}
