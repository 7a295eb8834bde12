import type { AmiConnection } from './ami/connection.ts'
import type { AmiFields } from './ami/actions.ts'
import type { ListenAddress } from './config.ts'

type Ami = Pick<AmiConnection, 'request' | 'command' | 'localAddress'>

const fileName = 'hep.conf'

/**
 * Writes `hep.conf` so that Asterisk sends HEP here, and says what that brings: HEP that was off when Asterisk started
 * begins with its next restart only. Returns a sentence for the operator.
 */
export async function provisionHep(
  ami: Ami,
  listen: ListenAddress,
  password: string | undefined,
): Promise<string> {
  const wanted = new Map([
    ['enabled', 'yes'],
    ['capture_address', captureAddress(ami, listen)],
    ['uuid_type', 'channel'],
    ...(password === undefined ? [] : [['capture_password', password] as const]),
  ])
  const current = await ami.request('GetConfig', [
    ['Filename', fileName],
    ['Category', 'general'],
  ])
  if (!current.ok)
    return current.reason === 'denied'
      ? 'HEP_PROVISION: the AMI user lacks write=config in manager.conf'
      : `HEP_PROVISION: hep.conf cannot be read over AMI (${current.message})`
  const have = new Map<string, string>()
  for (const [name, line] of current.block.fields) {
    const match = /^Line-\d+-\d+$/.test(name) ? /^([^=]+)=(.*)$/.exec(line) : null
    if (match?.[1]) have.set(match[1].trim(), (match[2] ?? '').trim())
  }
  const changes = [...wanted].filter(([name, value]) => have.get(name) !== value)
  if (changes.length > 0) {
    const answer = await ami.request('UpdateConfig', updateFields(changes, have))
    if (!answer.ok)
      return `HEP_PROVISION: hep.conf cannot be written over AMI (${answer.message}): the AMI user needs write=config,system`
    await ami.command('module reload res_hep.so')
  }
  return describe(await ami.command('module show like res_hep_pjsip'))
}

function captureAddress(ami: Ami, listen: ListenAddress): string {
  const isWildcard = listen.host === '0.0.0.0' || listen.host === '::'
  const host = isWildcard ? ami.localAddress.replace(/^::ffff:/, '') : listen.host
  return host.includes(':') ? `[${host}]:${listen.port}` : `${host}:${listen.port}`
}

function updateFields(
  changes: readonly (readonly [string, string])[],
  have: ReadonlyMap<string, string>,
): AmiFields {
  const fields: [string, string][] = [
    ['SrcFilename', fileName],
    ['DstFilename', fileName],
  ]
  for (const [i, [name, value]] of changes.entries()) {
    const number = String(i).padStart(6, '0')
    fields.push(
      [`Action-${number}`, have.has(name) ? 'Update' : 'Append'],
      [`Cat-${number}`, 'general'],
      [`Var-${number}`, name],
      [`Value-${number}`, value],
    )
  }
  return fields
}

function describe(answer: Awaited<ReturnType<Ami['command']>>): string {
  const line = answer.ok ? answer.block.output.find((text) => text.startsWith('res_hep_pjsip')) : undefined
  if (line === undefined) return 'HEP_PROVISION: Asterisk has no module res_hep_pjsip; install or load it'
  return /Not Running/.test(line)
    ? 'HEP is set up in hep.conf and starts at the next Asterisk restart; until then the PJSIP history is used'
    : 'HEP is set up in hep.conf and running'
}
