import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { parseEnv } from 'node:util'
import { ConfigError, port, readConfig } from '@sip-capture/service/config.ts'
import { z } from 'zod'
import { probeTcpPort } from './probe-port.ts'
import { repositoryFolder } from './repository.ts'

/** What the one-machine start itself looks at; each service checks its own settings. */
const settings = z.object({
  UI_HOST: z.string().default('127.0.0.1'),
  UI_PORT: port.default(3000),
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port.default(3001),
  DATA_DIR: z.string().default('.data'),
  REDIS_URL: z.string().optional(),
  TSHARK_ENABLED: z.stringbool('true or false').default(false),
  TSHARK_COMMAND: z.string().default('auto'),
})

export type StartSettings = Readonly<z.output<typeof settings>>

/** The environment over the file `.env` at the root of the repository, where there is one. */
export async function readStartEnvironment(
  env: NodeJS.ProcessEnv = process.env,
  file = join(repositoryFolder, '.env'),
): Promise<Record<string, string>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw new ConfigError(`.env: ${file} cannot be read (${error.code ?? error.message})`)
  })
  const merged: Record<string, string> = {}
  for (const source of [parseEnv(text), env]) {
    for (const [name, value] of Object.entries(source))
      if (value !== undefined && value !== '') merged[name] = value
  }
  return merged
}

/** @throws ConfigError naming every setting that is wrong. A relative DATA_DIR is below the repository. */
export function readStartSettings(env: Readonly<Record<string, string>>): StartSettings {
  const read = readConfig(settings, env)
  const dataDir = isAbsolute(read.DATA_DIR) ? read.DATA_DIR : join(repositoryFolder, read.DATA_DIR)
  return Object.freeze({ ...read, DATA_DIR: dataDir })
}

/** @throws ConfigError with a sentence for each port that another program has. */
export async function checkPorts(read: StartSettings): Promise<void> {
  const wanted = [
    ['UI_PORT', read.UI_HOST, read.UI_PORT],
    ['API_PORT', read.API_HOST, read.API_PORT],
  ] as const
  const faults: string[] = []
  for (const [setting, host, number] of wanted) {
    const probe = await probeTcpPort(host, number)
    if (probe.free) continue
    const hostSetting = setting === 'UI_PORT' ? 'UI_HOST' : 'API_HOST'
    if (probe.code === 'EADDRINUSE')
      faults.push(
        `${setting}: port ${number} of ${host} is in use by another program; stop it or set another ${setting}`,
      )
    else if (probe.code === 'EACCES')
      faults.push(`${setting}: no permission to listen on port ${number} of ${host}`)
    else faults.push(`${hostSetting}: cannot listen on ${host} (${probe.code})`)
  }
  if (read.UI_PORT === read.API_PORT)
    faults.push(`UI_PORT and API_PORT: both are ${read.UI_PORT}; set another one`)
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
}
