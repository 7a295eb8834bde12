import { accessSync, constants, mkdirSync } from 'node:fs'
import { isIP } from 'node:net'
import path from 'node:path'
import { captureShardSettings } from '@sip-capture/service/capture-shards.ts'
import { commonSettings, ConfigError, port } from '@sip-capture/service/config.ts'
import { z } from 'zod'
import { isClusterName, isDatabaseName } from './history/tables.ts'

const minTokenLength = 16

const toList = (text: string): string[] => text.split(',').map((word) => word.trim())

/** The whole text is checked, not its parts: a fault then names the setting alone. */
const tokens = z
  .string()
  .refine(
    (text) => text === 'none' || toList(text).every((token) => token.length >= minTokenLength),
    `each token needs at least ${minTokenLength} characters (or say none)`,
  )
  .transform((text) => (text === 'none' ? [] : toList(text)))

const origins = z
  .string()
  .refine(
    (text) => toList(text).every(isOrigin),
    'wants origins such as https://sip.example.org, separated by commas',
  )
  .transform(toList)

const wholeNumber = (text: string) =>
  z
    .string()
    .regex(/^\d{1,15}$/, text)
    .transform(Number)

export const apiSettings = z.object({
  ...commonSettings,
  ...captureShardSettings,
  API_HOST: z.string().min(1).max(255).default('127.0.0.1'),
  API_PORT: port.default(3001),
  /** Comma list; `none` says that an open API is meant. */
  API_TOKENS: tokens.optional(),
  ALLOWED_ORIGINS: origins.default([]),
  /** What this process does: `worker` writes history and does jobs, `api` serves pages, `all` both. */
  API_ROLE: z.enum(['all', 'api', 'worker']).default('all'),
  /** A ClickHouse server, or those of a cluster; unset: embedded, in DATA_DIR/history. */
  HISTORY_URL: z
    .string()
    .refine(
      (text) => toUrls(text).every((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)),
      'a URL such as http://127.0.0.1:8123, or several, separated by commas',
    )
    .transform(toUrls)
    .optional(),
  /** The name under which the servers know their cluster; unset: one server. */
  HISTORY_CLUSTER: z
    .string()
    .refine(isClusterName, 'the name of a cluster in remote_servers: letters, digits, _ . -')
    .optional(),
  DATA_DIR: z
    .string()
    .default('.data')
    .transform((folder) => path.resolve(folder)),
  RETENTION_DAYS: wholeNumber('a whole number of days').pipe(z.int().min(1).max(3650)).default(30),
  /** Names of the user's own for addresses, networks and numbers: one JSON object. */
  ALIASES_FILE: z
    .string()
    .transform((file) => path.resolve(file))
    .optional(),
  /** Unset: no bound by size. */
  RETENTION_BYTES: wholeNumber('a whole number of bytes').pipe(z.int().min(1)).optional(),
  /** Unset: exports in DATA_DIR. */
  EXPORT_DIR: z
    .string()
    .transform((folder) => path.resolve(folder))
    .optional(),
  /** A finished export is deleted after this; those of a schedule stay as long as it says. */
  EXPORT_TTL_HOURS: wholeNumber('a whole number of hours').pipe(z.int().min(1).max(87_600)).default(24),
  /** All export files together. */
  EXPORT_MAX_BYTES: wholeNumber('a whole number of bytes')
    .pipe(z.int().min(1))
    .default(10 * 1024 ** 3),
  /** One uploaded capture file. */
  IMPORT_MAX_BYTES: wholeNumber('a whole number of bytes')
    .pipe(z.int().min(1))
    .default(2 * 1024 ** 3),
  /** The page's own address, for links that leave it: in webhooks of watches. */
  PUBLIC_URL: z
    .string()
    .refine(isWebUrl, 'the address of the page, such as https://sip.example.org')
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  /** Signs webhooks of watches as Standard Webhooks has it: any text, or `whsec_` and base64. */
  WATCH_SECRET: z.string().min(16, 'at least 16 characters').max(1_000).optional(),
  /** Calls that may be kept beyond retention at once. */
  PINNED_CALLS_MAX: wholeNumber('a whole number').pipe(z.int().min(0).max(10_000)).default(1_000),
  /** Browsers that follow live at once. */
  MAX_LIVE_CLIENTS: wholeNumber('a whole number').pipe(z.int().min(1).max(100_000)).default(500),
})
export type ApiConfig = Readonly<z.output<typeof apiSettings>>

export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** What the schema of single settings cannot say. @throws ConfigError */
export function checkConfig(config: ApiConfig): void {
  if (!isLoopbackHost(config.API_HOST) && config.API_TOKENS === undefined)
    throw new ConfigError(
      `API_TOKENS: is not set, but API_HOST ${config.API_HOST} can be reached from other machines; ` +
        'set tokens, or say API_TOKENS=none if everyone there may read all calls',
    )
  const { HISTORY_URL, HISTORY_CLUSTER, API_ROLE } = config
  if (HISTORY_URL === undefined) {
    if (HISTORY_CLUSTER !== undefined)
      throw new ConfigError('HISTORY_CLUSTER: is set, but HISTORY_URL is not: a cluster is of servers')
    if (API_ROLE !== 'all')
      throw new ConfigError(
        `API_ROLE: ${API_ROLE} needs HISTORY_URL: the history in DATA_DIR belongs to one process alone`,
      )
    prepareFolder(config.DATA_DIR)
  } else if (HISTORY_CLUSTER === undefined && HISTORY_URL.length > 1)
    throw new ConfigError('HISTORY_CLUSTER: is not set, but HISTORY_URL names several servers')
  else if (HISTORY_CLUSTER !== undefined) checkDatabase(HISTORY_URL)
}

function checkDatabase(urls: readonly string[]): void {
  const [name = '', ...others] = new Set(urls.map((url) => new URL(url).pathname.slice(1)))
  if (others.length > 0)
    throw new ConfigError('HISTORY_URL: the servers of a cluster have one database, of the same name')
  if (name !== '' && !isDatabaseName(name))
    throw new ConfigError('HISTORY_URL: the database of a cluster has letters, digits, _ and - in its name')
}

/** A comma within a URL, as in a password, does not part. */
function toUrls(text: string): readonly string[] {
  return text.split(/,\s*(?=https?:)/).map((url) => url.trim())
}

function prepareFolder(folder: string): void {
  try {
    mkdirSync(path.join(folder, 'history'), { recursive: true, mode: 0o700 })
    accessSync(path.join(folder, 'history'), constants.W_OK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'
    throw new ConfigError(`DATA_DIR: cannot write to ${folder} (${code})`)
  }
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !/[?#]/.test(text)
}

function isOrigin(text: string): boolean {
  return (
    URL.canParse(text) &&
    /^https?:$/.test(new URL(text).protocol) &&
    new URL(text).origin === text.replace(/\/$/, '')
  )
}
