import type { WantedOption } from '@sip-capture/contract/bus/option-request.ts'
import { type AmiBlock, field } from '../ami/block.ts'

/** One section of pjsip.conf as Asterisk holds it. Names of options are squashed: see `squash`. */
export interface Section {
  readonly object: WantedOption['object']
  readonly name: string
  readonly values: ReadonlyMap<string, string>
}

/** Asterisk makes `Qualify2xxOnly` of `qualify_2xx_only` and `Md5Cred` of `md5_cred`: where the words part is lost. */
export function squash(option: string): string {
  return option.replaceAll('_', '').toLowerCase()
}

const objectOfEvent: Readonly<Record<string, WantedOption['object']>> = {
  EndpointDetail: 'endpoint',
  AuthDetail: 'auth',
  AorDetail: 'aor',
  TransportDetail: 'transport',
  IdentifyDetail: 'identify',
  OutboundRegistrationDetail: 'registration',
}

/** Says the section of an event of a `PJSIPShow…` list; undefined for other events. */
export function toSection(block: AmiBlock): Section | undefined {
  const object = objectOfEvent[block.name]
  if (object === undefined) return undefined
  const values = new Map<string, string>()
  // The first of a name counts: what follows a value that somebody else chose could be his as well.
  for (const [name] of block.fields)
    if (!values.has(squash(name))) values.set(squash(name), field(block, name))
  return { object, name: field(block, 'ObjectName'), values }
}

/** ` external_media_address : 192.0.2.1` under a headline → values; what a CLI command prints of one object. */
export function parseParameters(lines: readonly string[]): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of lines) {
    const match = /^\s*([a-z0-9_]{1,64})\s+:(?:\s(.*))?$/.exec(line)
    if (match?.[1] !== undefined && !values.has(squash(match[1])))
      values.set(squash(match[1]), (match[2] ?? '').trim())
  }
  return values
}

/** `pjsip show settings`: the sections `global` and `system`. */
export function parseSettings(lines: readonly string[]): Section[] {
  const from = (headline: RegExp) => {
    const at = lines.findIndex((line) => headline.test(line))
    const next = lines.findIndex((line, index) => index > at && /^\w+ Settings:/.test(line))
    return at < 0 ? [] : lines.slice(at + 1, next < 0 ? undefined : next)
  }
  return [
    { object: 'global', name: '', values: parseParameters(from(/^Global Settings:/)) },
    { object: 'system', name: '', values: parseParameters(from(/^System Settings:/)) },
  ]
}

/** `Transport:  transport-udp  udp  0  0  127.0.0.1:5060` → names. One that could be read as more than a name is left out. */
export function parseTransportNames(lines: readonly string[]): string[] {
  return lines.flatMap((line) => /^\s*Transport:\s+([\w.@-]+)\s+\w+\s/.exec(line)?.[1] ?? [])
}

const secret = /password|secret|cred|digest|oauth|token|private_?key/
const maxValueCharacters = 512

/** The value as pjsip.conf would have it: `yes` and `no` for what Asterisk prints as true, Yes, false or No. Of a secret
 *  only whether it is set; of a URI not the password. */
export function toShownValue(option: string, value: string): string {
  if (secret.test(option)) return value === '' ? 'unset' : 'set'
  if (/^(?:true|yes)$/i.test(value)) return 'yes'
  if (/^(?:false|no)$/i.test(value)) return 'no'
  return value.replaceAll(/(sips?:[^\s:@,]*):[^\s@,]*@/gi, '$1:***@').slice(0, maxValueCharacters)
}
