import { hostname } from 'node:os'
import { defaultBusPrefix } from '@sip-capture/contract/keys.ts'
import { z } from 'zod'

/** The operator's fault: the message is for the operator and needs no stack. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** `EX_CONFIG` of sysexits.h: supervisors are told not to restart on it, a wrong setting stays wrong. */
export const exitCodeConfig = 78

export const port = z
  .string()
  .regex(/^\d+$/, 'a port number')
  .transform(Number)
  .pipe(z.int().min(1).max(65535))

export const redisUrl = z
  .string()
  .refine(
    (text) => text.startsWith('/') || (/^rediss?:\/\//.test(text) && URL.canParse(text)),
    'a URL such as redis://127.0.0.1:6379, rediss://host:6379 or a socket path',
  )

/** Settings that every service has. Spread into its own `z.object({...})`. */
export const commonSettings = {
  REDIS_URL: redisUrl.default('redis://127.0.0.1:6379'),
  BUS_PREFIX: z.string().min(1).max(64).default(defaultBusPrefix),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  NODE_NAME: z.string().min(1).max(256).default(hostname),
  /** Prometheus metrics at http://127.0.0.1:METRICS_PORT/metrics; unset: not served. */
  METRICS_PORT: port.optional(),
}

export interface CommonConfig {
  readonly REDIS_URL: string
  readonly BUS_PREFIX: string
  readonly LOG_LEVEL: string
  readonly NODE_NAME: string
  readonly METRICS_PORT?: number | undefined
}

/**
 * Reads settings from the environment. A setting that is empty counts as unset, so that `FOO=` in a file means its default.
 * @throws ConfigError naming every setting that is wrong, at once.
 */
export function readConfig<T extends z.ZodObject>(
  schema: T,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<z.output<T>> {
  const given = Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => (env[name] ? [[name, env[name]]] : [])),
  )
  const parsed = schema.safeParse(given)
  if (parsed.success) return Object.freeze(parsed.data)
  const faults = parsed.error.issues.map((issue) => {
    const name = issue.path.length > 0 ? issue.path.join('.') : 'settings'
    return `${name}: ${given[name] === undefined && issue.code === 'invalid_type' ? 'is not set' : issue.message}`
  })
  throw new ConfigError(faults.join('\n'))
}
