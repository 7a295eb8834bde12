import type { OptionValue, WantedOption } from '@sip-capture/contract/bus/option-request.ts'
import { field } from '../ami/block.ts'
import type { AmiAnswer, AmiConnection } from '../ami/connection.ts'
import {
  parseParameters,
  parseSettings,
  parseTransportNames,
  squash,
  toSection,
  toShownValue,
} from './sections.ts'
import type { Section } from './sections.ts'

type Ami = Pick<AmiConnection, 'request' | 'command'>

export interface CurrentOptions {
  readonly values: OptionValue[]
  /** Why some are missing; `''` when Asterisk answered all that was asked. */
  readonly problem: string
}

const maxTransports = 8
const maxValues = 512
/** pjsip.conf writes `contact` and `match` once a line; Asterisk prints all of them as one. */
const printedAs: Readonly<Record<string, string>> = { contact: 'contacts' }

/** Asks Asterisk only for the kinds of sections that the options stand in. `endpoint` must be a name that Asterisk itself
 *  gave: it goes into an action. */
export async function readCurrentOptions(
  ami: Ami,
  endpoint: string,
  wanted: readonly WantedOption[],
): Promise<CurrentOptions> {
  const objects = new Set(wanted.map(({ object }) => object))
  const problems = new Set<string>()
  const note = (answer: AmiAnswer) => {
    if (answer.ok) return true
    const remedy =
      answer.reason === 'denied' ? ' (give the AMI user write=system,command in manager.conf)' : ''
    problems.add(`${answer.message.trim()}${remedy}`)
    return false
  }
  const isAbout = (...kinds: readonly WantedOption['object'][]) => kinds.some((kind) => objects.has(kind))

  const ofEndpoint = async (): Promise<Section[]> => {
    if (!isAbout('endpoint', 'auth', 'aor', 'transport', 'identify')) return []
    const answer = await ami.request('PJSIPShowEndpoint', [['Endpoint', endpoint]])
    if (!note(answer) || !answer.ok) return []
    const sections = answer.events.flatMap((block) => toSection(block) ?? [])
    // An endpoint that names no transport may use any of them.
    const hasTransport = sections.some(({ object }) => object === 'transport')
    return hasTransport || !objects.has('transport') ? sections : [...sections, ...(await allTransports())]
  }
  const allTransports = async (): Promise<Section[]> => {
    const list = await ami.command('pjsip show transports')
    if (!note(list) || !list.ok) return []
    const names = parseTransportNames(list.block.output).slice(0, maxTransports)
    const answers = await Promise.all(names.map((name) => ami.command(`pjsip show transport ${name}`)))
    return answers.flatMap((answer, index): Section[] =>
      note(answer) && answer.ok
        ? [{ object: 'transport', name: names[index] ?? '', values: parseParameters(answer.block.output) }]
        : [],
    )
  }
  const registrations = async (): Promise<Section[]> => {
    if (!objects.has('registration')) return []
    const answer = await ami.request('PJSIPShowRegistrationsOutbound')
    if (!answer.ok && /no .*registrations? found/i.test(answer.message)) return []
    if (!note(answer) || !answer.ok) return []
    // `endpoint` is only allowed beside `line`; without it the same name says it.
    return answer.events
      .filter((block) => (field(block, 'Endpoint') || field(block, 'ObjectName')) === endpoint)
      .flatMap((block) => toSection(block) ?? [])
  }
  const settings = async (): Promise<Section[]> => {
    if (!isAbout('global', 'system')) return []
    const answer = await ami.command('pjsip show settings')
    return note(answer) && answer.ok ? parseSettings(answer.block.output) : []
  }

  const sections = unique((await Promise.all([ofEndpoint(), registrations(), settings()])).flat())
  const values = wanted.flatMap(({ object, option }) =>
    sections.flatMap((section): OptionValue[] => {
      if (section.object !== object) return []
      const value = section.values.get(squash(option)) ?? section.values.get(printedAs[option] ?? '')
      if (value === undefined) return []
      return [{ object, option, section: section.name.slice(0, 256), value: toShownValue(option, value) }]
    }),
  )
  return { values: values.slice(0, maxValues), problem: [...problems].join('; ').slice(0, 500) }
}

/** The same auth section may serve in and out, and is then listed twice. */
function unique(sections: readonly Section[]): Section[] {
  const known = new Map(
    sections.toReversed().map((section) => [`${section.object} ${section.name}`, section]),
  )
  return [...known.values()].toReversed()
}
