import type { VerdictRule } from '../finding.ts'
import { answersOf, isSuccess, isUnanswered, statusOf, type Leg } from '../leg.ts'
import { nameAddressUri } from '../name-address.ts'
import { toPrintable } from '../printable.ts'
import type { Sighting } from '../sightings.ts'
import type { Transaction } from '../transaction.ts'
import { parseUri, type SipUri } from '../uri.ts'
import { answerText, evidenceOf, isUs, nameOf, times } from '../wording.ts'

/** What a server answers that does not find the call at that address. */
const notFoundThere: ReadonlySet<number> = new Set([404, 416, 481])
const methods: readonly string[] = ['ACK', 'BYE', 'INVITE', 'UPDATE', 'INFO', 'REFER']

interface Trouble {
  readonly transaction: Transaction
  readonly request: Sighting
  /** The end of the sentence: what became of the request. */
  readonly fate: string
  readonly answer: Sighting | null
}

/** Requests inside the dialog that did not arrive or were not understood. */
function troublesOf(leg: Leg, nowMicros: number): Trouble[] {
  const found: Trouble[] = []
  const { attempt } = leg
  const ack = attempt?.acks[0]
  if (attempt && ack) {
    const repeated = answersOf(attempt).filter(({ message }) => message.atMicros > ack.message.atMicros)
    const fate = `the 200 was repeated ${times(repeated.length)} after it`
    if (repeated.length > 1) found.push({ transaction: attempt, request: ack, fate, answer: null })
  }
  for (const transaction of leg.transactions) {
    const { request, responses, final, isInitial, method } = transaction
    if (request === null || isInitial || !methods.includes(method)) continue
    if (final !== null && notFoundThere.has(statusOf(final)))
      found.push({ transaction, request, fate: `it was answered ${answerText(final)}`, answer: final })
    else if (responses.length === 0 && isUnanswered(leg, transaction, nowMicros))
      found.push({ transaction, request, fate: 'it got no answer', answer: null })
  }
  return found
}

/** The last message before the request in which the other side named its Contact for the dialog. */
function targetOf(leg: Leg, { message: { message, atMicros } }: Sighting): Sighting | undefined {
  const candidates = leg.of('INVITE').flatMap(({ request, final }) => {
    const accepted = final !== null && isSuccess(statusOf(final)) ? final : null
    return [request, accepted].filter((one) => one !== null)
  })
  return candidates
    .filter(({ message: { message: one, atMicros: at } }) => {
      const senderTag = one.kind === 'request' ? one.fromTag : one.toTag
      return at < atMicros && senderTag === message.toTag && one.header('contact') !== undefined
    })
    .toSorted((a, b) => a.message.atMicros - b.message.atMicros)
    .at(-1)
}

function hostOf({ host, port, scheme }: SipUri): string {
  return `${host.toLowerCase()}:${port ?? (scheme === 'sips' ? 5061 : 5060)}`
}

/** Why the request cannot find its way, as far as it is its sender's fault; null when its addresses are as they should be.
 *  `peer`: the name of the other side. */
function mistakeIn(request: Sighting, target: Sighting, peer: string): string | null {
  const { message, dst } = request.message
  const routes = target.message.message.headerValues('record-route')
  // Behind a proxy Route may be used up already: only what comes straight from its sender counts.
  if (routes.length > 0)
    return message.via.length === 1 && message.header('route') === undefined
      ? `has no Route, although the message that ${peer} named its Contact in has a Record-Route`
      : null
  const contact = nameAddressUri(target.message.message.header('contact') ?? '')
  const wanted = parseUri(contact)
  const used = parseUri(message.requestUri)
  if (wanted.host === '' || used.host === '' || hostOf(wanted) === hostOf(used)) return null
  // Sent to where the other side's packets come from, as rewrite_contact=yes does: meant well, and mostly right.
  if (used.host === dst.address) return null
  return `goes to ${toPrintable(message.requestUri, 80)}, but the Contact of ${peer} is ${toPrintable(contact, 80)}`
}

/** A request inside the dialog that is not sent to the Contact of the other side, or has lost its route. */
export const wrongTarget: VerdictRule = {
  id: 'A06-wrong-target',
  title: 'Request sent past the Contact or the route',
  meaning:
    'ACK, BYE and all else inside a call go to the last Contact of the other side along the Record-Route. This one did not, and got lost or was not understood.',
  kind: 'symptom',
  checks: [
    'the proxy between, if there is one: does it change the Request-URI or take Route away?',
    'pjsip.conf, type=endpoint and type=registration: outbound_proxy must end in \\;lr',
    'pjsip.conf, type=registration: support_path, if a proxy asks for it',
  ],
  rfc: ['RFC 3261 12.2.1.1', 'RFC 3261 16.12'],
  options: [
    { option: 'outbound_proxy', object: 'endpoint' },
    { option: 'outbound_proxy', object: 'registration' },
    { option: 'support_path', object: 'registration' },
  ],
  leadsTo: ['A02-no-ack', 'A03-ended-at-timer-h', 'D05-dialog-unknown', 'D11-bye-unanswered'],
  methods,
  signs: ['answered'],
  explain(leg, context) {
    // Where nobody answered there is no Contact to go by.
    if (!leg.dialogs.some(({ state }) => state !== 'early')) return null
    for (const { transaction, request, fate, answer } of troublesOf(leg, context.nowMicros)) {
      const target = targetOf(leg, request)
      const mistake = target ? mistakeIn(request, target, nameOf(transaction, 'server')) : null
      if (!target || mistake === null) continue
      const { method } = request.message.message
      return {
        severity: 'warning',
        side: isUs(transaction, 'client') ? 'us' : 'peer',
        confidence: 'medium',
        sentence: `The ${method} of ${nameOf(transaction, 'client')} ${mistake}: ${fate}.`,
        evidence: evidenceOf(target, request, answer),
        atMicros: request.message.atMicros,
      }
    }
    return null
  },
}
