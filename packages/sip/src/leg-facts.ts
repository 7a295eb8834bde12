import { headerSpelling } from './headers.ts'
import { answersOf, isSuccess, statusOf, type Leg } from './leg.ts'
import { sdpOf } from './message-sdp.ts'
import type { SipMessage } from './message.ts'
import { nameAddressUri, parseNameAddress } from './name-address.ts'
import { isKnownAddress } from './observed-message.ts'
import { toPrintable } from './printable.ts'
import type { SdpMedia } from './sdp.ts'
import type { Transaction } from './transaction.ts'
import { parseUri } from './uri.ts'
import { answerText, duration, reasonText } from './wording.ts'

/** What a difference is about. */
export const comparisonAspects = [
  'outcome',
  'codecs',
  'headers',
  'route',
  'addresses',
  'numbers',
  'timing',
] as const
export type ComparisonAspect = (typeof comparisonAspects)[number]

/** One thing that can be said of a leg and compared: by `what`, its name. */
export interface LegFact {
  readonly aspect: ComparisonAspect
  readonly what: string
  /** Text for people; `''` when the leg has none. */
  readonly value: string
  /** True for what only an answered call can have: that a refused one lacks it says nothing. */
  readonly isOfAnswer?: boolean
  /** Times only, microseconds: small differences are none. */
  readonly micros?: number
}

const maxValueCharacters = 200
const maxHeaders = 64

/** Different in every call, or told as a fact of its own. */
const notCompared = new Set([
  'via',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
  'content-length',
  'content-type',
  'date',
  'timestamp',
  'max-forwards',
  'authorization',
  'proxy-authorization',
  'record-route',
  'route',
  'session-id',
])
/** Whose text says how the side behaves. Of all others only whether they are there. */
const comparedWhole = new Set([
  'user-agent',
  'server',
  'supported',
  'require',
  'proxy-require',
  'allow',
  'session-expires',
  'min-se',
  'privacy',
  'accept',
  'p-early-media',
  'warning',
  'retry-after',
])

/** What the INVITE of the leg and its answers say, less what differs in every call (tags, branches, Call-IDs, nonces). */
export function factsOf(leg: Leg): LegFact[] {
  const { attempt } = leg
  if (attempt === null) return []
  const invite = attempt.request?.message
  const answer = answersOf(attempt)[0] ?? attempt.responses.find((one) => isSuccess(statusOf(one)))
  const facts: LegFact[] = [
    fact('outcome', 'Final answer', attempt.final === null ? '' : answerText(attempt.final)),
    fact('outcome', 'Reason given', reasonText(attempt.final)),
    ...mediaFacts('offered', invite?.message),
    ...mediaFacts('answered', answer?.message.message).map(ofAnswer),
    ...headerFacts('INVITE', invite?.message),
    ...headerFacts('final answer', attempt.final?.message.message).map((one) =>
      /^(?:Warning|Retry-After) /.test(one.what) ? one : ofAnswer(one),
    ),
    ...timingFacts(attempt),
  ]
  if (invite === undefined) return facts
  const { message, src, dst, transport } = invite
  const target = parseUri(message.requestUri)
  facts.push(
    fact('route', 'Transport', transport),
    fact('route', 'Request-URI leads to', hostOf(message.requestUri)),
    fact('route', 'Request-URI parameters', parametersOf(message.requestUri)),
    fact('route', 'Hops so far (Via)', String(message.via.length)),
    fact('route', 'Route', hostsOf(message, 'route')),
    fact(
      'route',
      'Record-Route of the answer',
      answer ? hostsOf(answer.message.message, 'record-route') : '',
    ),
    fact('addresses', 'Sent from', isKnownAddress(src) ? src.address : ''),
    fact('addresses', 'Sent to', isKnownAddress(dst) ? dst.address : ''),
    fact('addresses', 'Contact of the caller', contactOf(message)),
    ofAnswer(
      fact('addresses', 'Contact of the called side', answer ? contactOf(answer.message.message) : ''),
    ),
    fact('numbers', 'Called number is written', formOf(target.user ?? '')),
    fact('numbers', 'Calling number is written', formOf(message.from.user)),
    fact('numbers', 'Domain in From', toPrintable(message.from.host, maxValueCharacters)),
    fact('numbers', 'Domain in To', toPrintable(message.to.host, maxValueCharacters)),
  )
  return facts
}

function fact(aspect: ComparisonAspect, what: string, value: string): LegFact {
  return { aspect, what, value: toPrintable(value, maxValueCharacters) }
}

const ofAnswer = (one: LegFact): LegFact => ({ ...one, isOfAnswer: true })

export function isAnswered({ attempt }: Leg): boolean {
  return attempt !== null && isSuccess(statusOf(attempt.final))
}

function mediaFacts(how: 'offered' | 'answered', message: SipMessage | undefined): LegFact[] {
  if (message === undefined) return []
  const sdp = sdpOf(message)
  const media = (sdp?.media ?? []).slice(0, 8)
  const each = (text: (one: (typeof media)[number]) => string) => media.map(text).join('; ')
  return [
    fact('codecs', `Codecs ${how}`, sdp === null ? 'no SDP' : each((one) => codecsOf(one))),
    fact(
      'codecs',
      `Media ${how}`,
      each(({ kind, protocol }) => `${kind} ${protocol}`),
    ),
    fact(
      'codecs',
      `Direction ${how}`,
      each(({ direction }) => direction),
    ),
    fact('addresses', `Media address ${how}`, [...new Set(media.map(({ address }) => address))].join(', ')),
  ]
}

const maxCodecs = 16

/** In the order of preference, tones included: without them there is no DTMF. */
function codecsOf({ kind, port, codecs }: SdpMedia): string {
  if (port === 0) return `${kind} off`
  return codecs
    .slice(0, maxCodecs)
    .map(({ name }) => name)
    .join(', ')
}

function headerFacts(where: string, message: SipMessage | undefined): LegFact[] {
  if (message === undefined) return []
  const names = [...new Set(message.headers.map(({ canonical }) => canonical))]
  return names
    .filter((name) => !notCompared.has(name))
    .slice(0, maxHeaders)
    .map((name) => {
      const value = message.headerValues(name).join(', ')
      const what = `${toPrintable(headerSpelling(name), 64)} in the ${where}`
      return fact('headers', what, comparedWhole.has(name) ? sorted(name, value) || 'empty' : 'there')
    })
}

/** In a list of tokens their order says nothing. */
function sorted(name: string, value: string): string {
  if (!['supported', 'require', 'proxy-require', 'allow', 'accept'].includes(name)) return value
  const tokens = value.split(',').map((token) => token.trim())
  return tokens.filter(Boolean).toSorted().join(', ')
}

function timingFacts(attempt: Transaction): LegFact[] {
  const since = attempt.request?.message.atMicros
  if (since === undefined) return []
  const first = attempt.responses[0]
  const ringing = attempt.responses.find((one) => statusOf(one) > 100 && statusOf(one) < 200)
  const steps: [string, number | undefined][] = [
    ['First sign of life after', first?.message.atMicros],
    ['Ringing after', ringing?.message.atMicros],
    ['Final answer after', attempt.final?.message.atMicros],
  ]
  return [
    ...steps.map(([what, at]): LegFact => {
      if (at === undefined) return { aspect: 'timing', what, value: '' }
      const micros = Math.max(0, at - since)
      return { aspect: 'timing', what, value: duration(micros), micros }
    }),
    fact('timing', 'INVITE sent', attempt.requestCount > 1 ? `${attempt.requestCount} times` : 'once'),
  ]
}

function hostOf(uri: string): string {
  const { host, port } = parseUri(uri)
  return port === null ? host : `${host}:${port}`
}

/** `transport=tcp;user=phone`, without values that name one call. */
function parametersOf(uri: string): string {
  const parameters = uri.split('?', 1)[0]?.split(';').slice(1) ?? []
  return parameters
    .filter((one) => /^(?:transport|user|lr|phone-context|maddr|isub|npdi|rn|ob|method)\b/i.test(one))
    .toSorted()
    .join(';')
}

function hostsOf(message: SipMessage, header: string): string {
  return message
    .headerValues(header)
    .map((value) => hostOf(nameAddressUri(value)))
    .join(', ')
}

function contactOf(message: SipMessage): string {
  const contact = message.header('contact')
  return contact === undefined ? '' : parseUri(parseNameAddress(contact).uri).host
}

/** How a number is written, not which: a carrier that wants `+49…` refuses `0049…`. */
function formOf(user: string): string {
  const number = user.split(/[;@]/, 1)[0] ?? ''
  if (number === '') return 'not at all'
  if (!/^\+?[\d*#]+$/.test(number)) return /anonymous/i.test(number) ? 'anonymous' : 'as a name'
  if (number.startsWith('+')) return 'with + and country code'
  if (number.startsWith('00')) return 'with 00'
  return number.startsWith('0') ? 'with 0' : `without a prefix`
}
