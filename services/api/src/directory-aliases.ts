import { readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import type { HostPort } from '@sip-capture/contract/bus/sip-record.ts'
import { type AddressRanges, createAddressRanges } from '@sip-capture/service/address-ranges.ts'
import { ConfigError } from '@sip-capture/service/config.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { z } from 'zod'

/** Names of the user's own, from ALIASES_FILE. */
export interface Aliases {
  nameOf(side: HostPort): string | undefined
  readonly addresses: readonly { readonly address: string; readonly name: string }[]
  readonly numbers: readonly { readonly number: string; readonly name: string }[]
}

export interface AliasesFeed {
  readonly current: Aliases
  close(): void
}

const maxFileBytes = 4 * 1024 * 1024
const maxAliases = 20_000
const pollMillis = 2_000

const aliasesFile = z
  .record(
    z.string().min(1).max(128),
    z
      .string()
      .min(1)
      .max(256)
      .regex(/^\P{Cc}*$/u, 'must not hold control characters'),
  )
  .refine((aliases) => Object.keys(aliases).length <= maxAliases, `more than ${maxAliases} names`)

export const noAliases: Aliases = Object.freeze({ nameOf: () => undefined, addresses: [], numbers: [] })

/** The file of names, read again when it changes; what is wrong then is told and the last good one stays.
 *  @throws ConfigError when it cannot be read at the start. */
export function followAliases(file: string | undefined, logger: Logger): AliasesFeed {
  if (file === undefined) return { current: noAliases, close() {} }
  const path = file
  let current = readAliases(path)
  let stamp = stampOf(path)
  const timer = setInterval(() => {
    const now = stampOf(path)
    if (now === stamp) return
    stamp = now
    try {
      current = readAliases(path)
      logger.info({ names: current.addresses.length + current.numbers.length }, 'ALIASES_FILE was read again')
    } catch (error) {
      logger.error(`${error instanceof Error ? error.message : ''}; the names from before stay`)
    }
  }, pollMillis)
  return {
    get current() {
      return current
    },
    close: () => clearInterval(timer),
  }
}

/** @throws ConfigError with one sentence that names the setting. */
export function readAliases(file: string): Aliases {
  let json: unknown
  try {
    if (statSync(file).size > maxFileBytes) throw new Error(`larger than ${maxFileBytes} bytes`)
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
    const reason =
      code ?? (error instanceof SyntaxError ? 'not JSON' : error instanceof Error ? error.message : '')
    throw new ConfigError(`ALIASES_FILE: ${file} cannot be read (${reason})`)
  }
  const parsed = aliasesFile.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const where = issue && issue.path.length > 0 ? ` at ${JSON.stringify(issue.path.join('.'))}` : ''
    throw new ConfigError(
      `ALIASES_FILE: ${file} must be one JSON object of names by address, network or number${where}: ${issue?.message}`,
    )
  }
  return createAliases(parsed.data, file)
}

/** @throws ConfigError for a key that is neither an address, nor a network, nor a number. */
export function createAliases(names: Readonly<Record<string, string>>, file = 'the file'): Aliases {
  const byHostPort = new Map<string, string>()
  const byAddress = new Map<string, string>()
  const networks: { bits: number; ranges: AddressRanges; name: string }[] = []
  const addresses: { address: string; name: string }[] = []
  const numbers: { number: string; name: string }[] = []
  for (const [key, name] of Object.entries(names)) {
    const hostPort = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(key)
    const host = canonical(hostPort?.[1] ?? hostPort?.[2] ?? '')
    const ranges = createAddressRanges([key])
    if (host !== '') byHostPort.set(`${host} ${hostPort?.[3]}`, name)
    else if (isIP(key) !== 0) byAddress.set(canonical(key), name)
    else if (!ranges.isEmpty) networks.push({ bits: prefixLength(key), ranges, name })
    else if (/^\+?[\d*#]{1,32}$/.test(key)) {
      numbers.push({ number: key, name })
      continue
    } else
      throw new ConfigError(
        `ALIASES_FILE: ${file} names ${JSON.stringify(key)}, which is no address (192.0.2.1, 192.0.2.1:5062), network (192.0.2.0/24) or number`,
      )
    addresses.push({ address: key, name })
  }
  // The narrowest network first.
  networks.sort((a, b) => b.bits - a.bits)
  return {
    nameOf: ({ address, port }) =>
      byHostPort.get(`${address} ${port}`) ??
      byAddress.get(address) ??
      networks.find(({ ranges }) => ranges.has(address))?.name,
    addresses,
    numbers,
  }
}

/** As records write it: IPv6 compressed and in lower case (RFC 5952). */
function canonical(address: string): string {
  const version = isIP(address)
  if (version !== 6) return version === 4 ? address : ''
  return new URL(`http://[${address}]/`).hostname.slice(1, -1)
}

function prefixLength(network: string): number {
  const bits = Number(network.split('/')[1])
  return Number.isInteger(bits) ? bits : 0
}

function stampOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    return 'gone'
  }
}
