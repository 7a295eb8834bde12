import { printable } from './failure.ts'
import type { AmiConnection } from './connection.ts'

const wanted = {
  read: {
    call: 'which channel a call belongs to and its hangup causes',
    system: 'contact and reload notices',
    security: 'why a login failed',
    reporting: 'RTCP reports',
  },
  write: {
    command: '"pjsip set logger on" and the PJSIP history',
    reporting: 'the Call-ID of a channel',
  },
} as const

/** Sentences about rights that the AMI user lacks, feature by feature, or has without need. */
export function describeRights(lines: readonly string[], username: string): string[] {
  const warnings: string[] = []
  const user = printable(username)
  for (const kind of ['read', 'write'] as const) {
    const line = lines.find((text) => text.trim().startsWith(`${kind} perm:`))
    if (line === undefined) continue
    const rights = new Set(
      line
        .slice(line.indexOf(':') + 1)
        .split(',')
        .map((right) => right.trim()),
    )
    if (rights.has('all') || rights.has('originate'))
      warnings.push(
        `AMI_USERNAME "${user}" has ${kind}=${rights.has('all') ? 'all' : 'originate'}, more than is needed: whoever gets AMI_SECRET could place calls and run programs`,
      )
    if (rights.has('all')) continue
    for (const [right, feature] of Object.entries(wanted[kind])) {
      const isEnough = rights.has(right) || (right === 'reporting' && kind === 'write' && rights.has('call'))
      if (!isEnough)
        warnings.push(`AMI_USERNAME "${user}" lacks ${kind}=${right} in manager.conf: no ${feature}`)
    }
  }
  return warnings
}

export async function readRights(ami: Pick<AmiConnection, 'command'>, username: string): Promise<string[]> {
  // The CLI splits at spaces and knows quotes; a name that could be read as more than a name is not asked for.
  if (!/^[\w.@-]+$/.test(username)) return []
  const answer = await ami.command(`manager show user ${username}`)
  if (answer.ok) return describeRights(answer.block.output, username)
  if (answer.reason !== 'denied') return []
  return [`AMI_USERNAME "${username}" lacks write=command in manager.conf: no ${wanted.write.command}`]
}
