import type { RegistrationRow } from '@sip-capture/contract/rest/registration.ts'
import { reasonPhrase } from '@sip-capture/sip/reason-phrases.ts'
import type { RefusedRegister } from './binding-history.ts'
import type { RegistrationEvent } from './register-store.ts'

/** What "about to expire" and "flapping" mean; nowhere else. */

/** A binding is about to expire when less than this share of its time is left: clients renew long before (RFC 3261 10.2.4). */
const expiringShare = 0.1
export const flapWindowMicros = 15 * 60_000_000
/** Losses and moves within the window that make it flapping. */
const flapChanges = 3

export function isExpiring(
  binding: { expiresAtMicros: number | null; grantedSeconds: number | null } | undefined,
  nowMicros: number,
): boolean {
  if (!binding || binding.expiresAtMicros === null || binding.grantedSeconds === null) return false
  const left = binding.expiresAtMicros - nowMicros
  return left > 0 && left < binding.grantedSeconds * 1_000_000 * expiringShare
}

/** Times of losses and moves → how many are in the window that ends now. */
export function countRecent(times: readonly number[], nowMicros: number): number {
  return times.filter((at) => at > nowMicros - flapWindowMicros && at <= nowMicros).length
}

export function isFlapping(recentChanges: number): boolean {
  return recentChanges >= flapChanges
}

type SecurityEvent = Extract<RegistrationEvent, { kind: 'security-reported' }>

const securityWords: Readonly<Record<SecurityEvent['reason'], string>> = {
  InvalidPassword: 'Asterisk says that the password is wrong',
  ChallengeResponseFailed:
    'Asterisk says that the answer to its challenge is wrong: password, user name or realm',
  FailedACL: 'Asterisk says that an ACL forbids this address',
  InvalidAccountID: 'Asterisk says that it knows no such endpoint',
}

/** Asterisk's word where it gave one, else what the code means for a REGISTER. */
export function whyRefused(
  refused: Pick<RefusedRegister, 'status' | 'hasCredentials' | 'isStale'> | null,
  told: SecurityEvent | undefined,
): string {
  if (told) return `${securityWords[told.reason]}${told.acl === '' ? '' : ` (${told.acl})`}`
  if (refused === null) return ''
  switch (refused.status) {
    case 401:
    case 407:
      return 'The credentials were refused: wrong password, user name or realm'
    case 403:
      return 'Forbidden: wrong password, an ACL, or this user may not register'
    case 404:
      return 'The registrar knows no such AOR'
    case 423:
      return 'The interval asked for is too brief: the registrar says its least one in Min-Expires'
    case 503:
      return 'The registrar does not serve at the moment'
    default:
      return `${refused.status} ${reasonPhrase(refused.status)}`.trim()
  }
}

/** Worst first: what a person looks for on the page. */
const stateOrder: readonly RegistrationRow['state'][] = [
  'refused',
  'unanswered',
  'challenged',
  'expired',
  'unregistered',
  'pending',
  'registered',
]

export function byUrgency(a: RegistrationRow, b: RegistrationRow): number {
  return (
    rank(a) - rank(b) ||
    a.aor.localeCompare(b.aor, 'en', { numeric: true }) ||
    a.node.localeCompare(b.node, 'en')
  )
}

function rank(row: RegistrationRow): number {
  const trouble = row.isFlapping ? 0 : row.isExpiring || row.refusal !== null ? 0.5 : 0.9
  return stateOrder.indexOf(row.state) + trouble
}
