import type { SipMessage } from './message.ts'
import { canonicalSessionIds } from './session-id.ts'
import { parseUserHost } from './uri.ts'

/**
 * Which dialogs are one call, by nothing but what their INVITEs say: for captures without AMI, where the PBX between two legs
 * cannot be asked. Every answer is a guess and carries its reason; where two are equally good there is none.
 */
export interface OpeningInvite {
  readonly callId: string
  /** Epoch microseconds. */
  readonly atMicros: number
  /** When the dialog was last seen. */
  readonly endedAtMicros: number
  readonly srcAddress: string
  readonly dstAddress: string
  readonly message: SipMessage
}

export interface Correlated {
  readonly callId: string
  /** One sentence: why this dialog belongs to the group. */
  readonly reason: string
}

/** A B2BUA rings the other leg at once or after a few seconds of greeting. */
const maxApartMicros = 30_000_000
/** Longer than this it is no number but text. */
const minDigits = 3

/** Headers of B2BUAs and session border controllers that name the other leg or the whole call. */
const correlationHeader =
  /^x-(?:cid|call-?id|correlation-?id|orig(?:inal)?-call-?id|session-?id|cust-call-?id)$/i

/** The dialogs that are one call with `callId`, itself not among them. `invites`: what was captured around that time, any
 *  order, one for each Call-ID. Source of Session-ID: RFC 7989 5 and 6. */
export function correlate(callId: string, invites: readonly OpeningInvite[]): Correlated[] {
  const found = new Map<string, string>([[callId, '']])
  // A group grows: the third leg may share its mark with the second only.
  for (const own of found.keys()) {
    const invite = invites.find((candidate) => candidate.callId === own)
    if (!invite) continue
    const others = invites.filter((other) => !found.has(other.callId) && isNear(invite, other))
    for (const other of others) {
      const reason = sharedMark(invite, other)
      if (reason !== undefined) found.set(other.callId, reason)
    }
    const rest = others.filter((other) => !found.has(other.callId))
    const through = bestThroughPbx(invite, rest, invites)
    if (through) found.set(through.callId, through.reason)
  }
  found.delete(callId)
  return [...found].map(([other, reason]) => ({ callId: other, reason }))
}

function isNear(a: OpeningInvite, b: OpeningInvite): boolean {
  return Math.abs(a.atMicros - b.atMicros) <= maxApartMicros
}

/** What only two legs of one call share. */
function sharedMark(a: OpeningInvite, b: OpeningInvite): string | undefined {
  const ours = canonicalSessionIds(a.message)
  if (canonicalSessionIds(b.message).some((id) => ours.includes(id)))
    return 'both INVITEs carry the same Session-ID (RFC 7989)'
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const)
    for (const { name, value } of correlationHeaders(one.message)) {
      if (value === other.callId) return `${name} of one INVITE is the Call-ID of the other`
      if (correlationHeaders(other.message).some((header) => header.value === value))
        return `both INVITEs carry the same value in ${name}`
    }
  return undefined
}

function correlationHeaders(message: SipMessage): { name: string; value: string }[] {
  return message.headers
    .filter(({ name, value }) => correlationHeader.test(name) && value.length >= 8)
    .map(({ name, value }) => ({ name, value }))
}

/** The one INVITE that left the host that this one went to (or the reverse), with the same numbers and in its lifetime. None
 *  where another dialog fits as well, in either direction. */
function bestThroughPbx(
  invite: OpeningInvite,
  others: readonly OpeningInvite[],
  all: readonly OpeningInvite[],
): Correlated | undefined {
  const fitting = others.filter((other) => goesThrough(invite, other) || goesThrough(other, invite))
  const [only] = fitting
  if (!only || fitting.length > 1) return undefined
  const [first, second] = goesThrough(invite, only) ? [invite, only] : [only, invite]
  // Two calls at once between the same numbers: which is whose cannot be said.
  const rivals = all.filter(
    (rival) =>
      rival !== first &&
      rival !== second &&
      isNear(rival, first) &&
      (goesThrough(rival, second) || goesThrough(first, rival)),
  )
  if (rivals.length > 0) return undefined
  const millis = Math.round((second.atMicros - first.atMicros) / 1000)
  return {
    callId: only.callId,
    reason: `the only INVITE that left ${first.dstAddress} with the same numbers, ${millis} ms after the other came in`,
  }
}

function goesThrough(first: OpeningInvite, second: OpeningInvite): boolean {
  if (first.callId === second.callId || first.dstAddress === '' || first.dstAddress !== second.srcAddress)
    return false
  if (second.atMicros < first.atMicros || second.atMicros > first.endedAtMicros) return false
  const [called, caller] = [calledDigits(first.message), callerDigits(first.message)]
  return (
    isSameNumber(called, calledDigits(second.message)) && isSameNumber(caller, callerDigits(second.message))
  )
}

const digits = (user: string): string => user.replace(/[^\d*#]/g, '')
const calledDigits = (message: SipMessage): string => digits(parseUserHost(message.requestUri).user)
const callerDigits = (message: SipMessage): string => digits(message.from.user)

/** The same, or one is the other with a prefix (trunk code, country code) before it. */
function isSameNumber(a: string, b: string): boolean {
  if (Math.min(a.length, b.length) < minDigits) return false
  return a === b || (Math.min(a.length, b.length) >= 6 && (a.endsWith(b) || b.endsWith(a)))
}
