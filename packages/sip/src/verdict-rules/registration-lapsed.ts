import { grantedExpires } from '../dialog.ts'
import type { Explanation, VerdictRule } from '../finding.ts'
import type { Leg } from '../leg.ts'
import { acceptedRegistrations, isRemoval, lapsedAtMicros, type AnsweredRegister } from '../registration.ts'
import { addressOfRecord, duration, evidenceOf, nameOf, sideOf } from '../wording.ts'

/** Two refreshes in a row from other ports may be two restarts; three are a rule. */
const portsThatTell = 3

function ranOut(leg: Leg, nowMicros: number): Explanation | null {
  const lapsedAt = lapsedAtMicros(leg, nowMicros)
  const last = acceptedRegistrations(leg).at(-1)
  if (lapsedAt === null || !last) return null
  const { transaction, final } = last
  return {
    // Switched off, asleep or registered anew under another Call-ID: not a fault that this leg can prove.
    severity: 'info',
    side: sideOf(transaction, 'client'),
    confidence: 'low',
    title: 'Registration ran out',
    sentence:
      `${addressOfRecord(transaction)} was registered at ${nameOf(transaction, 'server')} for ` +
      `${grantedExpires(final.message.message) ?? 0} s and did not refresh: the registration ran out ` +
      `${duration(nowMicros - lapsedAt)} ago, unless it registered anew under another Call-ID.`,
    evidence: evidenceOf(transaction.request, final),
    atMicros: lapsedAt,
    absentSinceMicros: lapsedAt,
  }
}

function cameLate(accepted: readonly AnsweredRegister[]): Explanation | null {
  for (const [index, { transaction }] of accepted.entries()) {
    const before = accepted[index - 1]
    if (!before || isRemoval(before)) continue
    const expires = grantedExpires(before.final.message.message)
    if (expires === null) continue
    const lateMicros = transaction.startedAtMicros - before.final.message.atMicros - expires * 1_000_000
    if (lateMicros < 1_000_000) continue
    return {
      severity: 'warning',
      side: sideOf(transaction, 'client'),
      confidence: 'medium',
      title: 'Registration refreshed too late',
      sentence:
        `${addressOfRecord(transaction)} was registered for ${expires} s and came back ${duration(lateMicros)} after that: ` +
        `in between calls to it went nowhere.`,
      evidence: evidenceOf(before.final, transaction.request),
      atMicros: transaction.startedAtMicros,
    }
  }
  return null
}

function changingPort(accepted: readonly AnsweredRegister[]): Explanation | null {
  const last = accepted.slice(-portsThatTell)
  const [first] = last
  const latest = last.at(-1)
  if (!first || !latest || last.length < portsThatTell) return null
  const requests = last.flatMap(({ transaction }) => transaction.request ?? [])
  const ports = new Set(requests.map(({ message }) => message.src.port))
  const sentBy = new Set(requests.map(({ message }) => message.message.topVia?.port ?? 0))
  const isUdp = requests.every(({ message }) => message.transport === 'UDP')
  if (!isUdp || ports.size < portsThatTell || sentBy.size !== 1) return null
  return {
    severity: 'warning',
    side: 'network',
    confidence: 'medium',
    title: 'The NAT forgets the phone between its registrations',
    sentence:
      `${addressOfRecord(latest.transaction)} came from another port each time it registered ` +
      `(${requests.map(({ message }) => message.src.port).join(', ')}) while it names the same one itself: a NAT between ` +
      `forgets it, and calls to it go nowhere until it registers again.`,
    evidence: evidenceOf(...requests),
    atMicros: latest.transaction.startedAtMicros,
  }
}

/** A binding that ran out, or that a NAT loses between two refreshes. */
export const registrationLapsed: VerdictRule = {
  id: 'R12-registration-lapsed',
  title: 'Registration ran out or is lost in between',
  meaning:
    'No REGISTER came before the registration ran out, or each comes from another port: a NAT with a short UDP timeout, or a device that sleeps.',
  kind: 'symptom',
  checks: [
    'the expiry in the device: 60 to 120 s behind NAT; keep-alive; TCP instead of UDP',
    'pjsip.conf, type=aor: qualify_frequency keeps the NAT binding open',
    'pjsip.conf, type=endpoint: rewrite_contact=yes',
  ],
  rfc: ['RFC 3261 10.2.4', 'RFC 3581'],
  options: [
    { option: 'qualify_frequency', object: 'aor' },
    { option: 'rewrite_contact', object: 'endpoint' },
    { option: 'maximum_expiration', object: 'aor' },
  ],
  methods: ['REGISTER'],
  explain(leg, context) {
    if (leg.of('REGISTER').length === 0) return null
    const accepted = acceptedRegistrations(leg)
    return changingPort(accepted) ?? cameLate(accepted) ?? ranOut(leg, context.nowMicros)
  },
}
