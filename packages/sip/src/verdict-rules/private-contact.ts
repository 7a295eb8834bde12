import { isPrivateAddress, isPublicAddress } from '../address-scope.ts'
import { currentValueOf } from '../current-options.ts'
import type { PjsipOption, VerdictRule } from '../finding.ts'
import { answersOf, isSuccess, statusOf, type Leg } from '../leg.ts'
import type { SipMessage } from '../message.ts'
import { nameAddressUri } from '../name-address.ts'
import { hostKey, type Host, type ObservedMessage } from '../observed-message.ts'
import { rememberOfMessage } from '../remember.ts'
import type { Sighting } from '../sightings.ts'
import type { Transaction } from '../transaction.ts'
import { parseUri } from '../uri.ts'
import { evidenceOf, isUs, nameOf, sideOf, type Role } from '../wording.ts'

/** The private address in the Contact of a message; null when there is none, or when a proxy on the way (Record-Route,
 *  several Via) carries the requests back. */
function privateContactOf({ message, transport }: ObservedMessage): Host | null {
  return transport === 'WS' || transport === 'WSS' ? null : privateContactIn(message)
}

const privateContactIn = rememberOfMessage((message: SipMessage): Host | null => {
  if (message.header('record-route') !== undefined) return null
  if (message.kind === 'request' && message.via.length > 1) return null
  const { host, port } = parseUri(nameAddressUri(message.header('contact') ?? ''))
  return isPrivateAddress(host) ? { address: host, port: port ?? 5060 } : null
})

/** True when the message is on its way between a private and a public network, or between two public ones. */
function crossesPublic({ message: { src, dst } }: Sighting): boolean {
  return isPublicAddress(src.address) || isPublicAddress(dst.address)
}

/** True when requests were sent to that address, which is not where the packets of its owner come from, and got nothing
 *  back: then it does not matter which networks are public. */
function isInVain(leg: Leg, attempt: Transaction, { message }: Sighting, contact: Host): boolean {
  if (message.src.address === contact.address) return false
  const isSilent = leg.transactions.some(
    ({ isInitial, server, requestCount, responses }) =>
      !isInitial && server.address === contact.address && responses.length === 0 && requestCount > 2,
  )
  const ack = attempt.acks.find((one) => one.message.dst.address === contact.address)
  const repeated = answersOf(attempt).filter((one) => one.message.atMicros > (ack?.message.atMicros ?? 0))
  return isSilent || (ack !== undefined && repeated.length > 1)
}

/** True when requests inside the dialog reached that side of the first INVITE: then something rewrites the Contact. */
function isReached(leg: Leg, attempt: Transaction, owner: Role): boolean {
  const tag = (attempt.request ?? attempt.final)?.message.message.from.tag
  const answered = leg.transactions.some(({ request, responses, isInitial }) => {
    if (request === null || isInitial || responses.length === 0) return false
    const isFromCaller = request.message.message.from.tag === tag
    return isFromCaller === (owner === 'server')
  })
  return answered || (owner === 'server' && attempt.acks.length > 0 && answersOf(attempt).length < 2)
}

interface Found {
  readonly sighting: Sighting
  readonly transaction: Transaction
  readonly owner: Role
  readonly contact: Host
  /** True when requests to it were seen to get no answer. */
  readonly isProven: boolean
}

function inCall(leg: Leg): Found | null {
  const { attempt } = leg
  if (attempt === null) return null
  const answer = attempt.responses.find((one) => isSuccess(statusOf(one)))
  const candidates: [Sighting | null | undefined, Role][] = [
    [attempt.request, 'client'],
    [answer, 'server'],
  ]
  for (const [sighting, owner] of candidates) {
    const contact = sighting ? privateContactOf(sighting.message) : null
    if (!sighting || contact === null) continue
    if (isInVain(leg, attempt, sighting, contact))
      return { sighting, transaction: attempt, owner, contact, isProven: true }
    if (crossesPublic(sighting) && !isReached(leg, attempt, owner))
      return { sighting, transaction: attempt, owner, contact, isProven: false }
  }
  return null
}

/** Of a registration only what the registrar kept counts: Asterisk rewrites the Contact when it is told to. */
function inRegistration(leg: Leg): Found | null {
  const transaction = leg.of('REGISTER').findLast(({ final }) => isSuccess(statusOf(final)))
  if (!transaction?.request || !transaction.final) return null
  const contact = privateContactOf(transaction.request.message)
  if (contact === null || !crossesPublic(transaction.request)) return null
  const kept = transaction.final.message.message.headerValues('contact').join(',')
  return kept.includes(contact.address)
    ? { sighting: transaction.request, transaction, owner: 'client', contact, isProven: false }
    : null
}

const rewriteContact: PjsipOption = { option: 'rewrite_contact', object: 'endpoint' }

/** What becomes of requests to that address. A healthy phone behind NAT names one as well. */
function consequence({ isProven, transaction }: Found, rewrites: string | undefined): string {
  if (isProven) return 'requests to it get no answer.'
  const requests = transaction.method === 'REGISTER' ? 'calls to it' : 'ACK, BYE and re-INVITE to it'
  if (rewrites === 'no') return `${requests} go to that address, since rewrite_contact is no for it.`
  if (rewrites === 'yes')
    return `${requests} go to where its packets come from instead, since rewrite_contact is yes for it.`
  return `${requests} only arrive if the other side corrects that.`
}

/** A private address in the Contact of a message from or to the public network. Told as a warning only where requests to it
 *  were lost, or are sure to be. */
export const privateContact: VerdictRule = {
  id: 'A01-private-contact',
  title: 'Private address in the Contact',
  meaning:
    'The Contact names an address that cannot be reached from the other side, so ACK, BYE and re-INVITE, or the calls to a registered phone, go nowhere. Nobody takes care of the NAT.',
  kind: 'symptom',
  checks: [
    'for Asterisk behind NAT: pjsip.conf, type=transport: external_signaling_address and local_net',
    'for a device behind NAT: pjsip.conf, type=endpoint: rewrite_contact=yes',
    'a SIP ALG in the router of the device: switch it off',
  ],
  rfc: ['RFC 3261 8.1.1.8', 'RFC 3261 12.2.1.1', 'RFC 1918'],
  options: [
    { option: 'external_signaling_address', object: 'transport' },
    { option: 'local_net', object: 'transport' },
    rewriteContact,
  ],
  leadsTo: ['A02-no-ack', 'A03-ended-at-timer-h', 'D11-bye-unanswered', 'D06-call-left-over'],
  methods: ['INVITE', 'REGISTER'],
  explain(leg, context) {
    const found = inCall(leg) ?? inRegistration(leg)
    if (found === null) return null
    const { sighting, transaction, owner, contact, isProven } = found
    const { src, dst } = sighting.message
    const isOurs = isUs(transaction, owner)
    const rewrites = isOurs ? undefined : currentValueOf(leg, rewriteContact, context)
    const path =
      isProven || isPublicAddress(src.address)
        ? `its packets come from ${hostKey(src)}`
        : `it talks to ${hostKey(dst)}`
    return {
      severity: isProven || rewrites === 'no' ? 'warning' : 'info',
      side: sideOf(transaction, owner),
      confidence: isProven ? 'high' : 'medium',
      sentence:
        `${nameOf(transaction, owner)} names ${hostKey(contact)} as its Contact, a private address, while ${path}: ` +
        consequence(found, rewrites),
      evidence: evidenceOf(sighting),
      checks: isOurs
        ? [
            'pjsip.conf, type=transport: external_signaling_address with the public address',
            'pjsip.conf, type=transport: local_net with the networks that are inside',
          ]
        : [
            'pjsip.conf, type=endpoint: rewrite_contact=yes',
            'a SIP ALG in the router of the device: switch it off',
          ],
      options: isOurs
        ? [
            { option: 'external_signaling_address', object: 'transport' },
            { option: 'local_net', object: 'transport' },
          ]
        : [rewriteContact],
      atMicros: sighting.message.atMicros,
      isHarmless: rewrites === 'yes' && !isProven,
    }
  },
}
