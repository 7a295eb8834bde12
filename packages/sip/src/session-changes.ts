import { statusOf, type Leg } from './leg.ts'
import { rememberOfLeg } from './remember.ts'
import type { Transaction } from './transaction.ts'

const none: readonly Transaction[] = []

/** The re-INVITEs and UPDATEs of a leg: what changes or refreshes a session (RFC 3261 14, RFC 3311, RFC 4028). */
export const sessionChanges = rememberOfLeg((leg): readonly Transaction[] => {
  const all = leg.of('INVITE')
  const invites =
    all.length < 2 && all[0]?.isInitial !== false
      ? none
      : all.filter(({ isInitial, request }) => request !== null && !isInitial)
  const updates = leg.of('UPDATE').filter(({ request }) => request !== null)
  if (updates.length === 0) return invites
  return [...invites, ...updates].toSorted((a, b) => a.startedAtMicros - b.startedAtMicros)
})

/** `re-INVITE`, or the method. */
export function changeName({ method }: Transaction): string {
  return method === 'INVITE' ? 're-INVITE' : method
}

export function changesWith(leg: Leg, status: number): readonly Transaction[] {
  return sessionChanges(leg).filter(({ final }) => statusOf(final) === status)
}
