import type { Direction, HostPort, MessageSource } from '@sip-capture/contract/bus/sip-record.ts'
import type { RegistrationChange, RegistrationState } from '@sip-capture/contract/rest/registration.ts'
import type { RegisterMessage } from './register-columns.ts'

/** A REGISTER that is neither renewed nor answered is given up after 64·T1 (RFC 3261 17.1.2.2). */
const answerMicros = 32_000_000
/** A renewal may come that much after its time: registrars do not count to the second. */
const graceMicros = 2_000_000
/** One message at two sources, or sent again: no further apart than this. */
const sightingMicros = 2_000_000

/** A message as all its sources saw it. */
export interface SeenRegister extends RegisterMessage {
  readonly sources: MessageSource[]
  readonly isResent: boolean
}

export interface Binding {
  readonly uri: string
  readonly callId: string
  readonly client: HostPort
  readonly userAgent: string
  readonly grantedSeconds: number | null
  /** Null where nobody said how long. */
  readonly expiresAtMicros: number | null
}

export interface BindingChange {
  readonly atMicros: number
  readonly change: RegistrationChange
  readonly from: string
  readonly to: string
}

export interface RefusedRegister {
  readonly atMicros: number
  readonly status: number
  readonly reason: string
  readonly callId: string
  readonly count: number
  readonly hasCredentials: boolean
  readonly isStale: boolean
}

/** What the messages of one AOR tell, up to a time. */
export interface BindingHistory {
  readonly messages: readonly SeenRegister[]
  readonly changes: readonly BindingChange[]
  readonly bindings: readonly Binding[]
  readonly state: RegistrationState
  readonly direction: Direction
  /** Newer than the last success. */
  readonly refused: RefusedRegister | null
}

interface Standing {
  /** Newer than the last success. */
  refused: RefusedRegister | null
  /** How the last binding that is gone went. */
  lastEnd: 'expired' | 'unregistered' | null
}

/** Messages of one AOR, oldest first → its bindings and what became of them (RFC 3261 10.3). */
export function followBindings(messages: readonly RegisterMessage[], nowMicros: number): BindingHistory {
  const seen = inOrderOfCause(mergeSightings(messages))
  const bindings = new Map<string, Binding>()
  const changes: BindingChange[] = []
  const requests = new Map<string, SeenRegister>()
  const standing: Standing = { refused: null, lastEnd: null }

  const change = (atMicros: number, what: RegistrationChange, from: string, to = '') =>
    changes.push({ atMicros, change: what, from, to })
  const end = (binding: Binding, atMicros: number, what: 'expired' | 'unregistered') => {
    bindings.delete(binding.uri)
    change(atMicros, what, binding.uri)
    standing.lastEnd = what
  }
  const expireUntil = (atMicros: number) => {
    for (const binding of bindings.values())
      if (binding.expiresAtMicros !== null && binding.expiresAtMicros + graceMicros < atMicros)
        end(binding, binding.expiresAtMicros, 'expired')
  }

  function accept(request: SeenRegister | undefined, answer: SeenRegister): void {
    standing.refused = null
    const asked = request?.contacts ?? []
    const isRemoval = (uri: string) =>
      asked.some((one) => (one.uri === uri || one.uri === '*') && one.lifetimeSeconds === 0)
    for (const binding of bindings.values())
      if (isRemoval(binding.uri)) end(binding, answer.atMicros, 'unregistered')
    // A client that is restarted has another Call-ID; the registrar's list tells that its old binding went (10.3, step 8).
    const listed = new Set(answer.contacts.map(({ uri }) => uri))
    const own = asked.find(({ uri, lifetimeSeconds }) => uri !== '*' && lifetimeSeconds !== 0)
    if (own === undefined) return
    const granted = answer.contacts.find(({ uri }) => uri === own.uri) ?? answer.contacts[0] ?? own
    const binding: Binding = {
      uri: own.uri,
      callId: answer.callId,
      client: answer.client,
      userAgent: request?.userAgent ?? '',
      grantedSeconds: granted.lifetimeSeconds ?? own.lifetimeSeconds,
      expiresAtMicros: expiryOf(answer.atMicros, granted.lifetimeSeconds ?? own.lifetimeSeconds),
    }
    for (const old of bindings.values()) {
      const isGone = listed.size > 0 && !listed.has(old.uri)
      const isSame = old.uri === own.uri || old.callId === binding.callId
      if (!isGone && !isSame) continue
      bindings.delete(old.uri)
      const [from, to] = [placeOf(old), placeOf(binding)]
      if (from !== to) change(answer.atMicros, 'moved', from, to)
    }
    bindings.set(binding.uri, binding)
  }

  for (const message of seen) {
    expireUntil(message.atMicros)
    const key = `${message.callId} ${message.cseq}`
    if (message.status === 0) {
      requests.set(key, message)
      continue
    }
    if (message.isResent || message.status < 200) continue
    const request = requests.get(key)
    if (message.status < 300) accept(request, message)
    else if (!isFirstChallenge(message, request)) {
      standing.refused = {
        atMicros: message.atMicros,
        status: message.status,
        reason: message.reason,
        callId: message.callId,
        count: (standing.refused?.count ?? 0) + 1,
        hasCredentials: request?.hasCredentials ?? false,
        isStale: message.isStale,
      }
    }
  }
  expireUntil(nowMicros)
  return {
    messages: seen,
    changes,
    bindings: [...bindings.values()],
    state: bindings.size > 0 ? 'registered' : unboundState(seen, standing, nowMicros),
    direction: seen.find((message) => message.direction !== 'unknown')?.direction ?? 'unknown',
    refused: standing.refused,
  }
}

/** Asked for a password, or for one made with a new nonce: how a login goes on. */
function isFirstChallenge(answer: SeenRegister, request: SeenRegister | undefined): boolean {
  const isChallenge = answer.status === 401 || answer.status === 407
  return isChallenge && (answer.isStale || request?.hasCredentials !== true)
}

function unboundState(
  seen: readonly SeenRegister[],
  { refused, lastEnd }: Standing,
  nowMicros: number,
): RegistrationState {
  const last = seen.at(-1)
  if (last === undefined) return 'pending'
  const isPatient = nowMicros - last.atMicros < answerMicros
  if (last.status === 0) {
    // Sent again all the while: the first of them counts.
    const first = seen.find(
      ({ callId, cseq, status }) => callId === last.callId && cseq === last.cseq && status === 0,
    )
    if (nowMicros - (first ?? last).atMicros >= answerMicros) return 'unanswered'
  }
  if (refused !== null) return 'refused'
  if (last.status === 0) return 'pending'
  if (last.status === 401 || last.status === 407) return isPatient ? 'pending' : 'challenged'
  if (last.status < 200) return isPatient ? 'pending' : 'unanswered'
  return lastEnd ?? 'unregistered'
}

function expiryOf(atMicros: number, seconds: number | null): number | null {
  return seconds === null ? null : atMicros + seconds * 1_000_000
}

/** A phone moves when its contact or the address that it sends from does. */
function placeOf({ uri, client }: Binding): string {
  const host = client.address.includes(':') ? `[${client.address}]` : client.address
  return `${uri} from ${host}:${client.port}`
}

/** HEP stamps what Asterisk received to the millisecond and what it sent to the microsecond: closer than this, the order of
 *  CSeq and of request and answer counts (RFC 3261 8.1.1.5, 17). */
const stampMicros = 2_000

function inOrderOfCause(seen: readonly SeenRegister[]): SeenRegister[] {
  const ordered: SeenRegister[] = []
  for (const message of seen) {
    let place = ordered.length
    for (let at = ordered.length - 1; at >= 0; at--) {
      const before = ordered[at]
      if (before === undefined || message.atMicros - before.atMicros > stampMicros) break
      if (before.callId === message.callId && isCausedBy(before, message)) place = at
    }
    ordered.splice(place, 0, message)
  }
  return ordered
}

function isCausedBy(later: SeenRegister, earlier: SeenRegister): boolean {
  return later.cseq > earlier.cseq || (later.cseq === earlier.cseq && later.status > earlier.status)
}

/** One message for all its sightings: another source within two seconds saw the same, the same source saw it sent again. */
function mergeSightings(messages: readonly RegisterMessage[]): SeenRegister[] {
  const merged: SeenRegister[] = []
  const byKey = new Map<string, SeenRegister[]>()
  for (const message of messages) {
    const known = byKey.get(message.sightingKey) ?? []
    const same = known.find(
      (one) => !one.sources.includes(message.source) && message.atMicros - one.atMicros < sightingMicros,
    )
    if (same) same.sources.push(message.source)
    else {
      const isResent = known.some(({ atMicros }) => message.atMicros - atMicros < answerMicros)
      const seen = { ...message, sources: [message.source], isResent }
      merged.push(seen)
      known.push(seen)
      byKey.set(message.sightingKey, known)
    }
  }
  return merged
}
