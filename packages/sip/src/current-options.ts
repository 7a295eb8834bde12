import type { PjsipOption, VerdictContext } from './finding.ts'
import type { Leg } from './leg.ts'
import { toPrintable } from './printable.ts'

const maxValueCharacters = 120

/** The endpoint or trunk of the leg: Asterisk's own name where a message carries it, else the name of the far side, as far
 *  as anyone knows which side that is. */
export function endpointOf({ attempt, transactions }: Leg): string | undefined {
  const transaction = attempt ?? transactions[0]
  const message = (transaction?.request ?? transaction?.responses[0])?.message
  if (message?.endpoint !== undefined) return message.endpoint
  if (transaction === undefined || transaction.direction === 'unknown') return undefined
  return transaction.direction === 'in' ? transaction.client.name : transaction.server.name
}

/** What the option is set to for the endpoint of this leg; undefined when nobody said, or sections differ. */
export function currentValueOf(
  leg: Leg,
  { object, option }: PjsipOption,
  context: VerdictContext,
): string | undefined {
  if (context.currentOptions === undefined) return undefined
  const values = new Set(find(endpointOf(leg), object, option, context).map(({ value }) => value))
  return values.size === 1 ? [...values][0] : undefined
}

function find(
  endpoint: string | undefined,
  object: PjsipOption['object'],
  option: string,
  { currentOptions = [] }: VerdictContext,
) {
  return currentOptions.filter(
    (one) => one.endpoint === endpoint && one.object === object && one.option === option,
  )
}

/** The option with its endpoint and, where Asterisk said it, its value. Values that differ are told with their sections. */
export function withCurrentValue(
  option: PjsipOption,
  endpoint: string | undefined,
  context: VerdictContext,
): PjsipOption {
  if (endpoint === undefined) return option
  const found = find(endpoint, option.object, option.option, context)
  if (found.length === 0) return { ...option, endpoint }
  const values = new Set(found.map(({ value }) => value))
  const [first = ''] = values
  const value =
    values.size === 1 ? first : found.map((one) => `${one.value || 'not set'} (${one.section})`).join(', ')
  const sections = new Set(found.map(({ section }) => section))
  return {
    ...option,
    endpoint,
    value,
    sentence:
      values.size === 1 ? sentenceOf(option, first, [...sections]) : `${option.option} is ${shown(value)}`,
  }
}

/** `rtp_symmetric is no on endpoint acme`, `local_net is not set on transport transport-udp`. */
function sentenceOf({ option, object }: PjsipOption, value: string, sections: readonly string[]): string {
  const names = sections.filter((section) => section !== '').map((section) => toPrintable(section, 64))
  const where = names.length === 0 ? `in section ${object}` : `on ${object} ${names.join(', ')}`
  return `${option} is ${value === '' ? 'not set' : shown(value)} ${where}`
}

function shown(value: string): string {
  return toPrintable(value, maxValueCharacters)
}
