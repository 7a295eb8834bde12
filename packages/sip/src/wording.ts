import type { Explanation } from './finding.ts'
import type { SipMessage } from './message.ts'
import { hostKey, isKnownAddress, type Host } from './observed-message.ts'
import { toPrintable } from './printable.ts'
import { reasonPhrase } from './reason-phrases.ts'
import { remember, rememberOfMessage } from './remember.ts'
import type { Sighting } from './sightings.ts'
import { onFirstHop, type Transaction } from './transaction.ts'
import { parseUserHost } from './uri.ts'

/** Words that the verdict rules share. */

export type Role = 'client' | 'server'

/** True when that side of the request is the PBX itself. */
export function isUs(transaction: Transaction, role: Role): boolean {
  return transaction.direction === (role === 'client' ? 'out' : 'in')
}

/** Who should act when that side is at fault. */
export function sideOf(transaction: Transaction, role: Role): 'us' | 'peer' {
  return isUs(transaction, role) ? 'us' : 'peer'
}

/** `Asterisk (127.0.0.1:5080)`, `acme (203.0.113.9:5060)`, `203.0.113.9:5060`; `Asterisk` or `the far side` when the
 *  address is not known. */
export function nameOf(transaction: Transaction, role: Role): string {
  return hostName(transaction[role], isUs(transaction, role))
}

export function hostName(host: Host, isPbx: boolean): string {
  return isPbx ? pbxName(host) : farName(host)
}

const pbxName = remember((host: Host) => named(host, 'Asterisk'))
const farName = remember((host: Host) => named(host, toPrintable(host.name ?? '', 40)))

function named(host: Host, name: string): string {
  if (!isKnownAddress(host)) return name === '' ? 'the far side' : name
  return name === '' ? hostKey(host) : `${name} (${hostKey(host)})`
}

/** `503 Service Unavailable`. */
export function answerText(response: Sighting): string {
  return statusText(response.message.message)
}

const statusText = rememberOfMessage((message: SipMessage) => {
  const status = message.status ?? 0
  const reason = toPrintable(message.reason, 60) || reasonPhrase(status)
  return reason === '' ? `${status}` : `${status} ${reason}`
})

/** The number or name that was called, as it stood in the Request-URI, else in To. */
export function calledNumber(transaction: Transaction): string {
  const message = (transaction.request ?? transaction.responses[0])?.message.message
  return message ? numberIn(message) : 'unknown'
}

const numberIn = rememberOfMessage((message: SipMessage) => {
  const user = parseUserHost(message.requestUri).user || message.to.user
  return toPrintable(user || message.to.host, 40) || 'unknown'
})

export function callingNumber(transaction: Transaction): string {
  const message = (transaction.request ?? transaction.responses[0])?.message.message
  return toPrintable(message?.from.user || message?.from.host || '', 40) || 'unknown'
}

/** The registered address (RFC 3261 10.2: To), as `user@host`. */
export function addressOfRecord(transaction: Transaction): string {
  const to = (transaction.request ?? transaction.responses[0])?.message.message.to
  if (!to) return 'unknown'
  return toPrintable(to.user === '' ? to.host : `${to.user}@${to.host}`, 80) || 'unknown'
}

/** `less than 1 ms`, `35 ms`, `31.5 s`, `4 min 5 s`, `10 min`, `2 h 3 min`. */
export function duration(micros: number): string {
  if (micros < 1000) return 'less than 1 ms'
  if (micros < 999_500) return `${Math.round(micros / 1000)} ms`
  if (micros < 59_950_000) return `${Math.round(micros / 100_000) / 10} s`
  const seconds = Math.round(micros / 1_000_000)
  if (seconds < 3600) return twoUnits(Math.floor(seconds / 60), 'min', seconds % 60, 's')
  return twoUnits(Math.floor(seconds / 3600), 'h', Math.floor((seconds % 3600) / 60), 'min')
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** `once`, `twice`, `7 times`. */
export function times(count: number): string {
  if (count === 1) return 'once'
  return count === 2 ? 'twice' : `${count} times`
}

/** How often the request was sent: `once`, `7 times in 31.5 s`. */
export function sendings(transaction: Transaction): string {
  const list = onFirstHop(transaction.requests)
  const count = list.length
  const last = list.at(-1)?.message.atMicros ?? transaction.startedAtMicros
  return count === 1 ? 'once' : `${times(count)} in ${duration(last - transaction.startedAtMicros)}`
}

/** A client goes on repeating for 32 s: one that stopped early has perhaps been answered. */
function isFewOverUdp({ request, requests }: Transaction): boolean {
  return request?.message.transport === 'UDP' && onFirstHop(requests).length < 3
}

/** How sure it is that nobody answered. Over UDP a client repeats what is not answered (RFC 3261 17.1); one that did not
 *  has perhaps got an answer that the capture missed. */
export function unansweredDoubt(
  transaction: Transaction,
): Pick<Explanation, 'confidence'> & { doubt: string } {
  const isSuspicious =
    onFirstHop(transaction.requests).length === 1 && transaction.request?.message.transport === 'UDP'
  return isSuspicious
    ? {
        confidence: 'low',
        doubt: ' It was not repeated either, so an answer may have come that was not captured.',
      }
    : { confidence: isFewOverUdp(transaction) ? 'medium' : 'high', doubt: '' }
}

/** What the answer itself says about why, as further sentences with a leading space; `''` when it says nothing. Read
 *  before guessing: Reason (RFC 3326), Warning (RFC 3261 20.43), Retry-After (20.33). */
export function givenReasons(response: Sighting): string {
  const { message } = response.message
  let text = reasonText(response)
  const warning = message.header('warning')
  if (warning !== undefined && warning !== '') text += ` It warns: ${toPrintable(warning, 120)}.`
  const retryAfter = message.header('retry-after')
  if (retryAfter !== undefined && retryAfter !== '')
    text += ` It asks to wait: Retry-After ${toPrintable(retryAfter, 40)}.`
  return text
}

/** The Reason header of a message as a sentence with a leading space; `''` without one. */
export function reasonText(sighting: Sighting | null | undefined): string {
  const reason = sighting?.message.message.header('reason') ?? ''
  return reason === '' ? '' : ` It gives the reason: ${toPrintable(reason, 120)}.`
}

export function evidenceOf(...sightings: readonly (Sighting | null | undefined)[]): string[] {
  const ids: string[] = []
  for (const sighting of sightings) if (sighting && !ids.includes(sighting.id)) ids.push(sighting.id)
  return ids
}

/** The common part of every finding that says "this answer is the failure". */
export function refusal(
  transaction: Transaction,
  final: Sighting,
): Pick<Explanation, 'severity' | 'confidence' | 'evidence' | 'atMicros' | 'isFailure'> {
  return {
    severity: 'error',
    confidence: 'high',
    evidence: evidenceOf(transaction.request, final),
    atMicros: final.message.atMicros,
    isFailure: true,
  }
}

/** `INVITE to 1002`, `registration of 1002@example.com`. */
export function requestText(transaction: Transaction): string {
  return transaction.method === 'REGISTER'
    ? `registration of ${addressOfRecord(transaction)}`
    : `${transaction.method} to ${calledNumber(transaction)}`
}

/** How long after the first sending the answer came. */
export function answerDelay(transaction: Transaction, answer: Sighting): string {
  return duration(answer.message.atMicros - transaction.startedAtMicros)
}
